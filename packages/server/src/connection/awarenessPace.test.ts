import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type AwarenessEntry,
  decodeAwareness,
  encodeAwarenessEntries,
  GONE,
} from '../room/awarenessUpdate.js'
import { createAwarenessPace } from './awarenessPace.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp(maxClients = 10) {
  const passed: AwarenessEntry[][] = []
  const pace = createAwarenessPace({
    rate: { perSecond: 2, burst: 2 },
    maxClients,
    pass: (update) => passed.push(decodeAwareness(update)),
  })
  const say = (client: number, clock: number, state = '{}'): void =>
    pace.offer(encodeAwarenessEntries([{ client, clock, state }]))
  return { pace, passed, say }
}

describe('the pace of awareness', () => {
  it('[A16] passes two a second, and the newest of what came meanwhile', () => {
    const { passed, say } = setUp()
    for (let clock = 1; clock <= 100; clock++) {
      say(1, clock)
      say(2, clock)
      vi.advanceTimersByTime(30)
    }
    vi.advanceTimersByTime(1_000)
    expect(passed.length).toBeLessThanOrEqual(2 + 3 * 2 + 2)
    expect(passed.length).toBeGreaterThanOrEqual(6)
    expect(passed.at(-1)).toEqual([
      { client: 1, clock: 100, state: '{}' },
      { client: 2, clock: 100, state: '{}' },
    ])
  })

  it('[A16] keeps the newest whatever the order, and an end of the same clock', () => {
    const { passed, say } = setUp()
    say(9, 1)
    say(9, 2)
    say(1, 5, '{"new":1}')
    say(1, 4, '{"old":1}')
    say(2, 7)
    say(2, 7, GONE)
    vi.advanceTimersByTime(1_000)
    expect(passed[2]).toEqual([
      { client: 1, clock: 5, state: '{"new":1}' },
      { client: 2, clock: 7, state: GONE },
    ])
  })

  it('[A16] lets wait something of so many clients only', () => {
    const { say } = setUp(3)
    say(1, 1)
    say(1, 2)
    for (let client = 1; client <= 3; client++) say(client, 3)
    expect(() => say(4, 1)).toThrow('more than 3 clients')
  })

  it('[A16] is silent once it has stopped', () => {
    const { pace, passed, say } = setUp()
    for (let clock = 1; clock <= 5; clock++) say(1, clock)
    pace.stop()
    vi.advanceTimersByTime(10_000)
    expect(passed).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
  })
})
