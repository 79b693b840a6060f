import type { Environment } from '../environment.js'
import type { Stamp } from './stamp.js'

/** A hybrid logical time: milliseconds since 1970, a counter within the millisecond, the document instance that took it. */
export type HlcStamp = readonly [ms: number, counter: number, instance: string]

/** How far a clock got. Kept outside of the document, so that it does not fall back when a crash loses the last edits. */
export interface ClockHighWater {
  readonly ms: number
  readonly counter: number
}

/** From here on (the year 10889) a time is taken for a broken clock's, by every device alike. */
const HLC_MS_LIMIT = 2 ** 48

/** A clock whose stamps rise, whatever the wall clock does, above every stamp it has seen. */
export interface HybridClock {
  /** Eight characters that name this document instance. */
  readonly instance: string
  /** A stamp greater than every one given or observed before. */
  next: () => HlcStamp
  /** Takes a new name: a copy of this process goes on under the present one. */
  rename: () => void
  /** Moves the clock past a stamp that somebody wrote. */
  observe: (ms: number, counter: number) => void
  readonly highWater: ClockHighWater
}

/** Creates a {@link HybridClock} that starts at `highWater` or the wall clock, whichever is later. */
export function createHybridClock(
  environment: Pick<Environment, 'now' | 'random'>,
  highWater: ClockHighWater = { ms: 0, counter: 0 },
): HybridClock {
  let instance = randomName(environment.random)
  let { ms, counter } = isHlcTime(highWater.ms, highWater.counter) ? highWater : { ms: 0, counter: 0 }
  return {
    get instance() {
      return instance
    },
    rename() {
      instance = randomName(environment.random)
    },
    next() {
      const wall = Math.floor(environment.now())
      if (wall > ms && wall < HLC_MS_LIMIT) {
        ms = wall
        counter = 0
      } else counter++
      return [ms, counter, instance]
    },
    observe(seenMs, seenCounter) {
      if (seenMs > ms || (seenMs === ms && seenCounter > counter)) {
        ms = seenMs
        counter = seenCounter
      }
    },
    get highWater() {
      return { ms, counter }
    },
  }
}

/** True if the first three places of a stamp are a hybrid logical time. */
export function startsWithHlc(stamp: Stamp): boolean {
  return isHlcTime(stamp[0], stamp[1]) && typeof stamp[2] === 'string' && stamp[2].length > 0
}

function isHlcTime(ms: unknown, counter: unknown): boolean {
  return isCount(ms) && ms < HLC_MS_LIMIT && isCount(counter)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

const NAME_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Eight random letters and digits: 41 bits, so that a thousand sessions of one user clash once in four million. */
export function randomName(random: () => number, length = 8): string {
  let name = ''
  for (let i = 0; i < length; i++) name += NAME_ALPHABET[Math.floor(random() * NAME_ALPHABET.length)]
  return name
}
