import type { ClientEnvironment } from '../environment.js'
import { StorageError } from './storageError.js'

/** How long other pages may hold on to a database that is to be deleted. They were asked to let go before. */
const DELETE_TIMEOUT_MS = 10_000

/**
 * Deletes a database and settles when it is gone; y-indexeddb's own `clearData` settles before.
 *
 * @throws StorageError with code `delete-blocked` if another page keeps it open, though the browser deletes it as soon as
 * that page is closed; `delete-failed` for anything else
 */
export function deleteDatabase(
  { indexedDB, schedule }: Pick<ClientEnvironment, 'indexedDB' | 'schedule'>,
  name: string,
): Promise<void> {
  if (!indexedDB) return Promise.resolve()
  return new Promise((resolve, reject) => {
    let blocked = false
    const fail = (cause: unknown): void =>
      reject(new StorageError('delete-failed', `The database ${name} could not be deleted`, cause))
    let request: IDBOpenDBRequest
    try {
      request = indexedDB.deleteDatabase(name)
    } catch (error) {
      fail(error)
      return
    }
    const cancel = schedule(() => {
      const why = blocked ? 'another page holds it open' : 'the browser does not answer'
      reject(new StorageError('delete-blocked', `The database ${name} is not deleted yet: ${why}`))
    }, DELETE_TIMEOUT_MS)
    request.onblocked = () => {
      blocked = true
    }
    request.onsuccess = () => {
      cancel()
      resolve()
    }
    request.onerror = () => {
      cancel()
      fail(request.error)
    }
  })
}
