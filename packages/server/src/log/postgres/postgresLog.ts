import { ServerError } from '../../errors.js'
import { type Logger, silentLogger } from '../../logger.js'
import type { LogStore, QuarantinedRow, RoomSize, WrittenBatch } from '../logStore.js'
import { encodeValue } from '../rowCodec.js'
import {
  createPostgresDatabase,
  defaultPostgresTiming,
  type PostgresDatabase,
  type PostgresTiming,
} from './database.js'
import { toBuffer } from './group.js'
import { createGroupWriter } from './groupWriter.js'
import { decodeName, encodeName, rowKey, snapshotKey } from './names.js'
import { createPostgresValues } from './postgresValues.js'
import { readPages } from './readPages.js'
import { loadRoom, readRemains } from './readRoom.js'
import { restoreRoom } from './restoreRoom.js'
import { migrate } from './schema.js'
import * as statements from './statements.js'
import { decodeStored } from './storedValues.js'

/** Where a log in PostgreSQL is, and how it is used. */
export interface PostgresLogOptions {
  /** Where PostgreSQL is, as in `postgres://user:password@host:5432/database`. */
  url: string
  /** How long things may take; see {@link defaultPostgresTiming}. */
  timing?: Partial<PostgresTiming>
  /** Told of each batch of updates that became durable together. */
  onBatch?: (batch: WrittenBatch) => void
  /** Nothing is logged if left out. */
  logger?: Logger
}

/** A {@link LogStore} that servers share. */
export interface PostgresLog extends LogStore {
  /** The same for all servers that have the store open, and no other store's: what they tell each other goes under it. */
  readonly identity: string
}

/** What {@link statements.READ_WITH_HEAD} finds. */
interface StoredWithHead {
  readonly head: number | null
  readonly bytes: Uint8Array | null
}

/** What rewrites tables takes its time. */
const SLOW_MS = 10 * 60_000

/**
 * Opens a {@link LogStore} in PostgreSQL, which any number of servers use together. It creates its tables, `parley_…`, in the
 * first schema of the search path.
 *
 * @throws ServerError with code `invalid-argument` if the address is none or PostgreSQL does not make durable what it commits,
 * `store-damaged` if its tables are of a later format, `store-unavailable` if it cannot be reached
 * @example
 * ```ts
 * import { openPostgresLog } from '@parley/server'
 *
 * const store = await openPostgresLog({ url: process.env.PARLEY_DATABASE_URL ?? 'postgres://127.0.0.1/parley' })
 * const { version } = await store.load('alice')
 * await store.close()
 * ```
 */
export async function openPostgresLog(options: PostgresLogOptions): Promise<PostgresLog> {
  const { url, logger = silentLogger, onBatch } = options
  // The driver takes any text for an address.
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new ServerError(
      'invalid-argument',
      'The address of PostgreSQL must be like postgres://user:password@host:5432/database',
    )
  }
  const timing = { ...defaultPostgresTiming, ...options.timing }
  const open = (times: PostgresTiming): PostgresDatabase =>
    createPostgresDatabase({ url, logger, timing: times })
  /** Does what takes longer than anything else may. */
  const slowly = async (action: (database: PostgresDatabase) => Promise<void>): Promise<void> => {
    const database = open({ ...timing, statementMs: SLOW_MS, lockMs: SLOW_MS, answerMs: SLOW_MS })
    try {
      await action(database)
    } finally {
      await database.close()
    }
  }
  let identity = ''
  await slowly(async (database) => {
    await database.transaction(migrate)
    const [found] = await database.read<{ identity: string }>(statements.IDENTITY, [])
    identity = found?.identity ?? ''
  })
  return { ...createPostgresLog(open(timing), slowly, onBatch), identity }
}

