import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { LogStore } from '../log/logStore.js'
import { createMemoryLog } from '../log/memoryLog.js'
import { createLogTail, type LogTail } from './logTail.js'

async function filled(count: number): Promise<LogStore> {
  const store = createMemoryLog()
  for (let n = 1; n <= count; n++) await store.append('alice', new Uint8Array([n]))
  return store
}

function tailOf(store: LogStore): { tail: LogTail; taken: number[]; failed: unknown[] } {
  const taken: number[] = []
  const failed: unknown[] = []
  const tail = createLogTail({
    readLog: (after) => store.load('alice', { after }),
    take: ({ version, update }) => {
      expect(update[0]).toBe(version)
      taken.push(version)
    },
    fail: (error) => failed.push(error),
  })
  return { tail, taken, failed }
}

const row = (version: number) => ({ version, update: new Uint8Array([version]) })
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n)

describe('the end of a log', () => {
  it('[R9] property "in order and once": rows are handed on by version, however they come, with what was never told read from the store', async () => {
    const news = fc.record({ version: fc.integer({ min: 1, max: 20 }), told: fc.constantFrom('row', 'hint') })
    await fc.assert(
      fc.asyncProperty(
        fc.array(news, { maxLength: 30 }),
        fc.integer({ min: 0, max: 5 }),
        async (all, start) => {
          const store = await filled(20)
          const { tail, taken, failed } = tailOf(store)
          tail.start(start)
          for (const { version, told } of all) {
            if (told === 'row') tail.push(row(version))
            else tail.expect(version)
          }
          tail.expect(20)
          await tail.reached(20)
          expect(taken).toEqual(from(start + 1, 20))
          expect(failed).toEqual([])
        },
      ),
      { numRuns: 100 },
    )
  })

  it('[R9] hands on at once what is in order, and reads nothing then', async () => {
    const store = await filled(9)
    const load = vi.spyOn(store, 'load')
    const { tail, taken } = tailOf(store)
    tail.start(3)
    tail.push(row(5))
    tail.push(row(4))
    tail.push(row(4))
    expect(taken).toEqual([4, 5])
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(load).not.toHaveBeenCalled()
  })

  it('[R9] hands nothing on while the room is read, and then what is newer than what was read', async () => {
    const { tail, taken } = tailOf(await filled(9))
    tail.push(row(1))
    tail.hold()
    for (const version of [3, 5, 4]) tail.push(row(version))
    expect(taken).toEqual([])
    tail.start(3)
    expect(taken).toEqual([4, 5])
  })

  it('[R9] goes on as before where the room could not be read', async () => {
    const { tail, taken } = tailOf(await filled(9))
    tail.hold()
    tail.push(row(1))
    tail.resume()
    await tail.reached(1)
    expect([tail.version, taken]).toEqual([null, []])
    tail.start(2)
    tail.hold()
    tail.push(row(3))
    tail.resume()
    expect(taken).toEqual([3])
  })

  it('[R9] lets nobody wait where the room could not be read and nobody needs to know', async () => {
    const { tail } = tailOf(await filled(9))
    tail.hold()
    tail.expect(3)
    const waiting = tail.reached(3)
    tail.resume()
    await waiting
    expect(tail.version).toBe(null)
  })

  it('[R9] looks less and less often for what somebody told of and is not there, and finds it when it is', async () => {
    const store = await filled(5)
    const load = vi.spyOn(store, 'load')
    const { tail, taken } = tailOf(store)
    tail.start(5)
    tail.expect(6)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(load.mock.calls.length).toBeLessThan(10)
    await store.append('alice', new Uint8Array([6]))
    await tail.reached(6)
    expect(taken).toEqual([6])
  })

  it('[R9] passes over a row that nobody can read', async () => {
    const store = await filled(6)
    await store.quarantine('alice', [{ version: 5, reason: 'test' }])
    const taken: number[] = []
    const tail = createLogTail({
      readLog: (after) => store.load('alice', { after }),
      take: ({ version, update }) => taken.push(update.byteLength === 1 ? version : -version),
      fail: (error) => expect(error).toBe(null),
    })
    tail.start(3)
    tail.push(row(6))
    await tail.reached(6)
    expect(taken).toEqual([4, -5, 6])
  })

  it('[R9] says so when what was missed is not there as rows, or cannot be read', async () => {
    const store = await filled(6)
    await store.compact('alice', { through: 5, snapshot: new Uint8Array([1]) })
    for (const spoil of [() => {}, () => vi.spyOn(store, 'load').mockRejectedValue(new Error('no'))]) {
      spoil()
      const { tail, failed } = tailOf(store)
      tail.start(3)
      tail.expect(6)
      await expect(tail.reached(6)).rejects.toThrow()
      expect(failed).toHaveLength(1)
      await expect(tail.reached(6)).rejects.toThrow()
    }
  })
})
