import { ServerError } from '../../errors.js'
import { createGroupCommit, type GroupCommit } from '../groupCommit.js'
import type { LogRow, WrittenBatch } from '../logStore.js'
import { NotDone, type PostgresDatabase } from './database.js'
import {
  composeGroup,
  type Group,
  type Job,
  type JobOutcome,
  keyOf,
  type RoomPart,
  type RoomWriter,
} from './group.js'
import { groupStatement } from './groupStatement.js'
import { decodeName, encodeName } from './names.js'
import { READ_SCOPED_VALUES, READ_WRITERS } from './statements.js'
import { decodeValues, type StoredValue } from './storedValues.js'

/** Writes what many callers bring, in groups. */
export interface GroupWriter {
  /** @throws ServerError, or what composing the update throws */
  add: (job: Job) => Promise<LogRow | null>
  /** Called where the writer of a room was changed by something else. */
  forget: (room: string) => void
  /** Settles when all that was added so far is done. */
  idle: () => Promise<void>
}

type OwnJob = Job & { kind: 'own' }

/** A row of the answer to `READ_WRITERS`. */
interface FoundWriter {
  readonly room: Uint8Array
  readonly turn: number
  readonly client: number | null
  readonly clock: number | null
}

/** A row of the answer to `WRITE_GROUP`: which room of the group was written, from 1, and its version before. */
interface WrittenRoom {
  readonly place: number
  readonly base: number
}

/** One statement carries the bytes of its group as one parameter. */
const MAX_GROUP_BYTES = 16 * 1024 * 1024
/** What a job weighs beside its bytes; what the server itself writes is a message or a few, composed later. */
const JOB_BYTES = 1024
/** How many rooms' writers are remembered; those of others are read again. */
const KNOWN_WRITERS = 20_000
/** How often in a row another node may have been faster in all of a group's rooms. */
const MAX_VAIN_ATTEMPTS = 20

