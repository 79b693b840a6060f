import { ServerError } from '../errors.js'
import { damaged } from './damaged.js'
import { drawWriter } from './drawWriter.js'
import type { LevelChange, LevelDatabase } from './levelDatabase.js'
import { type RoomKeys, valueKey } from './levelKeys.js'
import type { RecentNumbers } from './levelNumbers.js'
import { readValues, valueChanges } from './levelValues.js'
import type { Composed, LogRow, OwnAppend } from './logStore.js'
import { encodeMeta, type RoomMeta } from './roomMeta.js'
import { encodeValue } from './rowCodec.js'

/** Something that is written together with others of its kind. */
export type AppendJob =
  | { readonly kind: 'append'; readonly keys: RoomKeys; readonly update: Uint8Array }
  | { readonly kind: 'own'; readonly keys: RoomKeys; readonly room: string; readonly own: OwnAppend }
  | { readonly kind: 'values'; readonly changes: readonly LevelChange[] }
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

  const compose = (room: string, own: OwnAppend, meta: RoomMeta): Composed | null => {
    const { client, clock } = meta.writer ?? drawWriter()
    const scope = `room:${room}` as const
    const seen = new Map<string, Uint8Array>()
    for (const name of own.reads ?? []) {
      const value = values.get(valueKey(scope, name))
      if (value) seen.set(name, value)
    }
    const composed = own.compose({ client, clock }, seen)
    if (!composed) return null
    meta.writer = { client, clock: clock + composed.clocks }
    for (const [name, value] of composed.values ?? []) values.set(valueKey(scope, name), value)
    changes.push(...valueChanges(scope, composed.values ?? new Map()))
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
        const composed = compose(job.room, job.own, meta)
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
  const values = new Map<string, Uint8Array | null>()
  const reads: Array<Promise<void>> = []
  for (const job of jobs) {
    if (job.kind !== 'own' || !job.own.reads?.length) continue
    const { reads: names } = job.own
    const scope = `room:${job.room}` as const
    reads.push(
      database.read(async (level) => {
        for (const [name, value] of await readValues(level, scope, names)) {
          values.set(valueKey(scope, name), value)
        }
      }),
    )
  }
  await Promise.all(reads)
  return values
}
