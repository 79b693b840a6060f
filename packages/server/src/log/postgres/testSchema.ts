import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** A schema of a test's own in a database that others use too. */
export interface TestSchema {
  /** Whoever connects with this creates and finds tables in the schema. */
  readonly url: string
  /** The condition that finds the connections opened with `url` in `pg_stat_activity`. */
  readonly connections: string
  /** Runs SQL in the schema, as somebody else would. */
  query: <Row = Record<string, unknown>>(text: string, parameters?: readonly unknown[]) => Promise<Row[]>
  /** Ends the connections opened with `url`, as a restart would. */
  terminate: () => Promise<void>
  /** Removes the schema and all that is in it. */
  drop: () => Promise<void>
}

/**
 * Creates an empty schema for a test, under a random name.
 *
 * @example
 * ```ts
 * import { openPostgresLog } from '@parley/server'
 * import { createTestSchema } from '@parley/server/testing'
 *
 * const schema = await createTestSchema(process.env.PARLEY_DATABASE_URL ?? 'postgres://127.0.0.1/test')
 * const store = await openPostgresLog({ url: schema.url })
 * await store.close()
 * await schema.drop()
 * ```
 */
export async function createTestSchema(databaseUrl: string): Promise<TestSchema> {
  const name = `parley_test_${randomBytes(8).toString('hex')}`
  const client = new Client({ connectionString: databaseUrl, options: `-c search_path=${name}` })
  // A test may end all connections.
  client.on('error', () => {})
  await client.connect()
  await client.query(`create schema ${name}`)
  const url = new URL(databaseUrl)
  url.searchParams.set('options', `-c search_path=${name}`)
  url.searchParams.set('application_name', name)
  const connections = `application_name = '${name}'`
  const query = async <Row>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> =>
    (await client.query(text, [...parameters])).rows as Row[]
  return {
    url: url.href,
    connections,
    query,
    async terminate() {
      await query(`select pg_terminate_backend(pid) from pg_stat_activity where ${connections}`)
    },
    async drop() {
      await query(`drop schema ${name} cascade`)
      await client.end()
    },
  }
}
