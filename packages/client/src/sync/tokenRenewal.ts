import type { ClientEnvironment } from '../environment.js'
import { fetchToken, type GetToken } from './token.js'

/** How long before its end a token is replaced, so that a slow or failing sign-in leaves time for another attempt. */
const LEAD_MS = 60_000

/** With less left than this the connection is let end: a token that was refused is asked for anew with the next one. */
const LAST_ATTEMPT_MS = 1_000

/** Gives the server fresh tokens on the connection there is, so that it need not end. */
export interface TokenRenewal {
  /** Notes the token that a connection began with. */
  began: (token: string) => void
  /** Notes how long the server says the token lasts, in milliseconds; `null` if it does not end. */
  lasts: (lifetimeMs: number | null) => void
  /** Asks the app whether it has another token by now. */
  ask: () => void
  /** The connection ended. */
  stop: () => void
}

export interface TokenRenewalOptions {
  readonly getToken: GetToken
  readonly environment: Pick<ClientEnvironment, 'elapsed' | 'random' | 'schedule' | 'reportError'>
  /** Sends a token on the connection there is. */
  readonly send: (token: string) => void
}

/** Creates {@link TokenRenewal}. */
export function createTokenRenewal({ getToken, environment, send }: TokenRenewalOptions): TokenRenewal {
  let current: string | null = null
  let end: number | null = null
  let cancelTimer: (() => void) | null = null
  let asking: AbortController | null = null

  const schedule = (): void => {
    cancelTimer?.()
    cancelTimer = null
    if (end === null) return
    const left = end - environment.elapsed()
    if (left < LAST_ATTEMPT_MS) return
    // Spread, for tokens that were given out together expire together. Each further attempt comes at half of what is left.
    const lead = left > 2 * LEAD_MS ? LEAD_MS * (1 + environment.random() / 2) : left / 2
    cancelTimer = environment.schedule(() => {
      cancelTimer = null
      // Timers take no more than 25 days.
      if (end !== null && end - environment.elapsed() > 2 * LEAD_MS) schedule()
      else void renew(true)
    }, left - lead)
  }

  const renew = async (refresh: boolean): Promise<void> => {
    asking?.abort()
    const mine = new AbortController()
    asking = mine
    const fetched = await fetchToken(getToken, { refresh, signal: mine.signal }, environment.schedule)
    if (asking !== mine) return
    asking = null
    if (fetched.kind === 'failed') environment.reportError(fetched.error)
    else if (fetched.kind === 'token' && fetched.value !== current) {
      current = fetched.value
      send(fetched.value)
    }
    // The answer says how long it lasts now; this is for when there is none, or nothing was sent.
    schedule()
  }

  return {
    began(token) {
      current = token
    },
    lasts(lifetimeMs) {
      end = lifetimeMs === null ? null : environment.elapsed() + lifetimeMs
      schedule()
    },
    ask() {
      void renew(false)
    },
    stop() {
      asking?.abort()
      asking = null
      cancelTimer?.()
      cancelTimer = null
      current = null
      end = null
    },
  }
}
