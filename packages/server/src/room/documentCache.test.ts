import { describe, expect, it, vi } from 'vitest'
import { type CachedDocument, createDocumentCache } from './documentCache.js'

interface Fake extends CachedDocument {
  bytes: number
  isBusy: boolean
}

function fakes(count: number, dropped: number[]): Fake[] {
  return Array.from({ length: count }, (_, n) => ({
    bytes: 10,
    isBusy: false,
    drop: () => void dropped.push(n),
  }))
}

describe('the documents in memory', () => {
  it('[R11] are bounded together: those used longest ago go first, those in use stay', () => {
    const dropped: number[] = []
    const cache = createDocumentCache({ maxBytes: 35, idleMs: 60_000 })
    const [a, b, c, d, e] = fakes(5, dropped) as [Fake, Fake, Fake, Fake, Fake]
    for (const one of [a, b, c]) cache.touch(one)
    cache.touch(a)
    expect([cache.count, cache.bytes, dropped]).toEqual([3, 30, []])
    cache.touch(d)
    expect(dropped).toEqual([1])
    c.isBusy = true
    a.isBusy = true
    cache.touch(e)
    expect(dropped).toEqual([1, 3])
    // One that has grown is counted as large as it is when it is used again.
    c.isBusy = false
    e.bytes = 30
    cache.touch(e)
    expect(dropped).toEqual([1, 3, 2])
    expect([cache.count, cache.bytes]).toEqual([2, 40])
    cache.remove(a)
    cache.remove(a)
    expect([cache.count, cache.bytes]).toEqual([1, 30])
    cache.close()
  })

  it('[R2] go sooner where they were only looked at, unless they were used before', async () => {
    const dropped: number[] = []
    const cache = createDocumentCache({ maxBytes: 100, idleMs: 60_000 })
    const [looked, used] = fakes(2, dropped) as [Fake, Fake]
    cache.touch(used)
    cache.touch(used, true)
    cache.touch(looked, true)
    await vi.waitFor(() => expect(dropped).toEqual([0]), { timeout: 5_000 })
    expect(cache.count).toBe(1)
    cache.close()
  })

  it('[R2] go when nobody has used them for a while, and not while somebody does', async () => {
    const dropped: number[] = []
    const cache = createDocumentCache({ maxBytes: 100, idleMs: 20 })
    const [idle, busy] = fakes(2, dropped) as [Fake, Fake]
    busy.isBusy = true
    cache.touch(busy)
    cache.touch(idle)
    await vi.waitFor(() => expect(dropped).toEqual([0]))
    busy.isBusy = false
    await vi.waitFor(() => expect(dropped).toEqual([0, 1]))
    expect([cache.count, cache.bytes]).toEqual([0, 0])
  })
})
