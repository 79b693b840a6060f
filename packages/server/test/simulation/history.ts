import { demandInvariants } from './invariants.js'
import { createWorld } from './world.js'

/** Runs the history of a seed: some steps in an unreliable world, then peace, then what must hold. */
export async function runHistory(seed: number): Promise<void> {
  const world = createWorld(seed)
  try {
    const steps = 5 + world.random.int(70)
    for (let n = 0; n < steps; n++) {
      world.step()
      if (world.random.chance(0.7)) await world.time.advance(world.random.int(30))
    }
    await world.settle()
    await demandInvariants(world)
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
  } finally {
    world.time.restore()
  }
}
