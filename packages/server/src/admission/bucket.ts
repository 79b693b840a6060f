/** How much may go through in the long run, and how much at once after a pause. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/**
 * A token bucket: it holds `burst` at most and is filled with `perSecond`.
 *
 * What is taken may be more than is left: so one large thing goes through whenever there is anything left, and what follows waits
 * until the bucket has made up for it.
 */
export interface Bucket {
  /** Takes so much; false, and nothing is taken, while there is less than one left. */
  take: (amount: number) => boolean
  /** How long there is less than one left if nothing more is taken, in milliseconds. */
  readonly waitMs: number
  /** True if all that was ever taken has been made up for: another bucket would do as well. */
  readonly isFull: boolean
}

const MS_PER_S = 1000

/** Creates a full {@link Bucket}. `now` is a clock in milliseconds that never goes back. */
export function createBucket({ perSecond, burst }: Rate, now: () => number): Bucket {
  let level = burst
  let at = now()
  const fill = (): number => {
    const time = now()
    level = Math.min(burst, level + ((time - at) / MS_PER_S) * perSecond)
    at = time
    return level
  }
  return {
    take(amount) {
      if (fill() < 1) return false
      level -= amount
      return true
    },
    get waitMs() {
      return Math.max(0, Math.ceil(((1 - fill()) / perSecond) * MS_PER_S))
    },
    get isFull() {
      return fill() >= burst
    },
  }
}
