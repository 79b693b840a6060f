import { CLOSE_CODES, type CloseCode } from '@parley/core'
import type { Logger } from '../logger.js'
import { type Access, AccessError, type AccessRequest, type Authenticate } from './authenticate.js'
import type { Revocations } from './revocations.js'

/** What became of asking for access. */
export type Decision = { readonly access: Access } | RefusedAccess

/** Why there is none. */
export interface RefusedAccess {
  readonly code: CloseCode
  readonly reason: string
}

/** Decides who gets in: asks the hook, and no longer than it may take. It never rejects. */
export type Gate = (request: Omit<AccessRequest, 'signal'>) => Promise<Decision>

export interface GateOptions {
  authenticate: Authenticate
  /** How long the hook may take, in milliseconds. */
  timeoutMs: number
  revocations: Pick<Revocations, 'check'>
  logger: Logger
}

/** Creates the {@link Gate} that WebSockets, fresh tokens and plain HTTP pass alike. */
export function createGate({ authenticate, timeoutMs, revocations, logger }: GateOptions): Gate {
  return async (request) => {
    try {
      const access = await ask(authenticate, request, timeoutMs)
      if (request.uid !== undefined && access.uid !== request.uid) {
        return { code: CLOSE_CODES.forbidden, reason: 'the room is not yours' }
      }
      const [isRevoked] = await revocations.check([access])
      if (isRevoked) return { code: CLOSE_CODES.unauthenticated, reason: 'the token was revoked' }
      return { access }
    } catch (error) {
      if (error instanceof AccessError) {
        const code = error.code === 'forbidden' ? CLOSE_CODES.forbidden : CLOSE_CODES.unauthenticated
        return { code, reason: error.message }
      }
      logger.error({ room: request.uid, err: error }, 'who somebody is could not be decided')
      return { code: CLOSE_CODES.storeUnavailable, reason: 'who you are could not be checked' }
    }
  }
}

async function ask(
  authenticate: Authenticate,
  request: Omit<AccessRequest, 'signal'>,
  timeoutMs: number,
): Promise<Access> {
  const signal = AbortSignal.timeout(timeoutMs)
  return Promise.race([
    // In a function of its own, so that a hook that throws at once is one that rejects.
    (async () => authenticate({ ...request, signal }))(),
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    }),
  ])
}
