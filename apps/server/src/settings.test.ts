import { describe, expect, it } from 'vitest'
import { readServeSettings } from './settings.js'
import { UsageError } from './usage.js'

describe('settings', () => {
  it('[C1] names times that are none', () => {
    for (const [name, max] of [
      ['PARLEY_STOP_DELAY', 60],
      ['PARLEY_DRAIN', 300],
    ] as const) {
      for (const value of ['soon', '-1', '1e3', String(max + 1)]) {
        expect(() => readServeSettings([], { [name]: value })).toThrow(
          new UsageError(`${name} must be a number of seconds from 0 to ${max}, not ${value}`),
        )
      }
    }
  })

  it('[C5] has times of its own where none are given', () => {
    expect(readServeSettings([], {})).toMatchObject({ stopDelayMs: 1000, drainMs: 2000 })
    expect(readServeSettings([], { PARLEY_STOP_DELAY: '', PARLEY_DRAIN: '0' })).toMatchObject({
      stopDelayMs: 1000,
      drainMs: 0,
    })
    expect(readServeSettings([], { PARLEY_STOP_DELAY: '60', PARLEY_DRAIN: '12.5' })).toMatchObject({
      stopDelayMs: 60_000,
      drainMs: 12_500,
    })
  })

  it('[T2] takes an empty token for none: it must not open what it is to close', () => {
    expect(readServeSettings([], { PARLEY_METRICS_TOKEN: '' }).metricsToken).toBe(undefined)
  })
})
