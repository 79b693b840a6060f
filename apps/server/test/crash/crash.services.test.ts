import { describe, it } from 'vitest'
import { newShared } from '../support/shared.js'
import { surviveCrashes } from './crashes.js'

/** `pnpm test:soak kills` runs 500. */
const KILLS = Number(process.env.PARLEY_KILLS ?? 40)
/** A round takes half a second; a server that starts on a busy machine takes several. */
const MAX_ROUND_MS = 6_000

describe('crashes', () => {
  it(`[D1] on PostgreSQL nothing that was said to be durable is lost, over ${KILLS} SIGKILLs under load`, {
    timeout: KILLS * MAX_ROUND_MS,
  }, async () => {
    const { start } = await newShared()
    await surviveCrashes({ start, kills: KILLS })
  })
})
