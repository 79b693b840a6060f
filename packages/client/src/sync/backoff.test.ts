import { createRandom } from '@parley/core/testing'
import { describe, expect, it } from 'vitest'
import { createBackoff } from './backoff.js'

const delays = (random: number, count: number) => {
  const backoff = createBackoff(() => random)
  return Array.from({ length: count }, () => backoff.next())
}

describe('the pause between attempts', () => {
  it('[CL28] doubles up to 30 s', () => {
    expect(delays(1, 12).at(-1)).toBe(30_000)
    expect(delays(1, 4)).toEqual([300, 600, 1_200, 2_400])
  })

  it('[CL28] is spread, so that clients do not return all at once', () => {
    const [least, most] = [delays(0, 12), delays(1, 12)]
    for (const [index, delay] of least.entries()) expect(most[index]).toBe(delay * 2)
  })

  it('[CL28] brings the clients of a server that was away back a few at a time', () => {
    const clients = 1000
    const windowMs = 100
    // It dies, and all are closed at once; or it is told to stop, and closes them spread over two seconds.
    for (const closedWithinMs of [0, 2000]) {
      for (const awayMs of [1000, 2500, 5000, 10_000]) {
        const random = createRandom(awayMs)
        const windows = new Map<number, number>()
        for (let client = 0; client < clients; client++) {
          const backoff = createBackoff(random)
          let at = (closedWithinMs * client) / clients
          do at += backoff.next()
          while (at < awayMs)
          const window = Math.floor(at / windowMs)
          windows.set(window, (windows.get(window) ?? 0) + 1)
        }
        expect(Math.max(...windows.values())).toBeLessThan(clients / 5)
      }
    }
  })

  it('[CL28] starts again after a connection that worked', () => {
    const backoff = createBackoff(() => 1)
    backoff.next()
    backoff.next()
    backoff.reset()
    expect(backoff.next()).toBe(300)
  })
})
