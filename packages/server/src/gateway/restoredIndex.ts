import type { LogRow } from '../log/logStore.js'
import { createMemoryLog } from '../log/memoryLog.js'
import { encodeIndex, INDEX_VALUE, loadIndex } from './indexKeeper.js'

/** A room as it was stored, from a backup or as far as it can be read. */
export interface EarlierRoom {
  readonly epoch: number
  readonly version: number
  readonly snapshot: LogRow | null
  readonly rows: readonly LogRow[]
}

/**
 * The values to store with a room that goes on at `version`: its version index has everything changed there, and knows none
 * of the versions that were given between what is restored and that one, nor what they stood for.
 *
 * @param stored the index as it was stored with the room, if it was
 */
export async function restoredIndex(
  room: string,
  earlier: EarlierRoom,
  stored: Uint8Array | undefined,
  version: number,
): Promise<Map<string, Uint8Array | null>> {
  const scratch = createMemoryLog()
  const values = new Map(stored ? [[INDEX_VALUE, stored]] : [])
  await scratch.restore(room, { ...earlier, values })
  try {
    const { index } = await loadIndex(scratch, room, () => {})
    index.restored(version)
    return new Map([[INDEX_VALUE, encodeIndex(index)]])
  } finally {
    await scratch.close()
  }
}
