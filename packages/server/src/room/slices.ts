/** Work is interrupted after so many milliseconds. */
const SLICE_MS = 10

/**
 * Interrupts long work so that the event loop serves everything else: returns a promise of its next turn once a slice of time is
 * used up, and `null` before.
 *
 * In a loop: `const paused = slices()`, then `if (paused) await paused`.
 */
export type Slices = () => Promise<void> | null

/** Creates {@link Slices}; the first slice begins now. */
export function createSlices(): Slices {
  let end = performance.now() + SLICE_MS
  return () => {
    if (performance.now() < end) return null
    return new Promise((resolve) => {
      setImmediate(() => {
        end = performance.now() + SLICE_MS
        resolve()
      })
    })
  }
}

/** Runs a generator to its end in slices, and returns what it returns. */
export async function runInSlices<Result>(
  steps: Generator<void, Result, undefined>,
  slices: Slices,
): Promise<Result> {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    const paused = slices()
    if (paused) await paused
  }
}
