import { createBucket, type Rate } from '../admission/bucket.js'
import { ServerError } from '../errors.js'
import {
  type AwarenessEntry,
  decodeAwareness,
  encodeAwarenessEntries,
  isNewer,
} from '../room/awarenessUpdate.js'

/** Passes on who is there, not more often than it may be. */
export interface AwarenessPace {
  /**
   * Passes an awareness update on, or keeps what is newest in it until it may be.
   *
   * @throws ServerError with code `malformed`
   */
  offer: (update: Uint8Array) => void
  /** Forgets what waits. */
  stop: () => void
}

export interface AwarenessPaceOptions {
  rate: Rate
  /** Of how many clients something may wait. */
  maxClients: number
  /** Passes an update on. */
  pass: (update: Uint8Array) => void
}

/**
 * Creates an {@link AwarenessPace}. A cursor that moves with every key is told to the others every now and then: what counts is
 * where it is, not where it was. Nothing is lost by waiting but what is no longer so.
 */
export function createAwarenessPace({ rate, maxClients, pass }: AwarenessPaceOptions): AwarenessPace {
  const bucket = createBucket(rate, () => performance.now())
  const waiting = new Map<number, AwarenessEntry>()
  let timer: NodeJS.Timeout | null = null

  const flush = (): void => {
    timer = null
    if (!bucket.take(1)) {
      later()
      return
    }
    const entries = [...waiting.values()]
    waiting.clear()
    pass(encodeAwarenessEntries(entries))
  }
  const later = (): void => {
    timer ??= setTimeout(flush, Math.max(1, bucket.waitMs)).unref()
  }

  return {
    offer(update) {
      if (timer === null && bucket.take(1)) {
        pass(update)
        return
      }
      for (const entry of decodeAwareness(update)) {
        const known = waiting.get(entry.client)
        if (!known || isNewer(entry, known)) waiting.set(entry.client, entry)
      }
      if (waiting.size > maxClients)
        throw new ServerError('malformed', `awareness for more than ${maxClients} clients`)
      later()
    },
    stop() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      waiting.clear()
    },
  }
}
