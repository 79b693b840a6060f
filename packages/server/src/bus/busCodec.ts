import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { BusMessage } from './bus.js'

/** The first byte of every message. Nodes ignore what has another one: the release before and the one after run together. */
const FORMAT = 1
const TYPES = { row: 0, awareness: 1, revoked: 2 } as const
/** An update beyond this is announced and read from the store, for every node gets it that has somebody in the room. */
const MAX_UPDATE_BYTES = 64 * 1024

/** A message, and which node it is from. */
export interface FromNode {
  readonly node: string
  readonly message: BusMessage
}

/** The bytes that nodes exchange. */
export function encodeBusMessage({ node, message }: FromNode): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeUint8(encoder, FORMAT)
    encoding.writeVarString(encoder, node)
    encoding.writeUint8(encoder, TYPES[message.type])
    if (message.type === 'row') {
      const { version, update } = message
      encoding.writeVarUint(encoder, version)
      writeOptional(encoder, update && update.byteLength <= MAX_UPDATE_BYTES ? update : null)
    } else if (message.type === 'awareness') encoding.writeVarUint8Array(encoder, message.update)
    else {
      encoding.writeVarString(encoder, message.uid)
      writeOptional(encoder, message.device === null ? null : Buffer.from(message.device))
      // As text: it is a moment, and nothing says that it is a whole number.
      encoding.writeVarString(encoder, String(message.before))
    }
  })
}

/** Reads a message; `null` for one of another format, of a type this release does not know, or that is none at all. */
export function decodeBusMessage(bytes: Uint8Array): FromNode | null {
  try {
    // Copied, for lib0 reads on beyond the end of a part of a buffer.
    const decoder = decoding.createDecoder(new Uint8Array(bytes))
    if (decoding.readUint8(decoder) !== FORMAT) return null
    const node = decoding.readVarString(decoder)
    const message = readMessage(decoder)
    return message && { node, message }
  } catch {
    return null
  }
}

function readMessage(decoder: decoding.Decoder): BusMessage | null {
  switch (decoding.readUint8(decoder)) {
    case TYPES.row:
      return { type: 'row', version: decoding.readVarUint(decoder), update: readOptional(decoder) }
    case TYPES.awareness:
      return { type: 'awareness', update: decoding.readVarUint8Array(decoder) }
    case TYPES.revoked: {
      const uid = decoding.readVarString(decoder)
      const device = readOptional(decoder)
      const before = Number(decoding.readVarString(decoder))
      return { type: 'revoked', uid, device: device && Buffer.from(device).toString(), before }
    }
    default:
      return null
  }
}

function writeOptional(encoder: encoding.Encoder, bytes: Uint8Array | null): void {
  encoding.writeUint8(encoder, bytes ? 1 : 0)
  if (bytes) encoding.writeVarUint8Array(encoder, bytes)
}

function readOptional(decoder: decoding.Decoder): Uint8Array | null {
  return decoding.readUint8(decoder) === 1 ? decoding.readVarUint8Array(decoder) : null
}