function createPostgresLog(
  database: PostgresDatabase,
  slowly: (action: (database: PostgresDatabase) => Promise<void>) => Promise<void>,
  onBatch?: (batch: WrittenBatch) => void,
): LogStore {
  const groups = createGroupWriter(database, onBatch)
  const running = new Set<Promise<unknown>>()
  let closing: Promise<void> | null = null

  /** What was asked for before the store closes is finished. */
  const run = async <Result>(action: () => Promise<Result>): Promise<Result> => {
    if (closing) throw new ServerError('closed', 'The log store is closed')
    const result = action()
    running.add(result)
    try {
      return await result
    } finally {
      running.delete(result)
    }
  }
  const values = createPostgresValues(database, groups)

  return {
    async append(room, update) {
      const job = {
        kind: 'append',
        room,
        name: encodeName(room),
        value: toBuffer(encodeValue(rowKey(room), update)),
      } as const
      return (await run(() => groups.add(job)))?.version ?? 0
    },

    appendOwn: (room, own) => run(async () => groups.add({ kind: 'own', room, name: encodeName(room), own })),

    load: (room, { after = 0 } = {}) => run(() => loadRoom(database, room, after)),

    examine: (room) => run(() => readRemains(database, room, 0)),

    heads: (rooms) =>
      run(async () => {
        const names = rooms.map(encodeName)
        const found = await database.read<{ room: Uint8Array; version: number }>(statements.HEADS, [names])
        const heads = new Map(rooms.map((room) => [room, 0]))
        for (const { room, version } of found) heads.set(decodeName(room), version)
        return heads
      }),

    readWithHead: (room, name) =>
      run(async () => {
        const scope = `room:${room}` as const
        const asked = [encodeName(room), encodeName(scope), encodeName(name)]
        const [found] = await database.read<StoredWithHead>(statements.READ_WITH_HEAD, asked)
        return { head: found?.head ?? 0, value: found?.bytes ? decodeStored(scope, name, found.bytes) : null }
      }),

    compact: (room, { through, snapshot, keep = [] }) =>
      run(async () => {
        const value = toBuffer(encodeValue(snapshotKey(room, through), snapshot))
        await database.write(statements.COMPACT, [encodeName(room), through, value, keep])
      }),

    quarantine: (room, rows) =>
      run(async () => {
        await database.write(statements.QUARANTINE, [
          encodeName(room),
          rows.map(({ version }) => version),
          // The one character that PostgreSQL's text cannot hold.
          rows.map(({ reason }) => reason.replaceAll('\0', '\ufffd')),
        ])
      }),

    retireWriter: (room, clients) =>
      run(async () => {
        const parameters = [encodeName(room), [...clients]]
        // Most callers bring what devices wrote: these take no lock.
        if ((await database.read(statements.FIND_WRITER, parameters)).length === 0) return false
        await database.write(statements.RETIRE_WRITER, parameters)
        groups.forget(room)
        return true
      }),

    size: (room) =>
      run(async () => {
        const name = encodeName(room)
        const [size] = await database.read<Omit<RoomSize, 'quarantined'>>(statements.SIZE, [name])
        if (!size) return null
        const quarantined = await database.read<QuarantinedRow>(statements.LIST_QUARANTINED, [name])
        return { ...size, quarantined }
      }),

    values: {
      read: (scope, names) => run(() => values.read(scope, names)),
      list: (scope, range) => run(() => values.list(scope, range)),
      write: (scope, changes) => run(() => values.write(scope, changes)),
      scopes: values.scopes,
    },

    delete: (room) =>
      run(async () => {
        await database.writeTogether(statements.deleteRoom(encodeName(room), encodeName(`room:${room}`)))
        groups.forget(room)
      }),

    async *rooms() {
      for await (const room of readPages(database, statements.ROOMS, 'room')) yield decodeName(room)
    },

    restore: (room, restoration) =>
      run(async () => {
        await restoreRoom(database, room, restoration)
        groups.forget(room)
      }),

    erase: () => run(() => slowly((other) => other.writeTogether(statements.VACUUM))),

    check: () =>
      run(async () => {
        await database.write(statements.CHECK, [])
      }),

    close() {
      closing ??= (async () => {
        await Promise.allSettled(running)
        await groups.idle()
        await database.close()
      })()
      return closing
    },
  }
}
