import type { LevelChange, LevelDatabase } from './levelDatabase.js'
import { ALL_UNERASED, type KeyRange, rangeNameOf, rangeOf, unerasedKey, unerasedName } from './levelKeys.js'
import { encodeValue } from './rowCodec.js'

/** Gets what was deleted or replaced out of the files of a LevelDB. */
export interface LevelEraser {
  /** Notes what changes delete or replace; returns them with the note that there is something to erase. */
  note: (changes: readonly LevelChange[]) => readonly LevelChange[]
  /** Erases what was noted before the call. */
  run: () => Promise<void>
}

export interface LevelEraserOptions {
  database: LevelDatabase
  /** Does something while nothing is written. */
  alone: (work: () => Promise<LevelChange[]>) => Promise<void>
}

/** So many ranges that lie next to each other are rewritten together. */
const CHUNK_SIZE = 64
/** The kind of keys that are written over. */
const REPLACED = 'value'

/**
 * Creates a {@link LevelEraser}.
 *
 * LevelDB lets go of what was deleted when it rewrites a file together with a newer one that says so. Two things keep it from
 * that: what was written and deleted before it left memory lies in one file, deletion and all, and a range that is all in the
 * last level is not rewritten on request. So memory is written out first; then the ends of each range are written, and with
 * them there is a newer file over all of it.
 */
export async function createLevelEraser(options: LevelEraserOptions): Promise<LevelEraser> {
  const { database, alone } = options
  // Written down with what is deleted, for a process may end before it has erased that.
  const written = await database.read((level) => level.keys(ALL_UNERASED).all())
  /** The names of ranges. */
  const noted = new Set(written.map(unerasedName))
  let running: Promise<void> = Promise.resolve()

  /** Writes files anew that hold anything of ranges, which are in order. */
  const rewrite = async (ranges: readonly KeyRange[]): Promise<void> => {
    const ends = ranges.flatMap(endsOf).sort()
    const [first, last] = [ends[0], ends.at(-1)]
    if (first === undefined || last === undefined) return
    await alone(async () =>
      ends.map((key) => ({ type: 'put', key, value: encodeValue(key, new Uint8Array()) })),
    )
    await database.read((level) => level.compactRange(first, last))
    await alone(async () => ends.map(deletion))
  }

  const run = async (): Promise<void> => {
    const names = [...noted]
    if (names.length === 0) return
    for (const name of names) noted.delete(name)
    try {
      // Who began to read before the deletion holds on to what was deleted.
      await database.settled()
      await database.read((level) => level.compactRange(ALL_UNERASED.gte, ALL_UNERASED.gte))
      const ranges = names.map(rangeOf).sort((a, b) => (a.gte < b.gte ? -1 : 1))
      for (let from = 0; from < ranges.length; from += CHUNK_SIZE) {
        await rewrite(ranges.slice(from, from + CHUNK_SIZE))
      }
      await alone(async () => {
        // Files that somebody still read from are then gone too.
        await database.renew()
        return names.filter((name) => !noted.has(name)).map((name) => deletion(unerasedKey(name)))
      })
    } catch (error) {
      for (const name of names) noted.add(name)
      throw error
    }
  }

  return {
    note(changes) {
      const notes: LevelChange[] = []
      for (const change of changes) {
        // First, for most changes are new rows.
        if (change.type === 'put' && !change.key.startsWith(`${REPLACED}/`)) continue
        const name = rangeNameOf(change.key)
        if (name === null || noted.has(name)) continue
        noted.add(name)
        const key = unerasedKey(name)
        notes.push({ type: 'put', key, value: encodeValue(key, new Uint8Array()) })
      }
      return notes.length > 0 ? [...changes, ...notes] : changes
    },
    run() {
      running = running.catch(() => {}).then(run)
      return running
    },
  }
}

function deletion(key: string): LevelChange {
  return { type: 'del', key }
}

/** Keys just outside of a range. `.` comes before the slash, and a key without one is of no room. */
function endsOf({ gte, lt }: KeyRange): [string, string] {
  return [`${gte.slice(0, -1)}.`, lt]
}
