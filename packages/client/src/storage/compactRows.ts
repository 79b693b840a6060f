import * as Y from 'yjs'
import { describe, putAside, whyUnreadable } from './loadRows.js'
import { NOTES_STORE, UPDATES_STORE, whenCommitted } from './openDatabase.js'

/** What a compaction left. */
export interface CompactedRows {
  /** The key of the row that holds the whole document. */
  readonly key: IDBValidKey
  readonly quarantined: number
}

/**
 * Replaces the rows of a database by one that holds the document, which must have garbage collection on: merging the
 * rows themselves would keep on disk what was recalled or cleared.
 *
 * All in one transaction, so that no other tab writes between reading and deleting, and nothing is deleted that is not
 * in the document: rows of other tabs that it has not heard of are taken in first, and those that wait for a
 * predecessor stay.
 *
 * @param known the keys of rows whose content the document has
 */
export async function compactRows(
  db: IDBDatabase,
  doc: Y.Doc,
  known: ReadonlySet<IDBValidKey>,
  receive: (update: Uint8Array) => 'applied' | 'held',
): Promise<CompactedRows> {
  const transaction = db.transaction([UPDATES_STORE, NOTES_STORE], 'readwrite')
  const store = transaction.objectStore(UPDATES_STORE)
  let key: IDBValidKey = 0
  let quarantined = 0

  const take = (row: IDBValidKey, value: unknown): boolean => {
    let reason = whyUnreadable(value)
    if (reason === null) {
      try {
        return receive(value as Uint8Array) === 'applied'
      } catch (error) {
        reason = describe(error)
      }
    }
    putAside(transaction, { key: row, value, reason })
    quarantined++
    return false
  }
  const replace = (rows: readonly IDBValidKey[]): void => {
    const request = store.add(Y.encodeStateAsUpdate(doc))
    request.onsuccess = () => {
      key = request.result
    }
    for (const row of rows) store.delete(row)
  }

  // Callbacks and no promises from here on: a transaction ends as soon as it has nothing to do.
  const keys = store.getAllKeys()
  keys.onsuccess = () => {
    const covered = keys.result.filter((row) => known.has(row))
    const unheard = keys.result.filter((row) => !known.has(row))
    let left = unheard.length
    if (left === 0) replace(covered)
    for (const row of unheard) {
      const request = store.get(row)
      request.onsuccess = () => {
        if (take(row, request.result)) covered.push(row)
        if (--left === 0) replace(covered)
      }
    }
  }
  await whenCommitted(transaction)
  return { key, quarantined }
}
