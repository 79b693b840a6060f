import type { ServerError } from '../errors.js'
import type { Level, LevelChange, LevelDatabase } from './levelDatabase.js'
import type { RoomKeys } from './levelKeys.js'
import { numbersOf } from './levelRoom.js'
import type { RoomMeta } from './roomMeta.js'

/** What is stored of a room's numbers, or why they cannot be read. */
export type StoredNumbers = RoomMeta | ServerError

/**
 * The numbers of rooms that were asked for, as they are stored. A row would otherwise cost a way to LevelDB's threads and
 * back before it is written, and an answer that is kept beside the log one to see if it is right still.
 */
export interface RecentNumbers {
  /** The numbers of rooms by the keys they lie under, read where they are not known. Not to be changed. */
  read: (rooms: Iterable<RoomKeys>) => Promise<ReadonlyMap<string, StoredNumbers>>
  /** The numbers of a room if they are known. Not to be changed. */
  find: (room: RoomKeys) => RoomMeta | undefined
  /** Takes in what was written. */
  keep: (numbers: ReadonlyMap<string, RoomMeta>) => void
  /** Lets go of what was written beside the appends. */
  forget: (changes: readonly LevelChange[]) => void
  /** Lets go of everything: a write failed, and what is stored now is not known. */
  clear: () => void
}

/** A few MB; LevelDB itself answers for rooms that are not among them. */
const MAX_ROOMS = 20_000

/** Creates {@link RecentNumbers} about which nothing is known yet. */
export function createRecentNumbers(database: LevelDatabase): RecentNumbers {
  /** By their keys, the ones known longest first: kept in the order of use, the map would be written anew all the time. */
  const known = new Map<string, RoomMeta>()
  /** What is read while something is written may be from before it. */
  let writes = 0
  const remember = (numbers: ReadonlyMap<string, StoredNumbers>): void => {
    // Anybody may ask for rooms that do not exist, and they would take the place of those that do.
    for (const [key, meta] of numbers) if (!('code' in meta) && meta.version > 0) known.set(key, meta)
    if (known.size <= MAX_ROOMS) return
    for (const key of known.keys()) {
      known.delete(key)
      if (known.size <= MAX_ROOMS) return
    }
  }

  return {
    async read(rooms) {
      const numbers = new Map<string, StoredNumbers>()
      const unknown: RoomKeys[] = []
      for (const keys of rooms) {
        const meta = known.get(keys.meta)
        if (meta) numbers.set(keys.meta, meta)
        else unknown.push(keys)
      }
      if (unknown.length === 0) return numbers
      const before = writes
      const read = await database.read((level) => readNumbersOfAll(level, unknown))
      for (const [key, meta] of read) numbers.set(key, meta)
      if (before === writes) remember(read)
      return numbers
    },
    find: ({ meta }) => known.get(meta),
    keep(numbers) {
      writes++
      remember(numbers)
    },
    forget(changes) {
      writes++
      for (const { key } of changes) known.delete(key)
    },
    clear() {
      writes++
      known.clear()
    },
  }
}

/** Reads the numbers of rooms, by the keys they lie under. */
async function readNumbersOfAll(
  level: Level,
  rooms: readonly RoomKeys[],
): Promise<Map<string, StoredNumbers>> {
  const stored = await level.getMany(rooms.map(({ meta }) => meta))
  const metas = rooms.map(
    async (keys, index) => [keys.meta, await numbersOf(level, keys, stored[index])] as const,
  )
  return new Map(await Promise.all(metas))
}
