import { describe, expect, it } from 'vitest'
import { createLoadQueue } from './loadQueue.js'

describe('the queue of loads', () => {
  it('[R12] runs so many at a time, those in a hurry first, also if they are so only later, and one of the others', async () => {
    const queue = createLoadQueue(2)
    const started: string[] = []
    const gates: Array<() => void> = []
    const load = (name: string) => () => {
      started.push(name)
      return new Promise<string>((resolve) => gates.push(() => resolve(name)))
    }
    const a = queue.add(load('a'), false)
    const b = queue.add(load('b'), false)
    const c = queue.add(load('c'), false)
    const d = queue.add(load('d'), false)
    const e = queue.add(load('e'), true)
    d.hurry()
    a.hurry()
    const settle = async () => {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    await settle()
    // The first ran before anybody was in a hurry; beside it there is room for one more that is.
    expect(started).toEqual(['a', 'e'])
    for (let n = 0; n < 5; n++) {
      gates.shift()?.()
      await settle()
    }
    expect(started).toEqual(['a', 'e', 'd', 'b', 'c'])
    expect(await Promise.all([a, b, c, d, e].map(({ done }) => done))).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('[R12] goes on after one that failed', async () => {
    const queue = createLoadQueue(1)
    const failed = queue.add(() => Promise.reject(new Error('no')), false)
    const next = queue.add(async () => 'yes', false)
    await expect(failed.done).rejects.toThrow('no')
    expect(await next.done).toBe('yes')
  })
})
