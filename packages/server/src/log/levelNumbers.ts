import type { ServerError } from '../errors.js'
import type { Level, LevelChange, LevelDatabase } from './levelDatabase.js'
import type { RoomKeys } from './levelKeys.js'
import { numbersOf } from './levelRoom.js'
import { NEW_ROOM, type RoomMeta } from './roomMeta.js'

/** What is stored of a room's numbers, or why they cannot be read. */
export type StoredNumbers = RoomMeta | ServerError

/**
 * The numbers of rooms that were asked for, as they are stored. A row would otherwise cost a way to LevelDB's threads and
 * back before it is written, and an answer that is kept beside the log one to see if it is right still.
 */
export interface RecentNumbers {
  /** The numbers of rooms by the keys they lie under, read where they are not known. Not to be changed. */
  read: (rooms: Iterable<RoomKeys>) => Promise<ReadonlyMap<string, StoredNumbers>>
  /** The numbers of a room if they are known, those of a new one if it is known that there is none. Not to be changed. */
  find: (room: RoomKeys) => RoomMeta | undefined
  /** How often anything was written, or may have been. */
  readonly writes: number
  /** Takes in that there is no such room, unless something was written since there were so many {@link RecentNumbers.writes}. */
  noteAbsent: (room: RoomKeys, writes: number) => void
  /** Takes in what was written. */
  keep: (numbers: ReadonlyMap<string, RoomMeta>) => void
  /** Lets go of what was written beside the appends. */
  forget: (changes: readonly LevelChange[]) => void
  /** Lets go of everything: a write failed, and what is stored now is not known. */
  clear: () => void
}

/** A few MB; LevelDB itself answers for rooms that are not among them. */
const MAX_ROOMS = 20_000
/**
 * Rooms that do not exist are few: those of users who are about to begin. Anybody may ask for more, so they have a place of
 * their own.
 */
const MAX_ABSENT = 1_000

/** Creates {@link RecentNumbers} about which nothing is known yet. */
export function createRecentNumbers(database: LevelDatabase): RecentNumbers {
  /** By their keys, the ones known longest first: kept in the order of use, the map would be written anew all the time. */
  const known = new Map<string, RoomMeta>()
  /** By their keys. To find out that there is nothing of a room takes several looks at LevelDB. */
  const absent = new Set<string>()
  /** What is read while something is written may be from before it. */
  let writes = 0
  const find = ({ meta }: RoomKeys): RoomMeta | undefined =>
    known.get(meta) ?? (absent.has(meta) ? NEW_ROOM : undefined)
  const remember = (numbers: ReadonlyMap<string, StoredNumbers>): void => {
    for (const [key, meta] of numbers) {
      if ('code' in meta) continue
      if (meta.version > 0) known.set(key, meta)
      else if (meta === NEW_ROOM) absent.add(key)
    }
    shrink(known, MAX_ROOMS)
    shrink(absent, MAX_ABSENT)
  }

  return {
    async read(rooms) {
      const numbers = new Map<string, StoredNumbers>()
      const unknown: RoomKeys[] = []
      for (const keys of rooms) {
        const meta = find(keys)
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
    find,
    get writes() {
      return writes
    },
    noteAbsent({ meta }, before) {
      if (before === writes) remember(new Map([[meta, NEW_ROOM]]))
    },
    keep(numbers) {
      writes++
      for (const key of numbers.keys()) absent.delete(key)
      remember(numbers)
    },
    forget(changes) {
      writes++
      for (const { key } of changes) {
        known.delete(key)
        absent.delete(key)
      }
    },
    clear() {
      writes++
      known.clear()
      absent.clear()
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

/** Lets go of what has been there longest. */
function shrink(entries: Map<string, unknown> | Set<string>, limit: number): void {
  if (entries.size <= limit) return
  for (const key of entries.keys()) {
    entries.delete(key)
    if (entries.size <= limit) return
  }
}
