import type { IncomingHttpHeaders } from 'node:http'

/** What is known of somebody who wants into a room. */
export interface AccessRequest {
  /** The user whose room it is; `undefined` for a request by HTTP that names none, where the token alone tells. */
  readonly uid: string | undefined
  /**
   * Of a WebSocket from the subprotocol `parley.token.<token>`, else from the query parameter `token`; of other requests from
   * `Authorization: Bearer <token>`, else from the header `token`. A client of `parley.1` may send a fresh one on the
   * connection it has.
   */
  readonly token: string | undefined
  /** As the client sent them; none with a fresh token on an open connection. They carry the token too: not to be logged. */
  readonly headers: IncomingHttpHeaders
  /** The client's address; behind trusted proxies the one they tell. */
  readonly remoteAddress: string | undefined
  /** Aborted when the answer comes too late to matter. */
  readonly signal: AbortSignal
}

/** What somebody may do. */
export interface Access {
  /**
   * Who it is. If this is not the user whose room it is, the answer is 4403, or 403. For a service that may act for everybody
   * return the user it asks for.
   */
  readonly uid: string
  /** Whose token it is, where that is not `uid`, as with a service. A fresh token on a connection must be of the same. */
  readonly subject?: string
  /** Which of the user's devices the token was issued to, so that the tokens of one can be taken back. */
  readonly device?: string
  /**
   * When the token was issued, in milliseconds since 1970. One that was issued before the user's tokens were taken back is not
   * taken. If left out, the hook itself vouches for the token each time it is asked.
   */
  readonly issuedAt?: number
  /** True if they may look and not change anything. */
  readonly readOnly?: boolean
  /** When this ends, in milliseconds since 1970: the connection is then closed with 4401. Never, if left out. */
  readonly expiresAt?: number
}

/**
 * Decides who may use a room. Throw an {@link AccessError} to refuse; any other error says that it could not be decided,
 * and the client tries again later.
 *
 * @example
 * ```ts
 * import { AccessError, type Authenticate } from '@parley/server'
 *
 * const sessions = new Map([['secret', 'alice']])
 * const authenticate: Authenticate = ({ token }) => {
 *   const uid = sessions.get(token ?? '')
 *   if (uid === undefined) throw new AccessError('unauthenticated', 'the token is unknown')
 *   return { uid }
 * }
 * ```
 */
export type Authenticate = (request: AccessRequest) => Access | Promise<Access>

/** Why somebody is refused: `unauthenticated` closes with 4401, `forbidden` with 4403. */
export type AccessErrorCode = 'unauthenticated' | 'forbidden'

/** Refuses somebody. The message is told to them. */
export class AccessError extends Error {
  override name = 'AccessError'
  readonly code: AccessErrorCode

  constructor(code: AccessErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
