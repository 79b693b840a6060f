import { ParleyError } from '@parley/core'
import { ServerError } from '../errors.js'

/** An answer other than 200, in the words that WuKongIM's clients expect. */
export class HttpError extends Error {
  override name = 'HttpError'
  readonly status: number
  /** How long to wait before asking again, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(status: number, message: string, retryAfterMs?: number) {
    super(message)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

const BAD_REQUEST = 400
const UNAUTHENTICATED = 401
const TOO_LARGE = 413
const INTERNAL = 500
const UNAVAILABLE = 503

/** The status and the text for whatever went wrong. */
export function describeError(error: Error & { statusCode?: number }): { status: number; msg: string } {
  if (error instanceof HttpError) return { status: error.status, msg: error.message }
  if (error instanceof ParleyError && error.code === 'invalid-argument') {
    return { status: BAD_REQUEST, msg: error.message }
  }
  if (error instanceof ServerError) {
    if (error.code === 'too-large') return { status: TOO_LARGE, msg: error.message }
    if (error.code === 'store-unavailable' || error.code === 'closed') {
      return { status: UNAVAILABLE, msg: 'the store is not available now' }
    }
  }
  // Only what came in is nested so deeply, a payload in base64 included.
  if (error instanceof RangeError && error.statusCode === undefined)
    return { status: BAD_REQUEST, msg: 'the body is nested too deeply' }
  const status = error.statusCode ?? INTERNAL
  // What is wrong inside is nobody's business outside.
  return status < INTERNAL ? { status, msg: error.message } : { status: INTERNAL, msg: 'internal error' }
}

/** The body of an answer that is an error. TangSengDaoDao's 401 has no `status`. */
export function errorBody({ status, msg }: { status: number; msg: string }): object {
  return status === UNAUTHENTICATED ? { msg } : { msg, status }
}
