import { onTestFinished } from 'vitest'
import { createTestSchema, type TestSchema } from '../../src/testing.js'

/** Creates a schema in the tests' PostgreSQL that is dropped when the test ends. */
export async function newSchema(): Promise<TestSchema> {
  const schema = await createTestSchema(serviceUrl('PARLEY_TEST_DATABASE_URL'))
  onTestFinished(schema.drop)
  return schema
}

/** Where a service of the tests is. vitest.config.ts leaves the tests that ask out where there is none. */
export function serviceUrl(name: 'PARLEY_TEST_DATABASE_URL' | 'PARLEY_TEST_REDIS_URL'): string {
  const url = process.env[name]
  if (!url) throw new Error(`${name} is not set: scripts/ensure-services.mjs tells more`)
  return url
}
