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

  it('[CL28] starts again after a connection that worked', () => {
    const backoff = createBackoff(() => 1)
    backoff.next()
    backoff.next()
    backoff.reset()
    expect(backoff.next()).toBe(300)
  })
})
