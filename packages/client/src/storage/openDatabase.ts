/** The stores of y-indexeddb 9: the updates in order, and values by key. */
export const UPDATES_STORE = 'updates'
export const NOTES_STORE = 'custom'

/**
 * Opens a database in y-indexeddb's layout, creating it if there is none.
 *
 * y-indexeddb is only constructed on a database that this has opened once: its own constructor turns a database that
 * does not open into an unhandled rejection.
 *
 * @param onBlocked called when the database waits for another page to let go of it
 */
export function openDatabase(
  indexedDB: IDBFactory,
  name: string,
  onBlocked: () => void,
): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name)
    request.onblocked = onBlocked
    request.onupgradeneeded = () => {
      request.result.createObjectStore(UPDATES_STORE, { autoIncrement: true })
      request.result.createObjectStore(NOTES_STORE)
    }
    request.onerror = () => reject(request.error ?? new Error('The database did not open'))
    request.onsuccess = () => resolve(request.result)
  })
}

/** Settles when a transaction has committed, rejects when it was aborted. A request's success says neither. */
export function whenCommitted(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('The transaction was aborted'))
  })
}

/** Settles with what a request finds. */
export function whenDone<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('The request failed'))
  })
}
