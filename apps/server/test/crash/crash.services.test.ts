import { describe, it } from 'vitest'
import { newShared } from '../support/shared.js'
import { surviveCrashes } from './crashes.js'

const KILLS = 100

describe('crashes', () => {
  it(`[D1] on PostgreSQL nothing that was said to be durable is lost, over ${KILLS} SIGKILLs under load`, {
    timeout: 600_000,
  }, async () => {
    const { start } = await newShared()
    await surviveCrashes({ start, kills: KILLS })
  })
})
