import { decodeUpdate, findGap } from '@parley/core'
import type * as Y from 'yjs'
import { type BadRow, whyUnreadable } from './loadRows.js'
import { UPDATES_STORE, whenDone } from './openDatabase.js'

/** Finds the rows that build on what is not in the document, and so are not in it either. */
export async function findHeldRows(
  db: IDBDatabase,
  doc: Y.Doc,
  known: ReadonlySet<IDBValidKey>,
): Promise<BadRow[]> {
  const store = db.transaction(UPDATES_STORE, 'readonly').objectStore(UPDATES_STORE)
  const [keys, values] = await Promise.all([whenDone(store.getAllKeys()), whenDone(store.getAll())])
  return keys.flatMap((key, index) => {
    const value: unknown = values[index]
    if (known.has(key) || whyUnreadable(value) !== null) return []
    if (findGap(doc, decodeUpdate(value as Uint8Array)) === null) return []
    return [{ key, value, reason: 'What the row builds on is lost; what could be read was written again' }]
  })
}
