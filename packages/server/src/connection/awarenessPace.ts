import { type Bucket, createBucket, type Rate } from '../admission/bucket.js'
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
export function createAwarenessPace(options: AwarenessPaceOptions): AwarenessPace {
  return new BucketPace(options)
}

const now = (): number => performance.now()

/** A class, as there is one for each connection. */
class BucketPace implements AwarenessPace {
  private readonly bucket: Bucket
  private readonly maxClients: number
  private readonly pass: (update: Uint8Array) => void
  private waiting: Map<number, AwarenessEntry> | null = null
  private timer: NodeJS.Timeout | null = null

  constructor({ rate, maxClients, pass }: AwarenessPaceOptions) {
    this.bucket = createBucket(rate, now)
    this.maxClients = maxClients
    this.pass = pass
  }

  offer(update: Uint8Array): void {
    if (this.timer === null && this.bucket.take(1)) {
      this.pass(update)
      return
    }
    this.waiting ??= new Map()
    for (const entry of decodeAwareness(update)) {
      const known = this.waiting.get(entry.client)
      if (!known || isNewer(entry, known)) this.waiting.set(entry.client, entry)
    }
    if (this.waiting.size > this.maxClients)
      throw new ServerError('malformed', `awareness for more than ${this.maxClients} clients`)
    this.passLater()
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.waiting = null
  }

  private passLater(): void {
    this.timer ??= setTimeout(() => this.flush(), Math.max(1, this.bucket.waitMs)).unref()
  }

  private flush(): void {
    this.timer = null
    if (!this.bucket.take(1)) {
      this.passLater()
      return
    }
    const entries = [...(this.waiting?.values() ?? [])]
    this.waiting = null
    this.pass(encodeAwarenessEntries(entries))
  }
}
