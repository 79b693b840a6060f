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
export function createBucket(rate: Rate, now: () => number): Bucket {
  return new TokenBucket(rate, now)
}

/** A class, as there are several for each connection, and each is asked for every message. */
class TokenBucket implements Bucket {
  private readonly rate: Rate
  private readonly now: () => number
  private level: number
  private at: number

  constructor(rate: Rate, now: () => number) {
    this.rate = rate
    this.now = now
    this.level = rate.burst
    this.at = now()
  }

  take(amount: number): boolean {
    if (this.fill() < 1) return false
    this.level -= amount
    return true
  }

  get waitMs(): number {
    return Math.max(0, Math.ceil(((1 - this.fill()) / this.rate.perSecond) * MS_PER_S))
  }

  get isFull(): boolean {
    return this.fill() >= this.rate.burst
  }

  private fill(): number {
    const { perSecond, burst } = this.rate
    const time = this.now()
    this.level = Math.min(burst, this.level + ((time - this.at) / MS_PER_S) * perSecond)
    this.at = time
    return this.level
  }
}
