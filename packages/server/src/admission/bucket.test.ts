import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBucket } from './bucket.js'

describe('a bucket', () => {
  it('[A15] lets through a burst, then what it is filled with', () => {
    let now = 0
    const bucket = createBucket({ perSecond: 10, burst: 5 }, () => now)
    expect(Array.from({ length: 7 }, () => bucket.take(1))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ])
    expect(bucket.waitMs).toBe(100)
    now += bucket.waitMs
    expect([bucket.take(1), bucket.take(1)]).toEqual([true, false])
    now += 10_000
    expect(bucket.isFull).toBe(true)
    expect(Array.from({ length: 6 }, () => bucket.take(1))).toEqual([true, true, true, true, true, false])
  })

  it('[A15] lets through one large thing, and nothing after it until that is made up for', () => {
    let now = 0
    const bucket = createBucket({ perSecond: 10, burst: 5 }, () => now)
    expect([bucket.take(105), bucket.take(1)]).toEqual([true, false])
    expect(bucket.waitMs).toBe(10_100)
    now += 10_000
    expect(bucket.take(0)).toBe(false)
    now += 100
    expect([bucket.take(1), bucket.take(1)]).toEqual([true, false])
  })

  it('[A15] never lets through more than burst, rate and one more thing', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(500), amount: fc.nat(50) }), { maxLength: 200 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 200 }),
        steps,
        (perSecond, burst, all) => {
          let [now, taken] = [0, 0]
          const bucket = createBucket({ perSecond, burst }, () => now)
          for (const { waitMs, amount } of all) {
            now += waitMs
            if (bucket.take(amount)) taken += amount
            expect(taken).toBeLessThanOrEqual(burst + (now / 1000) * perSecond + 50 + 1e-6)
            expect(bucket.waitMs).toBeGreaterThanOrEqual(0)
          }
        },
      ),
    )
  })
})
