import { DatabaseError, Pool, type PoolClient, type PoolConfig, TypeOverrides } from 'pg'
import { ServerError } from '../../errors.js'
import type { Logger } from '../../logger.js'

/** SQL, and a name under which a connection keeps it prepared. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** What a parameter may be; arrays become arrays. */
export type Parameter = Buffer | string | number | null | readonly (Buffer | string | number | null)[]

/** How long things may take, in milliseconds. */
export interface PostgresTiming {
  /** Until a connection is there; a server that restarts is back within it. */
  readonly connectMs: number
  /** How long PostgreSQL works on one statement. */
  readonly statementMs: number
  /** How long a statement waits for somebody else's lock. */
  readonly lockMs: number
  /** How long an answer is waited for: longer than `statementMs`, for PostgreSQL's own answer says whether it was done. */
  readonly answerMs: number
}

/** The {@link PostgresTiming} of a store when none is given. */
export const defaultPostgresTiming: PostgresTiming = {
  connectMs: 5_000,
  statementMs: 10_000,
  lockMs: 2_000,
  answerMs: 12_000,
}

/** PostgreSQL, over connections that are opened anew when they are lost. */
export interface PostgresDatabase {
  /**
   * Asks for something; once more over another connection if one is lost.
   *
   * @throws ServerError with code `store-unavailable`
   */
  read: <Row>(statement: Statement, parameters: readonly Parameter[]) => Promise<Row[]>
  /**
   * Changes something with one statement, once: where the connection is lost nobody knows whether it was done.
   *
   * @throws NotDone if it was not; ServerError with code `store-unavailable` if nobody knows
   */
  write: <Row>(statement: Statement, parameters: readonly Parameter[]) => Promise<Row[]>
  /** Runs several statements without parameters that are sent together, each of which sees what was committed before it began. */
  writeTogether: (text: string) => Promise<void>
  /** Changes something with several statements, all or nothing of it; errors as of `write`. */
  transaction: (action: (client: PoolClient) => Promise<void>) => Promise<void>
  /** Waits for what is under way. */
  close: () => Promise<void>
}

export interface PostgresDatabaseOptions {
  url: string
  timing: PostgresTiming
  logger: Logger
}

/** PostgreSQL refused a change and undid all of it, so that it may be tried again. */
export class NotDone extends ServerError {
  override name = 'NotDone'

  constructor(cause: unknown) {
    super('store-unavailable', `PostgreSQL did not do it: ${reasonOf(cause)}`, { cause })
  }
}

/** One connection writes at a time; what is beside it compacts, or waits for a room that somebody holds. */
const WRITE_CONNECTIONS = 4
/** So that a storm of clients that come back does not keep a write waiting, reads have connections of their own. */
const READ_CONNECTIONS = 6
const IDLE_MS = 30_000
/** A node that is frozen between two statements must not hold its locks for long. */
const IDLE_IN_TRANSACTION_MS = 10_000
const KEEPALIVE_MS = 10_000
const READ_ATTEMPTS = 3
const RETRY_MS = 100
const READ_ONLY = '25006'
const INT8_OID = 20

