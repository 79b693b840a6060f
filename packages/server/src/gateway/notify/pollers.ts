import type { LogStore } from '../../log/logStore.js'
import type { Logger } from '../../logger.js'

/** Which users have clients that know only HTTP. */
export interface Pollers {
  /** One of a user's clients asked for something. */
  note: (uid: string) => void
  /** True if it is known, without a look at the store, that a user has none. */
  isKnownToHaveNone: (uid: string) => boolean
  has: (uid: string) => Promise<boolean>
}

export interface PollersOptions {
  log: LogStore
  logger: Logger
  /** The wall clock in milliseconds since 1970. */
  now: () => number
}

/** The name of the value beside a room's log: the day a client last asked. */
const VALUE_NAME = 'polled'
const DAY_MS = 24 * 60 * 60 * 1000
/** Who has not asked for so long has moved on; the next question brings the user back. */
const FORGET_AFTER_DAYS = 60
/** How long another node's note may go unseen, in milliseconds. */
const RECHECK_MS = 60_000
/** Users whose answer is kept in memory. */
const MAX_KNOWN = 10_000

/** Creates {@link Pollers}. They are noted beside the log, once a day. */
export function createPollers({ log, logger, now }: PollersOptions): Pollers {
  const known = new Map<string, { readonly day: number | null; readonly readAt: number }>()

  const remember = (uid: string, day: number | null): void => {
    known.delete(uid)
    known.set(uid, { day, readAt: now() })
    const [oldest] = known.keys()
    if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest)
  }
  const today = (): number => Math.floor(now() / DAY_MS)
  const isRecent = (day: number | null): boolean => day !== null && today() - day <= FORGET_AFTER_DAYS
  const isKnownToHaveNone = (uid: string): boolean => {
    const entry = known.get(uid)
    return entry !== undefined && !isRecent(entry.day) && now() - entry.readAt < RECHECK_MS
  }

  return {
    note(uid) {
      const day = today()
      if (known.get(uid)?.day === day) return
      remember(uid, day)
      const value = new TextEncoder().encode(String(day))
      log.values.write(`room:${uid}`, new Map([[VALUE_NAME, value]])).catch((error) => {
        // Written again by the next question.
        known.delete(uid)
        logger.warn({ room: uid, err: error }, 'that a user has a polling client is not kept')
      })
    },
    isKnownToHaveNone,
    async has(uid) {
      if (isRecent(known.get(uid)?.day ?? null)) return true
      if (isKnownToHaveNone(uid)) return false
      const value = (await log.values.read(`room:${uid}`, [VALUE_NAME])).get(VALUE_NAME)
      const day = value ? Number(new TextDecoder().decode(value)) : null
      remember(uid, day)
      return isRecent(day)
    },
  }
}
