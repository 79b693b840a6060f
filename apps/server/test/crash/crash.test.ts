import { describe, it } from 'vitest'
import { newFolder, serve } from '../support/parley.js'
import { surviveCrashes } from './crashes.js'

const KILLS = 100

describe('crashes', () => {
  it(`[D1] on LevelDB nothing that was said to be durable is lost, over ${KILLS} SIGKILLs under load`, {
    timeout: 600_000,
  }, async () => {
    const data = await newFolder()
    await surviveCrashes({ start: () => serve(data), kills: KILLS })
  })
})
