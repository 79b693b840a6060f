import { INDEX_VALUE } from '../../gateway/indexKeeper.js'
import { type EarlierRoom, restoredIndex } from '../../gateway/restoredIndex.js'
import { COPY_NAME } from '../../log/copies.js'
import type { Restoration } from '../../log/logStore.js'

/** A Yjs update without insertions and deletions. */
const EMPTY_UPDATE = new Uint8Array([0, 0])
/**
 * Versions go on at the time in milliseconds times this. A log that gets fewer rows than that in a millisecond has always
 * been below, whichever backup it came from and however often; until the year 2248 the result is below 2^53.
 */
const VERSIONS_PER_MS = 1024
/** Where the clock is wrong, versions go on by so many: as many as a log gets in a long time. */
const LEAST_STEP = 2 ** 32

/** A version that is above every one that was ever given for a log of which `known` is the last one known. */
export function versionAfterRestore(known: number, now: number): number {
  return Math.max(now * VERSIONS_PER_MS, known + LEAST_STEP)
}

/**
 * How a room goes on that is not what it was last: from a backup, or with parts of it damaged. Its rows get new numbers, up to
 * the version it goes on at, so that none is missing among them.
 *
 * @param values its values as they were stored
 */
export async function restorationOf(
  room: string,
  earlier: EarlierRoom,
  values: ReadonlyMap<string, Uint8Array>,
  now: number,
): Promise<Restoration> {
  const version = versionAfterRestore(earlier.version, now)
  const first = version - earlier.rows.length
  const index = await restoredIndex(room, earlier, values.get(INDEX_VALUE), version).catch(
    // The room cannot be loaded, and says so when it is; its index is of no use then.
    () => new Map([[INDEX_VALUE, null]]),
  )
  return {
    epoch: earlier.epoch,
    version,
    snapshot: { version: first, update: earlier.snapshot?.update ?? EMPTY_UPDATE },
    rows: earlier.rows.map(({ update }, n) => ({ version: first + 1 + n, update })),
    values: new Map([...values, ...index, [COPY_NAME, null]]),
  }
}
