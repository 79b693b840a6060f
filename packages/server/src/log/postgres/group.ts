import { drawWriter } from '../drawWriter.js'
import type { Outcome } from '../groupCommit.js'
import type { LogRow, OwnAppend, RoomWriterState } from '../logStore.js'
import { encodeValue } from '../rowCodec.js'
import { encodeName, rowKey, valueKey } from './names.js'

/** What waits to be written. */
export type Job =
  | { readonly kind: 'append'; readonly room: string; readonly name: Buffer; readonly value: Buffer }
  | { readonly kind: 'own'; readonly room: string; readonly name: Buffer; readonly own: OwnAppend }
  | { readonly kind: 'values'; readonly values: readonly ValueChange[] }

/** A value to be written, or removed if it is `null`. */
export interface ValueChange {
  readonly scope: Buffer
  readonly name: Buffer
  readonly value: Buffer | null
  /** The same for the same value, and for no other. */
  readonly key: string
}

/** A row, nothing, or why there is none. */
export type JobOutcome = Outcome<LogRow | null>

/** What is known of the server's own writing in a room. */
export interface RoomWriter {
  /** How often it wrote; 0 for a room that it did not write in. */
  readonly turn: number
  /** As whom it goes on, if it may. */
  readonly state: RoomWriterState | null
}

/** What is known before jobs are put together. */
export interface Known {
  readonly writers: ReadonlyMap<string, RoomWriter>
  /** Values beside the logs, by their key. */
  readonly values: ReadonlyMap<string, Uint8Array>
}

/** What is to be written in a room. */
export interface RoomPart {
  readonly room: string
  readonly name: Buffer
  readonly rows: Buffer[]
  readonly before: RoomWriter
  /** As of after the group; `null` if the server does not write in the room now. */
  after: RoomWriterState | null
  /** What becomes of the jobs if the room is written, given its version before. */
  readonly jobs: Map<Job, (base: number) => JobOutcome>
}

/** Jobs that are written with one statement. */
export interface Group {
  readonly rooms: readonly RoomPart[]
  readonly values: ReadonlyArray<ValueChange & { readonly room: string | null }>
  /** What becomes of jobs of no room, or of a room in which nothing is to be written. */
  readonly others: ReadonlyMap<Job, JobOutcome>
  /** Jobs that must wait for the others to be written. */
  readonly later: ReadonlySet<Job>
}

/** The key of a value. */
export const keyOf = (scope: string, name: string): string => `${scope.length}/${valueKey(scope, name)}`

/** Puts jobs together to one statement. */
export function composeGroup(jobs: readonly Job[], known: Known): Group {
  const parts = new Map<string, RoomPart>()
  const values = new Map<string, ValueChange & { readonly room: string | null }>()
  const written = new Map<string, Uint8Array | null>()
  const others = new Map<Job, JobOutcome>()

  const partOf = ({ room, name }: { room: string; name: Buffer }): RoomPart => {
    const before = known.writers.get(room) ?? { turn: 0, state: null }
    const part = parts.get(room) ?? { room, name, rows: [], before, after: null, jobs: new Map() }
    parts.set(room, part)
    return part
  }
  const put = (part: RoomPart, job: Job, value: Buffer, update: Uint8Array): void => {
    const number = part.rows.push(value)
    part.jobs.set(job, (base) => ({ version: base + number, update }))
  }
  /** The values a job wants to see, as those before it left them. */
  const valuesFor = (room: string, names: readonly string[]): Map<string, Uint8Array> => {
    const seen = new Map<string, Uint8Array>()
    for (const name of names) {
      const key = keyOf(`room:${room}`, name)
      const value = written.has(key) ? written.get(key) : known.values.get(key)
      if (value) seen.set(name, value)
    }
    return seen
  }
  const compose = (job: Job & { kind: 'own' }): void => {
    const part = partOf(job)
    const { room, own } = job
    const writer = part.after ?? part.before.state ?? drawWriter()
    const composed = own.compose(writer, valuesFor(room, own.reads ?? []))
    if (!composed) {
      part.jobs.set(job, () => null)
      return
    }
    const { update, clocks } = composed
    const scope = `room:${room}`
    const changes = encodeValues(scope, composed.values ?? new Map())
    put(part, job, toBuffer(encodeValue(rowKey(room), update)), update)
    part.after = { client: writer.client, clock: writer.clock + clocks }
    for (const change of changes) values.set(change.key, { ...change, room })
    for (const [name, value] of composed.values ?? []) written.set(keyOf(scope, name), value)
  }

  let later: readonly Job[] = []
  for (const [index, job] of jobs.entries()) {
    if (job.kind === 'values') {
      // What is written whatever becomes of a room cannot be the same value as what is written with it.
      if (job.values.some(({ key }) => typeof values.get(key)?.room === 'string')) {
        later = jobs.slice(index)
        break
      }
      for (const change of job.values) values.set(change.key, { ...change, room: null })
      others.set(job, null)
    } else if (job.kind === 'append') put(partOf(job), job, job.value, NOTHING)
    else {
      try {
        compose(job)
      } catch (error) {
        partOf(job).jobs.set(job, () => ({ error }))
      }
    }
  }

  const rooms = [...parts.values()].filter(({ rows }) => rows.length > 0)
  for (const { rows, jobs: own } of parts.values()) {
    if (rows.length === 0) for (const [job, outcome] of own) others.set(job, outcome(0))
  }
  return { rooms, values: [...values.values()], others, later: new Set(later) }
}

/** Nobody asks an append for the update it was given. */
const NOTHING: Uint8Array = new Uint8Array()

/** Values of a scope as they are stored. */
export function encodeValues(scope: string, values: ReadonlyMap<string, Uint8Array | null>): ValueChange[] {
  const scopeName = encodeName(scope)
  return [...values].map(([name, value]) => ({
    scope: scopeName,
    name: encodeName(name),
    value: value && toBuffer(encodeValue(valueKey(scope, name), value)),
    key: keyOf(scope, name),
  }))
}

/** The same bytes as a Buffer. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
