import { expect } from 'vitest'
import { connectStock, type Running, until } from './harness.js'

/** Two devices of a user who has nothing to do with what happens, and notices nothing of it. */
export interface Witness {
  /** Writes on one device, and waits until the other has it. */
  check: () => Promise<void>
  /** That neither was ever disconnected. */
  expectUndisturbed: () => void
}

/** Connects a {@link Witness}; whoever authenticates must take its name as a token. */
export async function createWitness(running: Running): Promise<Witness> {
  const params = { token: 'witness' }
  const [writer, reader] = [
    connectStock(running, 'witness', { params }),
    connectStock(running, 'witness', { params }),
  ]
  await Promise.all([writer.synced, reader.synced])
  let count = 0
  return {
    async check() {
      count++
      writer.doc.getMap('witness').set('count', count)
      await until('the witness syncs', () => reader.doc.getMap('witness').get('count') === count, 30_000)
    },
    expectUndisturbed() {
      expect([...writer.closes, ...reader.closes]).toEqual([])
    },
  }
}
