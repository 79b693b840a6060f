import { CLOSE_CODES, type CloseCode } from '@parley/core'
import type { FastifyRequest } from 'fastify'
import type { ClientAddress } from '../access/clientAddress.js'
import type { Gate } from '../access/gate.js'
import { isUid } from '../access/roomPath.js'
import { bearerOf } from '../access/secret.js'
import type { Admission } from '../admission/admission.js'
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

/** Creates {@link Identify}. */
export function createIdentify({ gate, clientAddress, admission }: IdentifyOptions): Identify {
  const ask = async (
    guard: Gate,
    { headers, raw }: FastifyRequest,
    token: string,
    named: string | undefined,
  ): Promise<Caller> => {
    const decision = await guard({ uid: named, token, headers, remoteAddress: clientAddress(raw) })
    if ('code' in decision) throw new HttpError(STATUSES.get(decision.code) ?? UNAVAILABLE, decision.reason)
    const { uid, subject = uid, readOnly } = decision.access
    // A service asks for many, and for one of them as often as it has something for it.
    const waitMs = subject === uid ? admission.requestOf(uid) : 0
    if (waitMs > 0) throw new HttpError(TOO_MANY, 'too many requests of one user', waitMs)
    return { uid, readOnly: readOnly === true }
  }
  return async (request, named) => {
    if (named !== undefined && !isUid(named)) {
      throw new HttpError(BAD_REQUEST, 'uid must be a string of 1 to 200 characters')
    }
    const token = tokenOf(request)
    const uid = token ?? (gate ? undefined : named)
    if (uid === undefined) throw new HttpError(UNAUTHENTICATED, 'a token is missing')
    const caller = gate ? await ask(gate, request, uid, named) : { uid, readOnly: false }
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
  const { token } = headers
  return bearerOf(headers) ?? (typeof token === 'string' && token !== '' ? token : undefined)
}
