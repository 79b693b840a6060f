import { describe, expect, it } from 'vitest'
import { createReadiness } from './readiness.js'

describe('readiness', () => {
  it('[H2] tries the store once for all who ask within a second, and again after it', async () => {
    let time = 0
    let attempts = 0
    const { check } = createReadiness({
      tryStore: async () => void attempts++,
      timeoutMs: 1000,
      freshMs: 1000,
      now: () => time,
    })
    await Promise.all(Array.from({ length: 100 }, () => check()))
    time = 999
    await check()
    expect(attempts).toBe(1)
    time = 1000
    await check()
    expect(attempts).toBe(2)
  })

  it('[H2] remembers a failure as long as a success', async () => {
    let time = 0
    let fails = true
    const { check } = createReadiness({
      tryStore: async () => {
        if (fails) throw new Error('the disk is full')
      },
      timeoutMs: 1000,
      freshMs: 1000,
      now: () => time,
    })
    await expect(check()).rejects.toThrow('the disk is full')
    fails = false
    await expect(check()).rejects.toThrow('the disk is full')
    time = 1000
    await check()
  })

  it('[H2] answers in time when the store does not, with one attempt under way at most', async () => {
    let attempts = 0
    let answer = (): void => {}
    const { check } = createReadiness({
      tryStore: () => {
        attempts++
        return new Promise((resolve) => {
          answer = resolve
        })
      },
      timeoutMs: 20,
      freshMs: 0,
    })
    for (let n = 0; n < 5; n++) {
      await expect(check()).rejects.toMatchObject({ code: 'store-unavailable' })
    }
    expect(attempts).toBe(1)
    const last = check()
    answer()
    await last
  })

  it('[H2] is over at once when the server stops', async () => {
    const { check, stop } = createReadiness({ tryStore: async () => {}, timeoutMs: 1000, freshMs: 1000 })
    await check()
    stop()
    await expect(check()).rejects.toMatchObject({ code: 'closed' })
  })
})
