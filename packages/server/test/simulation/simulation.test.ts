import { describe, it } from 'vitest'
import { runHistory } from './history.js'

/** How many histories; `PARLEY_SIMULATIONS=20000 pnpm test packages/server/test/simulation` runs more. */
const HISTORIES = Number(process.env.PARLEY_SIMULATIONS ?? 150)
/** Most take a tenth of a second; a busy machine takes many times as long. */
const MAX_HISTORY_MS = 5_000
/** The seed of the first one, to run one again that failed. */
const FIRST_SEED = Number(process.env.PARLEY_SIMULATION_SEED ?? 1)

describe('nodes that share a store', () => {
  it(
    `[R13] lose nothing and tell everybody, in ${HISTORIES} random histories`,
    async () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed++) await runHistory(seed)
    },
    HISTORIES * MAX_HISTORY_MS,
  )
})
