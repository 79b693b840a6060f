import { ServerError } from '../errors.js'

/** Whether a server can store what it is brought. */
export interface Readiness {
  /**
   * Resolves if it can.
   *
   * @throws ServerError with code `closed` once the server stops, `store-unavailable` if the store does not answer in time;
   * else what the store throws
   */
  readonly check: () => Promise<void>
  /** From now on it cannot. */
  readonly stop: () => void
}

export interface ReadinessOptions {
  /** Tries to store something. */
  readonly tryStore: () => Promise<void>
  /** How long that may take before it counts as failed. */
  readonly timeoutMs: number
  /** How long an answer is good for: asking often must not keep the disk busy. */
  readonly freshMs: number
  /** A clock in milliseconds that never goes back. */
  readonly now?: () => number
}

/** Creates {@link Readiness}. However many ask, one attempt to store is under way at most, even if it never ends. */
export function createReadiness({
  tryStore,
  timeoutMs,
  freshMs,
  now = () => performance.now(),
}: ReadinessOptions): Readiness {
  let stopped = false
  let attempt: { readonly outcome: Promise<void>; endedAt: number | null } | null = null

  const start = (): Promise<void> => {
    const outcome = tryStore()
    const mine: typeof attempt = { outcome, endedAt: null }
    attempt = mine
    const end = (): void => {
      mine.endedAt = now()
    }
    outcome.then(end, end)
    return outcome
  }
  const isUsable = (): boolean =>
    attempt !== null && (attempt.endedAt === null || now() - attempt.endedAt < freshMs)

  return {
    async check() {
      if (stopped) throw new ServerError('closed', 'The server stops')
      const outcome = attempt !== null && isUsable() ? attempt.outcome : start()
      await within(outcome, timeoutMs)
    },
    stop() {
      stopped = true
    },
  }
}

async function within(outcome: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ServerError('store-unavailable', `The store did not answer within ${timeoutMs} ms`))
    }, timeoutMs)
  })
  try {
    await Promise.race([outcome, late])
  } finally {
    clearTimeout(timer)
  }
}
