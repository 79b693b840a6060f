import { forgetTransactions } from '@parley/core'
import * as Y from 'yjs'
import { ServerError } from '../errors.js'
import type { LogRow, LogStore, StoredRoom } from '../log/logStore.js'
import { applyRowInSlices, type Effort } from './applyRow.js'
import { createSlices, type Slices } from './slices.js'

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
  /** How many steps the document took to integrate, see `checkIntegration` of the core. */
  readonly steps: number
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
 * unreadable is an error, never an empty document. So is a room whose snapshot takes too many steps to integrate. The event loop
 * goes on meanwhile: however large the room is, it is built in slices of about 10 milliseconds.
 *
 * @throws ServerError with code `store-unavailable` or `store-damaged`
 */
export async function loadRoom(store: LogStore, name: string): Promise<LoadedRoom> {
  const { epoch, version, snapshot, rows, damaged } = await store.load(name)
  const quarantined = [...damaged]
  const slices = createSlices()
  let built = await build(snapshot, rows, slices)
  while ('culprit' in built) {
    const { culprit, reason } = built
    if (culprit === snapshot) {
      throw new ServerError('store-damaged', `The snapshot of a room cannot be applied: ${reason}`)
    }
    quarantined.push({ version: culprit.version, reason })
    // Anew, for what threw may have changed half of the document.
    built = await build(snapshot, withoutThose(rows, quarantined), slices)
  }
  quarantined.push(...built.refused)
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
    rows: withoutThose(rows, quarantined),
    epoch,
    version,
    snapshotVersion: snapshot?.version ?? 0,
    snapshotBytes: snapshot?.update.byteLength ?? 0,
    rowCount: rows.length,
    rowBytes,
    steps: built.steps,
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

function withoutThose(rows: readonly LogRow[], bad: ReadonlyArray<{ version: number }>): LogRow[] {
  const versions = new Set(bad.map(({ version }) => version))
  return rows.filter(({ version }) => !versions.has(version))
}

type Built =
  | { doc: Y.Doc; waiting: LogRow[]; steps: number; refused: Array<{ version: number; reason: string }> }
  | { culprit: LogRow; reason: string }

async function build(snapshot: LogRow | null, rows: readonly LogRow[], slices: Slices): Promise<Built> {
  const doc = new Y.Doc({ gc: true, guid: DOCUMENT_GUID })
  forgetTransactions(doc)
  const effort: Effort = { steps: 0 }
  /** Rows that were refused before anything of them was applied. */
  const refused: Array<{ version: number; reason: string }> = []
  let waiting: LogRow[] = snapshot ? [snapshot, ...rows] : [...rows]
  for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
    before = waiting.length
    const held: LogRow[] = []
    for (const row of waiting) {
      const outcome = await applyRowInSlices(doc, row, effort, slices)
      if (outcome === 'gap') held.push(row)
      else if (outcome !== 'applied' && outcome.isClean && row !== snapshot) {
        refused.push({ version: row.version, reason: outcome.reason })
      } else if (outcome !== 'applied') {
        doc.destroy()
        return { culprit: row, reason: outcome.reason }
      }
      const paused = slices()
      if (paused) await paused
    }
    waiting = held
  }
  if (snapshot && waiting.includes(snapshot)) return { culprit: snapshot, reason: 'it has a gap' }
  return { doc, waiting, steps: effort.steps, refused }
}
