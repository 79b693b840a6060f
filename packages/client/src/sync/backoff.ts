/** The first pause between two attempts to connect. */
const MIN_DELAY_MS = 300

/** The longest pause: what a user waits who does not know that the server is back. */
const MAX_DELAY_MS = 30_000

/** Pauses that double, each drawn at random, so that the clients of a server that restarts do not return all at once. */
export interface Backoff {
  /** How long to wait before the next attempt, in milliseconds. */
  next: () => number
  reset: () => void
}

/** Creates a {@link Backoff}. */
export function createBackoff(random: () => number): Backoff {
  let failures = 0
  return {
    next() {
      const ceiling = Math.min(MIN_DELAY_MS * 2 ** failures, MAX_DELAY_MS)
      failures++
      return ceiling / 2 + (ceiling / 2) * random()
    },
    reset() {
      failures = 0
    },
  }
}
