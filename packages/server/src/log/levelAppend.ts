import { ServerError } from '../errors.js'
import { damaged } from './damaged.js'
import { drawWriter } from './drawWriter.js'
import type { LevelChange, LevelDatabase } from './levelDatabase.js'
import { type RoomKeys, valueKey } from './levelKeys.js'
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
      readonly room: string
      readonly own: OwnAppend
      /** Where the values lie that it reads. */
      readonly valueKeys: readonly string[]
    }
  | { readonly kind: 'values'; readonly changes: readonly LevelChange[] }
type OwnJob = Extract<AppendJob, { kind: 'own' }>
/** A row, nothing, or why there is no row: a room whose numbers are damaged must not fail the others of its batch. */
export type Outcome = LogRow | null | { readonly error: unknown }

/** What is to be written for jobs, and what each of them comes to once it is. */
export interface AppendPlan {
  readonly changes: readonly LevelChange[]
  readonly outcomes: readonly Outcome[]
  /** The numbers of the rooms that are written to, by their keys, once it is written. */
  readonly numbers: ReadonlyMap<string, RoomMeta>
}

/** Finds out what is to be written for jobs, one after the other. */
export async function planAppends(
  database: LevelDatabase,
  recent: RecentNumbers,
  jobs: readonly AppendJob[],
): Promise<AppendPlan> {
  const rooms = new Map<string, RoomKeys>()
  for (const job of jobs) if (job.kind !== 'values') rooms.set(job.keys.meta, job.keys)
  const stored = await recent.read(rooms.values())
  const values = await readWanted(database, jobs)
  const numbers = new Map<string, RoomMeta>()
  const changes: LevelChange[] = []

  const compose = ({ room, own, valueKeys }: OwnJob, meta: RoomMeta): Composed | null => {
    const { client, clock } = meta.writer ?? drawWriter()
    const { reads = [] } = own
    const seen = new Map<string, Uint8Array>()
    for (const [index, name] of reads.entries()) {
      const value = values.get(valueKeys[index] as string)
      if (value) seen.set(name, value)
    }
    const composed = own.compose({ client, clock }, seen)
    if (!composed) return null
    meta.writer = { client, clock: clock + composed.clocks }
    for (const [name, value] of composed.values ?? []) {
      const key = valueKeys[reads.indexOf(name)] ?? valueKey(`room:${room}`, name)
      values.set(key, value)
      changes.push(valueChange(key, value))
    }
    return composed
  }
  const plan = (job: AppendJob): Outcome => {
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

  const outcomes = jobs.map(plan)
  for (const [key, meta] of numbers) changes.push({ type: 'put', key, value: encodeMeta(key, meta) })
  return { changes, outcomes, numbers }
}

/** Reads the values that jobs want to see, by their keys. In the course of a plan they become what it writes. */
async function readWanted(
  database: LevelDatabase,
  jobs: readonly AppendJob[],
): Promise<Map<string, Uint8Array | null>> {
  const keys = jobs.flatMap((job) => (job.kind === 'own' ? job.valueKeys : []))
  // All at once: each call is a way to LevelDB's threads and back.
  return keys.length === 0 ? new Map() : database.read((level) => readValuesAt(level, keys))
}
