import { describe, expect, it } from 'vitest'
import { createTurnstile } from './turnstile.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the turnstile', () => {
  it('[R12] lets one go on at a time, in order, the next in another turn of the event loop', async () => {
    const pass = createTurnstile(setImmediate)
    const seen: string[] = []
    const ends: Array<() => void> = []
    for (const name of ['a', 'b', 'c']) {
      pass(async () => {
        seen.push(name)
        await new Promise<void>((resolve) => ends.push(resolve))
        queueMicrotask(() => seen.push(`after ${name}`))
      })
    }
    for (let n = 0; n < 3; n++) {
      await turn()
      await turn()
      ends[n]?.()
      await turn()
    }
    await turn()
    expect(seen).toEqual(['a', 'after a', 'b', 'after b', 'c', 'after c'])
  })

  it('[R12] lets those go on at once who come when nobody is there any more', async () => {
    const pass = createTurnstile(setImmediate)
    const seen: string[] = []
    pass(async () => void seen.push('a'))
    expect(seen).toEqual(['a'])
    await turn()
    await turn()
    pass(async () => void seen.push('b'))
    expect(seen).toEqual(['a', 'b'])
  })
})
