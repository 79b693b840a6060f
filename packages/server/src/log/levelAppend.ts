import { ServerError } from '../errors.js'
import { damaged } from './damaged.js'
import { drawWriter } from './drawWriter.js'
import type { Level, LevelChange } from './levelDatabase.js'
import { type RoomKeys, valueKey } from './levelKeys.js'
import { numbersOf } from './levelRoom.js'
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
}

/** Finds out what is to be written for jobs, one after the other. */
export async function planAppends(level: Level, jobs: readonly AppendJob[]): Promise<AppendPlan> {
  const rooms = new Map(jobs.flatMap((job) => ('keys' in job ? [[job.keys.meta, job.keys]] : [])))
  const metas = await readNumbersOfAll(level, [...rooms.values()])
  const values = await readWanted(level, jobs)
  const touched = new Map<string, RoomMeta>()
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
    const meta = metas.get(keys.meta)
    if (!meta || meta instanceof ServerError) return { error: meta ?? damaged(keys.meta, 'is missing') }
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
    touched.set(keys.meta, meta)
    return { version: meta.version, update }
  }

  const outcomes = jobs.map(plan)
  for (const [key, meta] of touched) changes.push({ type: 'put', key, value: encodeMeta(key, meta) })
  return { changes, outcomes }
}

/** Reads the numbers of rooms, by the keys they lie under. */
export async function readNumbersOfAll(
  level: Level,
  rooms: readonly RoomKeys[],
): Promise<Map<string, RoomMeta | ServerError>> {
  const stored = await level.getMany(rooms.map(({ meta }) => meta))
  const metas = rooms.map(
    async (keys, index) => [keys.meta, await numbersOf(level, keys, stored[index])] as const,
  )
  return new Map(await Promise.all(metas))
}

/** Reads the values that jobs want to see, by their keys. In the course of a plan they become what it writes. */
async function readWanted(level: Level, jobs: readonly AppendJob[]): Promise<Map<string, Uint8Array | null>> {
  const values = new Map<string, Uint8Array | null>()
  const reads = jobs.map(async (job) => {
    if (job.kind !== 'own' || !job.own.reads?.length) return
    const scope = `room:${job.room}` as const
    for (const [name, value] of await readValues(level, scope, job.own.reads)) {
      values.set(valueKey(scope, name), value)
    }
  })
  await Promise.all(reads)
  return values
}
