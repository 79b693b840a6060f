import { CLOSE_CODES, type CloseCode } from '@parley/core'
import type { FastifyRequest } from 'fastify'
import type { Access } from '../access/authenticate.js'
import type { ClientAddress } from '../access/clientAddress.js'
import type { Gate } from '../access/gate.js'
import { isUid } from '../access/roomPath.js'
import { bearerOf } from '../access/secret.js'
import type { Admission } from '../admission/admission.js'
import { announcedBytes, meterChunked } from '../http/requestBody.js'
import { HttpError } from './httpError.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the token of the head allows; `null` on an open server. */
    access: Access | null
  }
}

/** The user who sent a request. */
export interface Caller {
  readonly uid: string
  readonly readOnly: boolean
}

/** Finds out who sent a request. */
export interface Callers {
  /**
   * Decides by the head of a request, before anything of its body is read, and counts the request.
   *
   * @throws HttpError with status 401, 403, 429 or 503
   */
  checkHead: (request: FastifyRequest) => Promise<void>
  /**
   * Decides with what the body says.
   *
   * @param named the user that the body names, if it does
   * @throws HttpError with status 400, 401 or 403
   */
  identify: Identify
}

export type Identify = (request: FastifyRequest, named?: string) => Promise<Caller>

export interface CallersOptions {
  /** `null` believes the user who is named, in the body or as the token. */
  gate: Gate | null
  clientAddress: ClientAddress
  admission: Pick<Admission, 'requestOf'>
}

const BAD_REQUEST = 400
const UNAUTHENTICATED = 401
const FORBIDDEN = 403
const TOO_MANY = 429
const UNAVAILABLE = 503
/** The status for what a WebSocket would be closed with. */
const STATUSES: ReadonlyMap<CloseCode, number> = new Map([
  [CLOSE_CODES.unauthenticated, UNAUTHENTICATED],
  [CLOSE_CODES.forbidden, FORBIDDEN],
])

/** What routes ask of a user's token; see `FastifyContextConfig`. */
export const READS = { needs: 'reading' } as const
export const WRITES = { needs: 'writing' } as const

/** Creates {@link Callers}. */
export function createCallers({ gate, clientAddress, admission }: CallersOptions): Callers {
  const ask = async (
    guard: Gate,
    { headers, raw }: FastifyRequest,
    token: string,
    named: string | undefined,
  ): Promise<Access> => {
    const decision = await guard({ uid: named, token, headers, remoteAddress: clientAddress(raw) })
    if ('code' in decision) throw new HttpError(STATUSES.get(decision.code) ?? UNAVAILABLE, decision.reason)
    return decision.access
  }
  const count = (request: FastifyRequest, { uid, subject = uid }: Access): void => {
    // A service asks for many, and for one of them as often as it has something for it.
    if (subject !== uid) return
    const waitMs = admission.requestOf(uid, { requests: 1, bytes: announcedBytes(request) })
    if (waitMs > 0) throw new HttpError(TOO_MANY, 'too many requests of one user', waitMs)
    meterChunked(request, (bytes) => void admission.requestOf(uid, { requests: 0, bytes }))
  }
  const requireToken = (request: FastifyRequest): string => {
    const token = tokenOf(request)
    if (token === undefined) throw new HttpError(UNAUTHENTICATED, 'a token is missing')
    return token
  }

  return {
    async checkHead(request) {
      if (!gate) return
      const access = await ask(gate, request, requireToken(request), undefined)
      count(request, access)
      if (request.routeOptions.config.needs === 'writing') mayWrite({ readOnly: access.readOnly === true })
      request.access = access
    },
    async identify(request, named) {
      if (named !== undefined && !isUid(named)) {
        throw new HttpError(BAD_REQUEST, 'uid must be a string of 1 to 200 characters')
      }
      if (!gate) {
        const uid = tokenOf(request) ?? named
        if (uid === undefined) throw new HttpError(UNAUTHENTICATED, 'a token is missing')
        return callerOf({ uid }, named)
      }
      const known = request.access
      // A token that is not of the user the body names may be a service's.
      const isEnough = known && (named === undefined || known.uid === named)
      return callerOf(isEnough ? known : await ask(gate, request, requireToken(request), named), named)
    },
  }
}

function callerOf({ uid, readOnly }: Access, named: string | undefined): Caller {
  if (!isUid(uid)) throw new HttpError(UNAUTHENTICATED, 'the token names no user')
  if (named !== undefined && named !== uid) throw new HttpError(FORBIDDEN, 'uid is not yours')
  return { uid, readOnly: readOnly === true }
}

/** Refuses who may only look. */
export function mayWrite({ readOnly }: Pick<Caller, 'readOnly'>): void {
  if (readOnly) throw new HttpError(FORBIDDEN, 'you may only read')
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  const { token } = headers
  return bearerOf(headers) ?? (typeof token === 'string' && token !== '' ? token : undefined)
}
