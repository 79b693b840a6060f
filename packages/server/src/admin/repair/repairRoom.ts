import { createStore } from '@parley/core'
import * as Y from 'yjs'
import type { LogRow, LogStore, Remains } from '../../log/logStore.js'
import { applyRow } from '../../room/applyRow.js'
import { DOCUMENT_GUID } from '../../room/loadRoom.js'
import { restorationOf } from './restoration.js'

/** What became of a room. `lost` if nothing of it can be read: it is left as it is, and not served. */
export type Repaired = 'repaired' | 'lost'

/**
 * Makes a room that can be served of what is sound of it, puts the rest into quarantine, and goes on above every version that
 * was ever given: clients are told everything anew, and send what they have and the room lacks.
 *
 * Without its snapshot most of a log builds on what is not there, and waits. What it says is written again by itself, so that
 * it shows; when a client brings what is missing, both say the same.
 *
 * @param now the time in milliseconds since 1970
 */
export async function repairRoom(store: LogStore, room: string, now: number): Promise<Repaired> {
  const values = await store.values.list(`room:${room}`, { prefix: '' })
  const remains = await store.examine(room)
  const { state, rows } = salvage(room, remains)
  // An empty room in the place of one that is damaged would be taken for the truth.
  if (state === null && !isSound(remains)) return 'lost'
  const bad = remains.damaged
  if (bad.length > 0) await store.quarantine(room, bad)
  const snapshot = state && { version: remains.version, update: state }
  const restoration = await restorationOf(room, { ...remains, snapshot, rows }, values, now)
  await store.restore(room, restoration)
  return 'repaired'
}

/** True for what is empty because nothing was ever said in it. */
function isSound({ snapshot, rows, damaged, snapshotDamage, numbersDamage }: Remains): boolean {
  const isThere = snapshot !== null || rows.length > 0
  return isThere && damaged.length === 0 && snapshotDamage === null && numbersDamage === null
}

/** The document that sound rows make, `null` if none, and the rows that are to be kept beside it. */
function salvage(room: string, { snapshot, rows }: Remains): { state: Uint8Array | null; rows: LogRow[] } {
  const doc = new Y.Doc({ guid: DOCUMENT_GUID })
  const store = createStore({ userId: room, doc })
  try {
    let waiting = snapshot ? [snapshot, ...rows] : [...rows]
    const broken: LogRow[] = []
    for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
      before = waiting.length
      waiting = waiting.filter((row) => {
        const outcome = applyRow(doc, row)
        if (typeof outcome === 'object') broken.push(row)
        return outcome === 'gap'
      })
    }
    for (const { update } of waiting) store.applyUpdate(update)
    store.salvage()
    const isEmpty = doc.store.clients.size === 0
    // What cannot be applied stays a row until it is put aside by whoever loads the room.
    return { state: isEmpty ? null : Y.encodeStateAsUpdate(doc), rows: [...waiting, ...broken] }
  } finally {
    store.close()
    doc.destroy()
  }
}
