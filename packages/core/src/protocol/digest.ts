import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { DIGEST_FORMAT, type StateDigest } from '../digest/documentDigest.js'

/**
 * The type of the messages that compare what both sides hold, which belong to `parley.1`.
 *
 * A client sends `[114, id, format, epoch, version, lost, vector, state]` when its document is exactly what the server acknowledged at
 * `version`; the server compares it with its own as of that version and answers `[114, id, outcome]`. When a connection begins it
 * sends `[114, 0, epoch, version]`: how far its log goes before the client has sent anything.
 */
export const MESSAGE_DIGEST = 114

/** What a client holds, and as of when. */
export interface DigestClaim {
  /** Echoed in the answer; greater than 0. */
  readonly id: number
  /** Of the last acknowledgement, after which the client has neither received nor made any change. */
  readonly epoch: number
  readonly version: number
  /**
   * By how many versions the server's log was behind what it had acknowledged to the client before, when the connection began: 0
   * unless the server was put back to an earlier state.
   */
  readonly lost: number
  readonly digest: StateDigest
}

/**
 * What comparing came to.
 *
 * - `same`: both hold the same.
 * - `diverged`: both have the same insertions and they say different things: a copy went on under the same client id.
 * - `incomplete`: one side lacks insertions that the other one has.
 * - `moved`: the server's log has gone on; ask again.
 * - `skipped`: the server has too much to do, or computes digests of another format.
 */
export type DigestOutcome = (typeof OUTCOMES)[number]

const OUTCOMES = ['same', 'diverged', 'incomplete', 'moved', 'skipped'] as const

/** Encodes a client's {@link DigestClaim}. */
export function encodeDigestClaim({ id, epoch, version, lost, digest }: DigestClaim): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const number of [MESSAGE_DIGEST, id, DIGEST_FORMAT, epoch, version, lost]) {
    encoding.writeVarUint(encoder, number)
  }
  encoding.writeVarUint8Array(encoder, digest.vector)
  encoding.writeVarUint8Array(encoder, digest.state)
  return encoding.toUint8Array(encoder)
}

/** Reads a claim whose message type has been read already; the digest of another format is `null`. */
export function readDigestClaim(
  decoder: decoding.Decoder,
): Omit<DigestClaim, 'digest'> & { readonly digest: StateDigest | null } {
  const id = decoding.readVarUint(decoder)
  const format = decoding.readVarUint(decoder)
  const epoch = decoding.readVarUint(decoder)
  const version = decoding.readVarUint(decoder)
  const lost = decoding.readVarUint(decoder)
  const vector = decoding.readVarUint8Array(decoder)
  const state = decoding.readVarUint8Array(decoder)
  return { id, epoch, version, lost, digest: format === DIGEST_FORMAT ? { vector, state } : null }
}

/** Encodes the server's answer. */
export function encodeDigestOutcome(id: number, outcome: DigestOutcome): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MESSAGE_DIGEST)
  encoding.writeVarUint(encoder, id)
  encoding.writeVarUint(encoder, OUTCOMES.indexOf(outcome))
  return encoding.toUint8Array(encoder)
}

/** Encodes how far the server's log goes when a connection begins. */
export function encodeLogPosition({ epoch, version }: { epoch: number; version: number }): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const number of [MESSAGE_DIGEST, 0, epoch, version]) encoding.writeVarUint(encoder, number)
  return encoding.toUint8Array(encoder)
}

/** What a server says about digests. */
export type DigestAnswer =
  | { readonly type: 'position'; readonly epoch: number; readonly version: number }
  | { readonly type: 'outcome'; readonly id: number; readonly outcome: DigestOutcome }

/** Reads an answer whose message type has been read already; an outcome that this version does not know is `skipped`. */
export function readDigestAnswer(decoder: decoding.Decoder): DigestAnswer {
  const id = decoding.readVarUint(decoder)
  if (id === 0) {
    return {
      type: 'position',
      epoch: decoding.readVarUint(decoder),
      version: decoding.readVarUint(decoder),
    }
  }
  return { type: 'outcome', id, outcome: OUTCOMES[decoding.readVarUint(decoder)] ?? 'skipped' }
}
