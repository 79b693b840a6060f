import pLimit from 'p-limit'
import { ServerError } from '../errors.js'
import { damaged } from './damaged.js'
import { drawWriter } from './drawWriter.js'
import type { Outcome } from './groupCommit.js'
import type { LevelChange, LevelDatabase } from './levelDatabase.js'
import type { RoomKeys } from './levelKeys.js'
import type { RecentNumbers } from './levelNumbers.js'
import { readValuesAt, valueChange } from './levelValues.js'
import type { Composed, LogRow, OwnAppend } from './logStore.js'
import { encodeMeta, type RoomMeta } from './roomMeta.js'
import { encodeValue } from './rowCodec.js'

/** Something that is written together with others of its kind. */
export type AppendJob =
  | { readonly kind: 'append'; readonly keys: RoomKeys; readonly update: Uint8Array }
  | {
      readonly kind: 'own'
      readonly keys: RoomKeys
      readonly own: OwnAppend
      /** Where the values lie that it reads. */
      readonly valueKeys: readonly string[]
    }
  | { readonly kind: 'values'; readonly changes: readonly LevelChange[] }
type OwnJob = Extract<AppendJob, { kind: 'own' }>
/** A row, nothing, or why there is no row: a room whose numbers are damaged must not fail the others of its batch. */
export type AppendOutcome = Outcome<LogRow | null>

/** What is to be written for jobs, and what each of them comes to once it is. */
export interface AppendPlan {
  readonly changes: readonly LevelChange[]
  readonly outcomes: readonly AppendOutcome[]
  /** The numbers of the rooms that are written to, by their keys, once it is written. */
  readonly numbers: ReadonlyMap<string, RoomMeta>
}

/** The values that so many jobs want to see are read in one go: each is a way to LevelDB's threads and back. */
const PLANNED_AT_ONCE = 256
/** So many of LevelDB's threads read for it at most; the others are left to those who wait for an answer. */
const READERS = 2

/**
 * Finds out what is to be written for jobs, one after the other.
 *
 * @param opening which opening of the store this is: a writer of another one is not continued
 */
export async function planAppends(
  database: LevelDatabase,
  recent: RecentNumbers,
  jobs: readonly AppendJob[],
  opening: string,
): Promise<AppendPlan> {
  const rooms = new Map<string, RoomKeys>()
  for (const job of jobs) if (job.kind !== 'values') rooms.set(job.keys.meta, job.keys)
  const stored = await recent.read(rooms.values())
  const values = new Map<string, Uint8Array | null>()
  const numbers = new Map<string, RoomMeta>()
  const changes: LevelChange[] = []

  const compose = ({ keys, own, valueKeys }: OwnJob, meta: RoomMeta): Composed | null => {
    // A copied or restored folder cannot be told from the original: the clocks that an earlier opening gave out may be
    // greater than what is stored here.
    const { client, clock } = meta.writer?.opening === opening ? meta.writer : drawWriter()
    const { reads = [] } = own
    const seen = new Map<string, Uint8Array>()
    for (const [index, name] of reads.entries()) {
      const value = values.get(valueKeys[index] as string)
      if (value) seen.set(name, value)
    }
    const composed = own.compose({ client, clock }, seen)
    if (!composed) return null
    meta.writer = { client, clock: clock + composed.clocks, opening }
    for (const [name, value] of composed.values ?? []) {
      const key = valueKeys[reads.indexOf(name)] ?? keys.value(name)
      values.set(key, value)
      changes.push(valueChange(key, value))
    }
    return composed
  }
  const plan = (job: AppendJob): AppendOutcome => {
    if (job.kind === 'values') {
      changes.push(...job.changes)
      return null
    }
    const { keys } = job
    const before = numbers.get(keys.meta) ?? stored.get(keys.meta)
    if (!before || before instanceof ServerError) return { error: before ?? damaged(keys.meta, 'is missing') }
    // A copy: what is known to be stored stays as it is until this is.
    const meta = { ...before }
    let update: Uint8Array
    if (job.kind === 'append') update = job.update
    else {
      try {
        const composed = compose(job, meta)
        if (!composed) return null
        update = composed.update
      } catch (error) {
        return { error }
      }
    }
    meta.version++
    const key = keys.row(meta.version)
    changes.push({ type: 'put', key, value: encodeValue(key, update) })
    numbers.set(keys.meta, meta)
    return { version: meta.version, update }
  }

  const outcomes: AppendOutcome[] = []
  for (const { part, reading } of readAhead(database, jobs)) {
    // One that an earlier job of the plan writes is not what is stored.
    for (const [key, value] of await reading) if (!values.has(key)) values.set(key, value)
    for (const job of part) outcomes.push(plan(job))
  }
  for (const [key, meta] of numbers) changes.push({ type: 'put', key, value: encodeMeta(key, meta) })
  return { changes, outcomes, numbers }
}

/** Jobs that are planned together, and the values that they want to see, by their keys. */
interface Part {
  readonly part: readonly AppendJob[]
  readonly reading: Promise<ReadonlyMap<string, Uint8Array>>
}

/** Begins to read what jobs want to see. LevelDB's threads read for the later ones while the earlier ones are planned. */
function readAhead(database: LevelDatabase, jobs: readonly AppendJob[]): Part[] {
  const limit = pLimit(READERS)
  const parts: Part[] = []
  for (let from = 0; from < jobs.length; from += PLANNED_AT_ONCE) {
    const part = jobs.slice(from, from + PLANNED_AT_ONCE)
    const keys = part.flatMap((job) => (job.kind === 'own' ? job.valueKeys : []))
    const reading =
      keys.length === 0
        ? Promise.resolve(new Map())
        : limit(() => database.read((level) => readValuesAt(level, keys)))
    // Whoever awaits it hears of it; of several that fail only the first is awaited.
    reading.catch(() => {})
    parts.push({ part, reading })
  }
  return parts
}
