import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/**
 * The WebSocket subprotocol of Parley's own clients and servers: y-websocket's protocol and three messages more. A client
 * offers it; a server that selects it answers {@link MESSAGE_ACKNOWLEDGE}, `MESSAGE_TOKEN` and `MESSAGE_DIGEST`. Stock y-websocket clients offer
 * none.
 */
export const SUBPROTOCOL = 'parley.1'

/** The type of the acknowledgement among y-websocket's messages (0 sync, 1 awareness, 2 auth, 3 query awareness). */
export const MESSAGE_ACKNOWLEDGE = 112

/** What a server says of everything it received on a connection before the request with the same token. */
export interface Acknowledgement {
  /** The number the client sent. */
  readonly token: number
  /** Which document the room holds; it counts up each time the document is folded into a new one. */
  readonly epoch: number
  /** The number of the last update in the room's durable log. */
  readonly version: number
}

/** Encodes the client's question: is all that I sent so far durable? `token` is echoed in the answer. */
export function encodeAcknowledgeRequest(token: number): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MESSAGE_ACKNOWLEDGE)
  encoding.writeVarUint(encoder, token)
  return encoding.toUint8Array(encoder)
}

/** Reads the token of a request whose message type has been read already. */
export function readAcknowledgeRequest(decoder: decoding.Decoder): number {
  return decoding.readVarUint(decoder)
}

/** Encodes the server's answer: everything received before the request is durable. */
export function encodeAcknowledgement({ token, epoch, version }: Acknowledgement): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MESSAGE_ACKNOWLEDGE)
  encoding.writeVarUint(encoder, token)
  encoding.writeVarUint(encoder, epoch)
  encoding.writeVarUint(encoder, version)
  return encoding.toUint8Array(encoder)
}

/** Reads an answer whose message type has been read already. */
export function readAcknowledgement(decoder: decoding.Decoder): Acknowledgement {
  return {
    token: decoding.readVarUint(decoder),
    epoch: decoding.readVarUint(decoder),
    version: decoding.readVarUint(decoder),
  }
}
