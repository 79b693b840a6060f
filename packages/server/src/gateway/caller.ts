import type { FastifyRequest } from 'fastify'
import { askAccess } from '../access/ask.js'
import { AccessError, type Authenticate } from '../access/authenticate.js'
import { isUid } from '../access/roomPath.js'
import type { Logger } from '../logger.js'
import { HttpError } from './httpError.js'

/** Whoever sent a request. */
export interface Caller {
  readonly uid: string
  readonly readOnly: boolean
}

/**
 * Finds out who sent a request.
 *
 * @param named the user that its body names, if it does
 * @throws HttpError with status 401 or 403
 */
export type Identify = (request: FastifyRequest, named?: string) => Promise<Caller>

export interface IdentifyOptions {
  /** `null` believes whoever is named, in the body or as the token. */
  authenticate: Authenticate | null
  timeoutMs: number
  logger: Logger
}

const BAD_REQUEST = 400
const UNAUTHENTICATED = 401
const FORBIDDEN = 403
const UNAVAILABLE = 503

/** Creates {@link Identify}. */
export function createIdentify({ authenticate, timeoutMs, logger }: IdentifyOptions): Identify {
  const decide = async (request: FastifyRequest, named: string | undefined): Promise<Caller> => {
    const token = tokenOf(request)
    if (!authenticate) {
      const uid = token ?? named
      if (uid === undefined) throw new HttpError(UNAUTHENTICATED, 'a token is missing')
      return { uid, readOnly: false }
    }
    if (token === undefined) throw new HttpError(UNAUTHENTICATED, 'a token is missing')
    const { headers, ip } = request
    try {
      const access = await askAccess(
        authenticate,
        { uid: named, token, headers, remoteAddress: ip },
        timeoutMs,
      )
      return { uid: access.uid, readOnly: access.readOnly === true }
    } catch (error) {
      if (error instanceof AccessError) {
        const status = error.code === 'forbidden' ? FORBIDDEN : UNAUTHENTICATED
        throw new HttpError(status, error.message)
      }
      logger.error({ err: error }, 'who somebody is could not be decided')
      throw new HttpError(UNAVAILABLE, 'who you are could not be checked')
    }
  }
  return async (request, named) => {
    if (named !== undefined && !isUid(named)) {
      throw new HttpError(BAD_REQUEST, 'uid must be a string of 1 to 200 characters')
    }
    const caller = await decide(request, named)
    if (!isUid(caller.uid)) throw new HttpError(UNAUTHENTICATED, 'the token names no user')
    if (named !== undefined && named !== caller.uid) throw new HttpError(FORBIDDEN, 'uid is not yours')
    return caller
  }
}

/** Refuses who may only look. */
export function mayWrite({ readOnly }: Caller): void {
  if (readOnly) throw new HttpError(FORBIDDEN, 'you may only read')
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const { token } = headers
  return bearer ?? (typeof token === 'string' && token !== '' ? token : undefined)
}
