import { createTestSchema } from '@parley/server/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { needsServices, readExamples } from './readExamples.js'
import { removeExamples, runExample } from './runExample.js'

describe('examples in docstrings that need PostgreSQL or Redis', () => {
  beforeAll(async () => {
    const { PARLEY_TEST_DATABASE_URL = '', PARLEY_TEST_REDIS_URL = '' } = process.env
    const schema = await createTestSchema(PARLEY_TEST_DATABASE_URL)
    process.env.PARLEY_DATABASE_URL = schema.url
    process.env.PARLEY_REDIS_URL = PARLEY_TEST_REDIS_URL
    return schema.drop
  })
  afterAll(removeExamples)

  it.each(readExamples().filter(needsServices))('$place runs', runExample)
})
