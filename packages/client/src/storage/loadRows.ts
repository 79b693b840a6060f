import { decodeUpdate, findGap } from '@parley/core'
import * as Y from 'yjs'
import { NOTES_STORE, UPDATES_STORE, whenCommitted, whenDone } from './openDatabase.js'

/** What became of the rows of a database. */
export interface LoadedRows {
  /** The keys of the rows whose content is in the document. */
  readonly applied: IDBValidKey[]
  /** How many rows were put aside. */
  readonly quarantined: number
  /** The rows behind the first: how many, and their bytes. */
  readonly tailRows: number
  readonly tailBytes: number
}

interface Row {
  readonly key: IDBValidKey
  readonly update: Uint8Array
}

/** Beyond this many rows applying one merged update is faster than applying each. */
const MERGE_FROM_ROWS = 16

/**
 * Takes the rows of a database into a document, each checked first.
 *
 * y-indexeddb's own loader applies them unchecked: one row that does not decode leaves it waiting for ever, and one whose
 * predecessor is missing has its deletions applied without its insertions. Here the first kind is put aside, and the
 * second stays where it is until what it needs has come.
 */
export async function loadRows(
  db: IDBDatabase,
  doc: Y.Doc,
  receive: (update: Uint8Array) => 'applied' | 'held',
): Promise<LoadedRows> {
  const transaction = db.transaction(UPDATES_STORE, 'readonly')
  const store = transaction.objectStore(UPDATES_STORE)
  const [keys, values] = await Promise.all([whenDone(store.getAllKeys()), whenDone(store.getAll())])
  const rows: Row[] = []
  const bad: BadRow[] = []
  keys.forEach((key, index) => {
    const value: unknown = values[index]
    const reason = whyUnreadable(value)
    if (reason === null) rows.push({ key, update: value as Uint8Array })
    else bad.push({ key, value, reason })
  })
  const applied = receiveRows(doc, rows, receive, bad)
  // Where that fails, on a full disk for one, they stay where they are and are found again.
  if (bad.length > 0) await quarantine(db, bad).catch(() => {})
  const tail = rows.slice(1)
  const tailBytes = tail.reduce((sum, { update }) => sum + update.byteLength, 0)
  return { applied, quarantined: bad.length, tailRows: tail.length, tailBytes }
}

/** A row that is to be put aside. */
export interface BadRow {
  readonly key: IDBValidKey
  readonly value: unknown
  readonly reason: string
}

/** Why a row can never be taken in, or `null` if it can. */
export function whyUnreadable(value: unknown): string | null {
  if (!(value instanceof Uint8Array)) return 'The row is not a sequence of bytes'
  try {
    decodeUpdate(value)
    return null
  } catch (error) {
    return describe(error)
  }
}

/** What an error says, whatever was thrown. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Moves a row from the updates to the notes, in the transaction given, so that it is in one place or the other. */
export function putAside(transaction: IDBTransaction, { key, value, reason }: BadRow): void {
  transaction.objectStore(NOTES_STORE).put({ value, reason }, `quarantine/${String(key)}`)
  transaction.objectStore(UPDATES_STORE).delete(key)
}

/** Moves rows from the updates to the notes. */
export async function quarantine(db: IDBDatabase, bad: readonly BadRow[]): Promise<void> {
  const transaction = db.transaction([UPDATES_STORE, NOTES_STORE], 'readwrite')
  for (const row of bad) putAside(transaction, row)
  await whenCommitted(transaction)
}

function receiveRows(
  doc: Y.Doc,
  rows: readonly Row[],
  receive: (update: Uint8Array) => 'applied' | 'held',
  bad: BadRow[],
): IDBValidKey[] {
  const [first, ...rest] = rows
  if (!first) return []
  const applied: IDBValidKey[] = []
  const take = ({ key, update }: Row): void => {
    try {
      if (receive(update) === 'applied') applied.push(key)
    } catch (error) {
      bad.push({ key, value: update, reason: describe(error) })
    }
  }
  // The first row is the large one after a compaction; merging the others onto it would decode it once more.
  take(first)
  if (rest.length >= MERGE_FROM_ROWS) {
    const merged = Y.mergeUpdates(rest.map(({ update }) => update))
    if (isWhole(doc, merged)) {
      try {
        if (receive(merged) === 'applied') return [...applied, ...rest.map(({ key }) => key)]
      } catch {
        // One of them is to blame: taken one by one it shows which.
      }
    }
  }
  for (const row of rest) take(row)
  return applied
}

function isWhole(doc: Y.Doc, update: Uint8Array): boolean {
  try {
    return findGap(doc, decodeUpdate(update)) === null
  } catch {
    return false
  }
}
