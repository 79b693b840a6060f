import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { releaseMemory } from './releaseMemory.js'

const BYTES = 64 * 1024 * 1024

it('gives memory back without the garbage collector, and leaves nothing where it was', async () => {
  await setImmediate()
  const before = process.memoryUsage().arrayBuffers
  const bytes = new Uint8Array(BYTES)
  const part = bytes.subarray(7)
  expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(BYTES / 2)
  releaseMemory(part)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(BYTES / 2)
  expect([bytes.byteLength, part.byteLength]).toEqual([0, 0])
})

it('leaves memory alone that others have a part of', () => {
  const bytes = new Uint8Array(1000)
  releaseMemory(bytes.subarray(0, 900))
  releaseMemory(Buffer.from('out of the pool'))
  expect(bytes.byteLength).toBe(1000)
  expect(Buffer.from('and another').toString()).toBe('and another')
})
