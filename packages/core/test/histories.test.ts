import { describe, expect, it } from 'vitest'
import { type HistoryOptions, INVARIANTS, runHistory } from '../src/testing/index.js'

/** How many histories of each kind; `PARLEY_HISTORIES=5000 pnpm test packages/core -t histories` runs more. */
const HISTORIES = Number(process.env.PARLEY_HISTORIES ?? 260)
const FIRST_SEED = Number(process.env.PARLEY_FIRST_SEED ?? 1)

const KINDS: Record<string, Omit<HistoryOptions, 'seed'>> = {
  'whose network keeps the order': {},
  'whose network loses, repeats and reorders': { lossy: true },
  'with crashes that lose the tail': { crash: true, skew: true },
  'with all of it, and a device that never comes back': { lossy: true, crash: true, die: true, skew: true },
}

describe('random histories of three to five devices', () => {
  for (const [kind, options] of Object.entries(KINDS)) {
    it(`[L1] [C3] [C6] [C8] [D7] [E3] [E4] [E5] histories ${kind} keep every invariant`, {
      timeout: HISTORIES * 1000,
    }, () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed++) {
        expect(runHistory({ ...options, seed }).problems, `seed ${seed}`).toEqual([])
      }
    })
  }

  for (const [kind, options] of Object.entries(KINDS)) {
    it(`[DIG2] histories ${kind} raise no false alarm`, { timeout: HISTORIES * 1000 }, () => {
      const name = 'every replica computes the same digest'
      const invariants = { [name]: INVARIANTS[name] as (typeof INVARIANTS)[string] }
      for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES / 4; seed++) {
        expect(runHistory({ ...options, seed, invariants }).problems, `seed ${seed}`).toEqual([])
      }
    })
  }
})
