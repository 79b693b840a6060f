import * as Y from 'yjs'
import type { LogPosition } from './comparison.js'

/** What a server is known to have: kept on disk, so that after a reload without a network the status is still honest. */
export interface ConfirmedState {
  readonly url: string
  /** A Yjs snapshot: insertions and deletions, for a state vector does not move with a deletion. */
  readonly snapshot: Uint8Array
  /** How far its log went; less than that at the next connection means that it was rolled back. */
  readonly position: LogPosition
}

/** Describes a document all of which the server at `url` has. */
export function describeConfirmed(doc: Y.Doc, url: string, position: LogPosition): ConfirmedState {
  return { url, snapshot: Y.encodeSnapshot(Y.snapshot(doc)), position }
}

/** How far the log of the server at `url` went according to a note, `null` if it does not say. */
export function confirmedPosition(url: string, note: unknown): LogPosition | null {
  const { url: noted, position } = (note ?? {}) as Partial<ConfirmedState>
  if (noted !== url || !Number.isSafeInteger(position?.version) || !Number.isSafeInteger(position?.epoch))
    return null
  return position ?? null
}

/** True if a note says that the server at `url` has everything that is in the document. */
export function isConfirmed(doc: Y.Doc, url: string, note: unknown): boolean {
  const { url: noted, snapshot } = (note ?? {}) as Partial<ConfirmedState>
  if (noted !== url || !(snapshot instanceof Uint8Array)) return false
  try {
    return covers(Y.decodeSnapshot(snapshot), Y.snapshot(doc))
  } catch {
    return false
  }
}

function covers(greater: Y.Snapshot, lesser: Y.Snapshot): boolean {
  for (const [client, clock] of lesser.sv) {
    if ((greater.sv.get(client) ?? 0) < clock) return false
  }
  for (const [client, ranges] of lesser.ds.clients) {
    const known = greater.ds.clients.get(client) ?? []
    for (const { clock, len } of ranges) {
      if (!known.some((range) => range.clock <= clock && clock + len <= range.clock + range.len)) return false
    }
  }
  return true
}
