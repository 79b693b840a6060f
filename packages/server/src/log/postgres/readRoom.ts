import { damaged } from '../damaged.js'
import type { DamagedRow, LogRow, Remains, StoredRoom } from '../logStore.js'
import { decodeValue } from '../rowCodec.js'
import type { PostgresDatabase } from './database.js'
import { encodeName, rowKey, snapshotKey } from './names.js'
import { LOAD } from './statements.js'

/** A row of the answer to `LOAD`: the room's numbers, its snapshot, or one of its rows. */
interface LoadedPart {
  readonly part: 0 | 1 | 2
  readonly version: number
  readonly epoch: number
  readonly bytes: Uint8Array | null
}

/**
 * Reads a room as `LogStore.load` has it.
 *
 * @throws ServerError with code `store-damaged`
 */
export async function loadRoom(database: PostgresDatabase, room: string, after: number): Promise<StoredRoom> {
  const { snapshotDamage, numbersDamage: _, ...stored } = await readRemains(database, room, after)
  // Without it the rows are not the document. Nothing is served until somebody has looked.
  if (snapshotDamage !== null) throw damaged(`the snapshot of ${room}`, snapshotDamage)
  return stored
}

/** Reads a room as `LogStore.examine` has it, with one statement; after a version only what came since. */
export async function readRemains(database: PostgresDatabase, room: string, after: number): Promise<Remains> {
  const parts = await database.read<LoadedPart>(LOAD, [encodeName(room), after])
  let snapshot: LogRow | null = null
  let snapshotDamage: string | null = null
  const rows: LogRow[] = []
  const bad: DamagedRow[] = []
  for (const { part, version, bytes } of parts) {
    if (part === 0) continue
    const key = part === 1 ? snapshotKey(room, version) : rowKey(room)
    const update = bytes ? decodeValue(key, bytes) : { damage: 'is missing' }
    if (update instanceof Uint8Array) {
      if (part === 1) snapshot = { version, update }
      else rows.push({ version, update })
    } else if (part === 1) snapshotDamage = update.damage
    else bad.push({ version, reason: update.damage })
  }
  const [numbers] = parts
  return {
    epoch: numbers?.epoch ?? 0,
    version: numbers?.version ?? 0,
    snapshot,
    rows,
    damaged: bad,
    snapshotDamage,
    // They are columns of their own, which PostgreSQL itself reads.
    numbersDamage: null,
  }
}
