import { decodeUpdate, findGap, forgetTransactions, ParleyError } from '@parley/core'
import * as Y from 'yjs'
import { ServerError } from '../errors.js'
import type { LogRow, LogStore, StoredRoom } from '../log/logStore.js'

/** A room as it comes out of the log. */
export interface LoadedRoom {
  readonly doc: Y.Doc
  readonly epoch: number
  readonly version: number
  /** The version and the size of the snapshot; 0 if there is none. */
  readonly snapshotVersion: number
  readonly snapshotBytes: number
  readonly rowCount: number
  readonly rowBytes: number
  /** Rows that build on something that is not there. They are durable, and are applied when it arrives. */
  readonly waiting: readonly LogRow[]
  /** All rows that are not part of the snapshot, but for those in quarantine. */
  readonly rows: readonly LogRow[]
  /** Rows that cannot be applied, and were put aside just now. */
  readonly quarantined: ReadonlyArray<{ version: number; reason: string }>
  /** Those of them that a store which cannot write still has among the rows; the next one to load the room tries again. */
  readonly inTheWay: ReadonlyArray<{ version: number }>
}

/** Nobody looks at it, and Yjs would draw random numbers for it one by one, which takes longer than the rest of a small room. */
export const DOCUMENT_GUID = 'room'

/**
 * Loads a room. A row that cannot be applied is put aside and the rest is served; a room of which more than rows is
 * unreadable is an error, never an empty document.
 *
 * @throws ServerError with code `store-unavailable` or `store-damaged`
 */
export async function loadRoom(store: LogStore, name: string): Promise<LoadedRoom> {
  const { epoch, version, snapshot, rows, damaged } = await store.load(name)
  const quarantined = [...damaged]
  let built = build(snapshot, rows)
  while ('culprit' in built) {
    const { culprit, reason } = built
    if (culprit === snapshot) {
      throw new ServerError('store-damaged', `The snapshot of a room cannot be applied: ${reason}`)
    }
    quarantined.push({ version: culprit.version, reason })
    // Anew, for what threw may have changed half of the document.
    built = build(
      snapshot,
      rows.filter((row) => quarantined.every((bad) => bad.version !== row.version)),
    )
  }
  if (isEmptied({ version, snapshot, rows }, built, quarantined.length)) {
    built.doc.destroy()
    throw new ServerError('store-damaged', 'What the rows of a room build on cannot be read')
  }
  const inTheWay = quarantined.length > 0 && !(await putAside(store, name, quarantined)) ? quarantined : []
  let rowBytes = 0
  for (const { update } of rows) rowBytes += update.byteLength
  return {
    doc: built.doc,
    waiting: built.waiting,
    rows: rows.filter((row) => quarantined.every((bad) => bad.version !== row.version)),
    epoch,
    version,
    snapshotVersion: snapshot?.version ?? 0,
    snapshotBytes: snapshot?.update.byteLength ?? 0,
    rowCount: rows.length,
    rowBytes,
    quarantined,
    inTheWay,
  }
}

/** True for a document that is empty because of what its log has lost: everything that is left waits for it. */
function isEmptied(
  { version, snapshot, rows }: Pick<StoredRoom, 'version' | 'snapshot' | 'rows'>,
  { doc, waiting }: { doc: Y.Doc; waiting: readonly LogRow[] },
  quarantined: number,
): boolean {
  const base = snapshot?.version ?? 0
  const isAllThere = rows.filter((row) => row.version > base).length === version - base
  return doc.store.clients.size === 0 && waiting.length > 0 && (quarantined > 0 || !isAllThere)
}

/** A full disk must not keep a room from being read. */
async function putAside(store: LogStore, name: string, rows: LoadedRoom['quarantined']): Promise<boolean> {
  try {
    await store.quarantine(name, rows)
    return true
  } catch {
    return false
  }
}

type Built = { doc: Y.Doc; waiting: LogRow[] } | { culprit: LogRow; reason: string }

function build(snapshot: LogRow | null, rows: readonly LogRow[]): Built {
  const doc = new Y.Doc({ gc: true, guid: DOCUMENT_GUID })
  forgetTransactions(doc)
  let waiting: LogRow[] = snapshot ? [snapshot, ...rows] : [...rows]
  for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
    before = waiting.length
    const held: LogRow[] = []
    for (const row of waiting) {
      const outcome = applyRow(doc, row)
      if (outcome === 'gap') held.push(row)
      else if (outcome !== 'applied') {
        doc.destroy()
        return { culprit: row, reason: outcome.reason }
      }
    }
    waiting = held
  }
  if (snapshot && waiting.includes(snapshot)) return { culprit: snapshot, reason: 'it has a gap' }
  return { doc, waiting }
}

/** Applies what is already durable, or says why that cannot be. */
export function applyRow(doc: Y.Doc, { update }: LogRow): 'applied' | 'gap' | { reason: string } {
  try {
    if (findGap(doc, decodeUpdate(update))) return 'gap'
    Y.applyUpdate(doc, update, 'log')
    return 'applied'
  } catch (error) {
    if (error instanceof ParleyError) return { reason: error.message }
    return { reason: `cannot be applied: ${error instanceof Error ? error.message : String(error)}` }
  }
}
