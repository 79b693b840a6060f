/** Long work of one request in slices, between which the event loop serves others. */
export interface Turns {
  /** True if the slice has taken as long as one may. */
  isOver: () => boolean
  /** Waits for the next turn of the event loop, where a new slice begins. */
  next: () => Promise<void>
}

const SLICE_MS = 20

/** Creates {@link Turns}; the first slice begins now. */
export function createTurns(): Turns {
  let start = performance.now()
  return {
    isOver: () => performance.now() - start > SLICE_MS,
    async next() {
      await new Promise((resolve) => setImmediate(resolve))
      start = performance.now()
    },
  }
}