/** Creates a {@link GroupWriter}: all rooms share one statement, except those that made one fail. */
export function createGroupWriter(
  database: PostgresDatabase,
  onBatch?: (batch: WrittenBatch) => void,
): GroupWriter {
  const writers = new Map<string, RoomWriter>()
  /** Rooms that somebody else holds: each waits by itself, so that the others need not. */
  const held = new Map<string, GroupCommit<Job, LogRow | null>>()

  const remember = (room: string, writer: RoomWriter): void => {
    writers.delete(room)
    writers.set(room, writer)
    for (const oldest of writers.keys()) {
      if (writers.size <= KNOWN_WRITERS) break
      writers.delete(oldest)
    }
  }
  const readWriters = async (jobs: readonly OwnJob[]): Promise<void> => {
    const names = new Map(jobs.filter(({ room }) => !writers.has(room)).map(({ room, name }) => [room, name]))
    if (names.size === 0) return
    for (const room of names.keys()) remember(room, { turn: 0, state: null })
    const found = await database.read<FoundWriter>(READ_WRITERS, [[...names.values()]])
    for (const { room, turn, client, clock } of found) {
      const state = client === null || clock === null ? null : { client, clock }
      remember(decodeName(room), { turn, state })
    }
  }
  /** Not before the writers are read: what was written since moves a turn, and then the group leaves the room out. */
  const readValues = async (jobs: readonly OwnJob[]): Promise<Map<string, Uint8Array>> => {
    const scopes = jobs.flatMap(({ room, own }) => (own.reads ?? []).map(() => encodeName(`room:${room}`)))
    const names = jobs.flatMap(({ own }) => (own.reads ?? []).map(encodeName))
    if (names.length === 0) return new Map()
    const found = await database.read<StoredValue & { scope: Uint8Array }>(READ_SCOPED_VALUES, [
      scopes,
      names,
    ])
    return new Map(
      found.flatMap(({ scope: bytes, ...stored }) => {
        const scope = decodeName(bytes)
        return [...decodeValues(scope, [stored])].map(([name, value]) => [keyOf(scope, name), value] as const)
      }),
    )
  }

  /** Writes jobs with as few statements as it takes; what it throws is not about those that have an outcome by then. */
  const writeAll = async (jobs: readonly Job[], outcomes: Map<Job, JobOutcome>): Promise<void> => {
    let waiting = jobs
    for (let vain = 0; waiting.length > 0; ) {
      if (vain > MAX_VAIN_ATTEMPTS) {
        throw new ServerError(
          'store-unavailable',
          'Other nodes write in the same rooms and are always faster',
        )
      }
      const own = waiting.filter((job) => job.kind === 'own')
      await readWriters(own)
      const group = composeGroup(waiting, { writers, values: await readValues(own) })
      for (const [job, outcome] of group.others) outcomes.set(job, outcome)
      const before = outcomes.size
      for (const { place, base } of await write(group)) {
        const part = group.rooms[place - 1] as RoomPart
        for (const [job, outcome] of part.jobs) outcomes.set(job, outcome(base))
        if (part.after) remember(part.room, { turn: part.before.turn + 1, state: part.after })
      }
      vain = group.rooms.length === 0 || outcomes.size > before ? 0 : vain + 1
      waiting = waiting.filter((job) => !outcomes.has(job))
      // What is known of rooms that were left out is out of date.
      for (const job of waiting) if (job.kind === 'own' && !group.later.has(job)) writers.delete(job.room)
    }
  }

  const write = async (group: Group): Promise<WrittenRoom[]> => {
    const { rooms, values } = group
    if (rooms.length === 0 && values.length === 0) return []
    const written = await database.write<WrittenRoom>(...groupStatement(group))
    const updates = written.reduce((sum, { place }) => sum + (rooms[place - 1]?.rows.length ?? 0), 0)
    if (updates > 0) onBatch?.({ updates })
    return written
  }

  const writeBatch = async (jobs: readonly Job[]): Promise<JobOutcome[]> => {
    const outcomes = new Map<Job, JobOutcome>()
    await writeOrRefuse(jobs, outcomes)
    return jobs.map((job) => outcomes.get(job) as JobOutcome)
  }

  const writeOrRefuse = async (jobs: readonly Job[], outcomes: Map<Job, JobOutcome>): Promise<void> => {
    try {
      await writeAll(jobs, outcomes)
    } catch (error) {
      const rest = jobs.filter((job) => !outcomes.has(job))
      const byRoom = groupByRoom(rest)
      if (error instanceof NotDone && byRoom.size > 1) {
        // PostgreSQL refused all and says not for whose sake: each room is tried by itself.
        await Promise.all([...byRoom.values()].map((own) => writeOrRefuse(own, outcomes)))
        return
      }
      for (const job of rest) outcomes.set(job, { error })
      if (error instanceof NotDone) for (const room of byRoom.keys()) if (room !== null) hold(room)
    }
  }

  const createLane = (): GroupCommit<Job, LogRow | null> =>
    createGroupCommit<Job, LogRow | null>({
      write: writeBatch,
      joins: () => true,
      sizeOf,
      maxBatchSize: MAX_GROUP_BYTES,
    })
  const hold = (room: string): void => {
    if (!held.has(room)) held.set(room, createLane())
  }
  const shared = createLane()

  return {
    async add(job) {
      const room = roomOf(job)
      const lane = (room === null ? undefined : held.get(room)) ?? shared
      const row = await lane.add(job)
      if (room !== null && lane !== shared) held.delete(room)
      return row
    },
    forget: (room) => void writers.delete(room),
    async idle() {
      await Promise.all([shared, ...held.values()].map((lane) => lane.idle()))
    },
  }
}

function roomOf(job: Job): string | null {
  return job.kind === 'values' ? null : job.room
}

function groupByRoom(jobs: readonly Job[]): Map<string | null, Job[]> {
  const groups = new Map<string | null, Job[]>()
  for (const job of jobs) {
    const room = roomOf(job)
    const others = groups.get(room)
    if (others) others.push(job)
    else groups.set(room, [job])
  }
  return groups
}

function sizeOf(job: Job): number {
  if (job.kind === 'append') return JOB_BYTES + job.value.byteLength
  if (job.kind === 'own') return JOB_BYTES
  return job.values.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), JOB_BYTES)
}
