import { createTestSchema, type TestSchema } from '@parley/server/testing'
import { onTestFinished } from 'vitest'
import { newFolder, type Serving, serve } from './parley.js'

/** A database and a Redis that several servers use together. */
export interface Shared {
  readonly schema: TestSchema
  /** The variables that say so. */
  readonly env: Record<string, string>
  /** Starts one of the servers. */
  start: () => Promise<Serving>
}

/** Prepares a database of a test's own. vitest.config.ts leaves the tests that ask out where there is none. */
export async function newShared(): Promise<Shared> {
  const { PARLEY_TEST_DATABASE_URL: database, PARLEY_TEST_REDIS_URL: redis } = process.env
  if (!database || !redis)
    throw new Error('There is no PostgreSQL or no Redis: see scripts/ensure-services.mjs')
  const schema = await createTestSchema(database)
  onTestFinished(schema.drop)
  const env = { PARLEY_STORE: 'postgres', PARLEY_DATABASE_URL: schema.url, PARLEY_REDIS_URL: redis }
  const folder = await newFolder()
  return { schema, env, start: () => serve(folder, [], env) }
}
