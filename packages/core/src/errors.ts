/**
 * What went wrong, as a literal that callers can switch on.
 *
 * - `invalid-argument`: a call was made with a value it does not take; the message names the field.
 * - `draft-too-long`: a draft would be, or is, longer than `MAX_DRAFT_LENGTH`; the text is not cut, and stays where it is.
 * - `invalid-update`: bytes are no Yjs update, or one that no honest client writes.
 * - `too-large`: an update holds or costs more than any honest client writes; the message names the limit.
 * - `not-found`: a draft, send or message that is named does not exist.
 * - `closed`: the object was closed or destroyed before the call.
 * - `duplicate-yjs`: the document was made by another copy of Yjs than the one Parley uses.
 */
export type ParleyErrorCode =
  | 'invalid-argument'
  | 'draft-too-long'
  | 'invalid-update'
  | 'too-large'
  | 'not-found'
  | 'closed'
  | 'duplicate-yjs'

/** An error that a caller can act on: `code` says what kind it is, `field` which argument is meant. */
export class ParleyError extends Error {
  override name = 'ParleyError'
  readonly code: ParleyErrorCode
  /** The argument or member the error is about, such as `channel.channelType`. */
  readonly field: string | undefined

  constructor(code: ParleyErrorCode, message: string, options: { field?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.field = options.field
  }
}

/** Throws the error for a bad argument: `channel.channelId must be …`. */
export function invalidArgument(field: string, expectation: string): never {
  throw new ParleyError('invalid-argument', `${field} must be ${expectation}`, { field })
}
