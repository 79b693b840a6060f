import { describe, expect, it } from 'vitest'
import { createPacer } from './pacer.js'

describe('the pace of a crowd', () => {
  it('[R22] does what fits a turn of the event loop, in order, and lets others in between', async () => {
    let time = 0
    const pace = createPacer({ budgetMs: 5, now: () => time })
    const seen: Array<number | 'turn'> = []
    for (let n = 0; n < 9; n++) {
      pace(() => {
        seen.push(n)
        time += 2
        if (n === 8) pace(() => seen.push(9))
      })
    }
    for (let turn = 0; turn < 10; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push('turn')
    }
    const order = seen.filter((one) => one !== 'turn')
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    // Never more than three between two turns.
    const counts = seen
      .join(' ')
      .split('turn')
      .map((part) => part.trim().split(' ').filter(Boolean).length)
    expect(Math.max(...counts)).toBe(3)
  })

  it('[R22] counts what tasks do in microtasks, such as the rest of a handshake once it is known who somebody is', async () => {
    let time = 0
    const pace = createPacer({ budgetMs: 5, now: () => time })
    const seen: Array<number | 'turn'> = []
    for (let n = 0; n < 4; n++) {
      pace(() => {
        void (async () => {
          for (let step = 0; step < 10; step++) await null
          seen.push(n)
          time += 5
        })()
      })
    }
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push('turn')
    }
    expect(seen).toEqual([0, 'turn', 1, 'turn', 2, 'turn', 3, 'turn', 'turn'])
  })

  it('[R22] does one in any case', async () => {
    let time = 0
    const pace = createPacer({ budgetMs: 1, now: () => time })
    let done = 0
    for (let n = 0; n < 3; n++) {
      pace(() => {
        done++
        time += 100
      })
    }
    for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(done).toBe(3)
  })
})
