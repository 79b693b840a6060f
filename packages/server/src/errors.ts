/**
 * What went wrong in the server, as a literal that callers can switch on.
 *
 * - `invalid-argument`: an option or a call has a value it does not take; the message names it.
 * - `malformed`: bytes from a client are no message of the protocol.
 * - `too-large`: a document, or one update, is larger than the server keeps.
 * - `gap`: an update builds on something the server does not have.
 * - `store-locked`: the data folder is in use by another store.
 * - `store-damaged`: what is stored cannot be read; nothing was overwritten.
 * - `store-unavailable`: the store could not read or write now; trying again later may help.
 * - `closed`: the object was closed before the call.
 */
export type ServerErrorCode =
  | 'invalid-argument'
  | 'malformed'
  | 'too-large'
  | 'gap'
  | 'store-locked'
  | 'store-damaged'
  | 'store-unavailable'
  | 'closed'

/** An error of the server that a caller can act on. */
export class ServerError extends Error {
  override name = 'ServerError'
  readonly code: ServerErrorCode

  constructor(code: ServerErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
  }
}
