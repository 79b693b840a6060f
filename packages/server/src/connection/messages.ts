import {
  MESSAGE_ACKNOWLEDGE,
  MESSAGE_DIGEST,
  MESSAGE_TOKEN,
  readAcknowledgeRequest,
  readDigestClaim,
  readToken,
} from '@parley/core'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { ServerError } from '../errors.js'
import type { Claim } from '../room/digests.js'

// y-websocket's messages, https://github.com/yjs/y-websocket.
const MESSAGE_SYNC = 0
const MESSAGE_AWARENESS = 1
const MESSAGE_QUERY_AWARENESS = 3
const SYNC_STEP_1 = 0
const SYNC_STEP_2 = 1
const SYNC_UPDATE = 2

/** What a client may say. */
export type ClientMessage =
  /** Send me what I lack; this is what I have. */
  | { readonly type: 'sync'; readonly stateVector: Uint8Array }
  | { readonly type: 'update'; readonly update: Uint8Array }
  /** What the server asked for when the connection began: all that the client has and the server lacks. */
  | { readonly type: 'answer'; readonly update: Uint8Array }
  | { readonly type: 'awareness'; readonly update: Uint8Array }
  | { readonly type: 'queryAwareness' }
  /** Tell me when all I sent so far is durable. */
  | { readonly type: 'acknowledge'; readonly token: number }
  /** This is what I hold. */
  | { readonly type: 'digest'; readonly claim: Claim }
  /** This is my token from now on. */
  | { readonly type: 'token'; readonly token: string }

/** An awareness update of nobody: it feeds the client's watchdog and changes nothing. */
export const HEARTBEAT = new Uint8Array([MESSAGE_AWARENESS, 1, 0])

/**
 * Reads one frame. `frame` must lie alone in its `ArrayBuffer`: earlier versions of lib0 check a length they read against
 * the buffer, not against the view, and in one of Node's pooled buffers they would read what belongs to somebody else.
 *
 * @throws ServerError with code `malformed`
 */
export function readMessage(frame: Uint8Array<ArrayBuffer>): ClientMessage {
  let message: ClientMessage
  const decoder = decoding.createDecoder(frame)
  try {
    message = readContent(decoder)
  } catch (error) {
    if (error instanceof ServerError) throw error
    throw new ServerError('malformed', 'the frame is cut off', { cause: error })
  }
  if (decoding.hasContent(decoder)) throw new ServerError('malformed', 'the frame has bytes behind its end')
  return message
}

function readContent(decoder: decoding.Decoder): ClientMessage {
  const type = decoding.readVarUint(decoder)
  switch (type) {
    case MESSAGE_SYNC:
      return readSync(decoder)
    case MESSAGE_AWARENESS:
      return { type: 'awareness', update: decoding.readVarUint8Array(decoder) }
    case MESSAGE_QUERY_AWARENESS:
      return { type: 'queryAwareness' }
    case MESSAGE_ACKNOWLEDGE:
      return { type: 'acknowledge', token: readAcknowledgeRequest(decoder) }
    case MESSAGE_TOKEN:
      return { type: 'token', token: readToken(decoder) }
    case MESSAGE_DIGEST:
      return { type: 'digest', claim: readDigestClaim(decoder) }
    default:
      throw new ServerError('malformed', `unknown message type ${type}`)
  }
}

function readSync(decoder: decoding.Decoder): ClientMessage {
  const step = decoding.readVarUint(decoder)
  switch (step) {
    case SYNC_STEP_1:
      return { type: 'sync', stateVector: decoding.readVarUint8Array(decoder) }
    case SYNC_STEP_2:
      return { type: 'answer', update: decoding.readVarUint8Array(decoder) }
    case SYNC_UPDATE:
      return { type: 'update', update: decoding.readVarUint8Array(decoder) }
    default:
      throw new ServerError('malformed', `unknown sync message ${step}`)
  }
}

/** Asks a client for what a document with this state vector lacks. */
export function encodeSyncRequest(stateVector: Uint8Array): Uint8Array {
  return encode(stateVector, MESSAGE_SYNC, SYNC_STEP_1)
}

/** The answer to a client's `sync`. */
export function encodeSyncAnswer(update: Uint8Array): Uint8Array {
  return encode(update, MESSAGE_SYNC, SYNC_STEP_2)
}

/** A change that another client made. */
export function encodeUpdate(update: Uint8Array): Uint8Array {
  return encode(update, MESSAGE_SYNC, SYNC_UPDATE)
}

/** Who is there, in the encoding of y-protocols. */
export function encodeAwareness(update: Uint8Array): Uint8Array {
  return encode(update, MESSAGE_AWARENESS)
}

function encode(payload: Uint8Array, ...types: number[]): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const type of types) encoding.writeVarUint(encoder, type)
  encoding.writeVarUint8Array(encoder, payload)
  return encoding.toUint8Array(encoder)
}
