import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** How much the process holds after garbage was collected, in bytes: objects, and buffers outside of the heap. */
export async function heldBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  // What is freed by timers and finalizers takes a few rounds.
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    collect()
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
  }
  return least
}