/** Opens connections to PostgreSQL as they are needed. */
export function createPostgresDatabase(options: PostgresDatabaseOptions): PostgresDatabase {
  const { timing, logger } = options
  const readers = createPool(options, READ_CONNECTIONS)
  const writers = createPool(options, WRITE_CONNECTIONS)

  /** Nothing was sent yet, so that it may be tried as long as there is time: a server that restarts refuses connections. */
  const connect = async (pool: Pool): Promise<PoolClient> => {
    const end = performance.now() + timing.connectMs
    for (;;) {
      try {
        return await pool.connect()
      } catch (cause) {
        if (pool.ending || cause instanceof ServerError || performance.now() + RETRY_MS > end) {
          throw cause instanceof ServerError ? cause : unavailable('cannot be reached', cause)
        }
        logger.debug({ err: cause }, 'PostgreSQL cannot be reached yet')
        await delay(RETRY_MS)
      }
    }
  }

  const on = async <Result>(pool: Pool, action: (client: PoolClient) => Promise<Result>): Promise<Result> => {
    const client = await connect(pool)
    try {
      const result = await action(client)
      client.release()
      return result
    } catch (cause) {
      // What else comes over a connection that hangs would be the answer to this.
      client.release(isAnswer(cause) && cause.code !== READ_ONLY ? undefined : true)
      throw cause
    }
  }

  const change = async <Result>(action: (client: PoolClient) => Promise<Result>): Promise<Result> => {
    try {
      return await on(writers, action)
    } catch (cause) {
      if (cause instanceof ServerError) throw cause
      throw isAnswer(cause) ? new NotDone(cause) : unavailable('was lost while it wrote', cause)
    }
  }

  return {
    async read<Row>(statement: Statement, parameters: readonly Parameter[]) {
      for (let attempt = 1; ; attempt++) {
        try {
          const result = await on(readers, (client) =>
            client.query({ ...statement, values: [...parameters] }),
          )
          return result.rows as Row[]
        } catch (cause) {
          if (cause instanceof ServerError) throw cause
          // Who hangs once hangs longer than anybody waits.
          if (isAnswer(cause) || isTimeout(cause) || attempt === READ_ATTEMPTS) {
            throw unavailable('could not be read', cause)
          }
          logger.debug({ err: cause }, 'PostgreSQL was lost while it read, and is asked again')
          await delay(RETRY_MS * attempt)
        }
      }
    },
    write: <Row>(statement: Statement, parameters: readonly Parameter[]) =>
      change(async (client) => {
        const result = await client.query({ ...statement, values: [...parameters] })
        return result.rows as Row[]
      }),
    writeTogether: (text) =>
      change(async (client) => {
        await client.query(text)
      }),
    transaction: (action) =>
      change(async (client) => {
        await client.query('begin')
        try {
          await action(client)
          await client.query('commit')
        } catch (cause) {
          // What failed here goes by itself with the connection.
          if (isAnswer(cause)) await client.query('rollback')
          throw cause
        }
      }),
    async close() {
      await Promise.all([readers.end(), writers.end()])
    },
  }
}

function createPool({ url, timing, logger }: PostgresDatabaseOptions, max: number): Pool {
  const types = new TypeOverrides()
  // Versions are below 2^53.
  types.setTypeParser(INT8_OID, Number)
  /** What PostgreSQL was found to do at the first connection is what the others are told. */
  let durability: string | null = null
  const config: PoolConfig = {
    connectionString: url,
    fallback_application_name: 'parley',
    types,
    max,
    connectionTimeoutMillis: timing.connectMs,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    statement_timeout: timing.statementMs,
    lock_timeout: timing.lockMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    query_timeout: timing.answerMs,
    onConnect: async (client) => {
      durability ??= await findDurability(client)
      // A setting that is changed while the server runs must not make it acknowledge what is not safe.
      await client.query('select set_config($1, $2, false)', ['synchronous_commit', durability])
    },
  }
  const pool = new Pool(config)
  const onLost = (err: unknown): void => logger.debug({ err }, 'a connection to PostgreSQL was lost')
  // Of a connection that nobody uses the pool tells; one that is used tells itself, beside failing what it does.
  pool.on('error', onLost)
  pool.on('connect', (client) => client.on('error', onLost))
  return pool
}

/** How commits are made durable. @throws ServerError if they are not */
async function findDurability(client: { query: PoolClient['query'] }): Promise<string> {
  const { rows } = await client.query(
    "select current_setting('synchronous_commit') as commit, current_setting('fsync') as fsync",
  )
  const { commit, fsync } = rows[0] as { commit: string; fsync: string }
  for (const [setting, value] of Object.entries({ synchronous_commit: commit, fsync })) {
    if (value !== 'off') continue
    throw new ServerError(
      'invalid-argument',
      `PostgreSQL has ${setting} off and would lose what was acknowledged; it must be on`,
    )
  }
  return commit
}

/** True for what PostgreSQL said of a statement: then nothing of it was done. Of what it says as it goes nobody knows. */
function isAnswer(cause: unknown): cause is DatabaseError {
  return cause instanceof DatabaseError && cause.severity === 'ERROR'
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.message === 'Query read timeout'
}

function unavailable(what: string, cause: unknown): ServerError {
  return new ServerError('store-unavailable', `PostgreSQL ${what}: ${reasonOf(cause)}`, { cause })
}

/** Never what was in a statement: of a constraint or a value that is not understood PostgreSQL quotes it. */
function reasonOf(cause: unknown): string {
  if (cause instanceof DatabaseError) return `SQLSTATE ${cause.code}`
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.message : String(cause)
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
