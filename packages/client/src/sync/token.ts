import type { Environment } from '@parley/core'
import type { ConnectionReasonCode, Reason } from '../status/status.js'

/** What a token is wanted for. */
export interface TokenRequest {
  /** True if the server has just refused the last one, or it soon expires: a stored one will not do. */
  readonly refresh: boolean
  /** Aborted when the token is no longer wanted. */
  readonly signal: AbortSignal
}

/**
 * Gets the token for the next connection, or `null` if nobody is signed in. Called before each attempt to connect, a minute or
 * so before a token expires, and at `connect()`: a Parley server takes a fresh one without a new connection. The token
 * may hold any characters. It travels as a subprotocol if it can, and otherwise in the first message.
 *
 * @example
 * ```ts
 * import type { GetToken } from '@parley/client'
 *
 * let stored: string | null = null
 * const getToken: GetToken = async ({ refresh, signal }) => {
 *   if (refresh || stored === null) {
 *     const response = await fetch('https://chat.example/token', { signal })
 *     stored = response.ok ? await response.text() : null
 *   }
 *   return stored
 * }
 * ```
 */
export type GetToken = (request: TokenRequest) => string | null | Promise<string | null>

/** What became of asking the app for a token. */
export type FetchedToken =
  | { readonly kind: 'token'; readonly value: string }
  | { readonly kind: 'none'; readonly reason: Reason<ConnectionReasonCode> }
  | { readonly kind: 'failed'; readonly reason: Reason<ConnectionReasonCode>; readonly error: unknown }

/** How long the app may take to get a token. */
const TOKEN_TIMEOUT_MS = 30_000

/** Asks the app for a token. It never rejects. */
export async function fetchToken(
  getToken: GetToken,
  request: TokenRequest,
  schedule: Environment['schedule'],
): Promise<FetchedToken> {
  let cancel = (): void => {}
  try {
    const timeout = new Promise<never>((_, reject) => {
      cancel = schedule(() => reject(new Error('getToken did not answer')), TOKEN_TIMEOUT_MS)
    })
    const value = await Promise.race([Promise.resolve(getToken(request)), timeout])
    if (typeof value === 'string' && value !== '') return { kind: 'token', value }
    return { kind: 'none', reason: { code: 'token-missing', message: 'Nobody is signed in.' } }
  } catch (error) {
    const reason = { code: 'token-unavailable', message: 'The sign-in could not be fetched.' } as const
    return { kind: 'failed', reason, error }
  } finally {
    cancel()
  }
}
