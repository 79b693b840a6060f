import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/**
 * The type of the messages about tokens, which belong to `parley.1`.
 *
 * A client sends `[113, token]`: a fresh token for the connection it is on. A server answers, and says by itself when a
 * connection begins that ends, `[113, milliseconds]`: how long the token lasts from now on. A token that it does not take closes
 * the connection instead.
 *
 * A client whose token cannot travel as a subprotocol sends it as the first message of a connection. The connection then belongs
 * to `parley.1` without the subprotocol, and the server answers in any case.
 */
export const MESSAGE_TOKEN = 113

/** Encodes a fresh token for the connection it is sent on. */
export function encodeToken(token: string): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MESSAGE_TOKEN)
  encoding.writeVarString(encoder, token)
  return encoding.toUint8Array(encoder)
}

/** Reads the token of a message whose type has been read already. */
export function readToken(decoder: decoding.Decoder): string {
  return decoding.readVarString(decoder)
}

/**
 * Encodes how long the token of a connection lasts. It is a time span, so that the clocks of both sides need not agree.
 *
 * @param lifetimeMs milliseconds from now on, `null` for a connection that does not end
 */
export function encodeTokenLifetime(lifetimeMs: number | null): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MESSAGE_TOKEN)
  // 0 is free: what has ended is closed, not told.
  encoding.writeVarUint(encoder, lifetimeMs === null ? 0 : Math.max(1, Math.floor(lifetimeMs)))
  return encoding.toUint8Array(encoder)
}

/** Reads how long a token lasts from a message whose type has been read already; `null` if the connection does not end. */
export function readTokenLifetime(decoder: decoding.Decoder): number | null {
  const lifetimeMs = decoding.readVarUint(decoder)
  return lifetimeMs === 0 ? null : lifetimeMs
}
