import { crc32 } from './crc32.js'

/** The first byte of every stored value. A server that finds another one is older than the data. */
const FORMAT = 1
const HEADER_BYTES = 5

/**
 * Wraps what is stored under `key`: the format, a checksum over key and payload, the payload. The key is part of the
 * checksum, so that a value under the key of another room or version is found out too.
 */
export function encodeValue(key: string, payload: Uint8Array | string): Uint8Array {
  // Out of Node's pool, as it is on its way to the store: an array for itself costs more than all the rest.
  const value = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(payload))
  value[0] = FORMAT
  value.writeUInt32BE(crc32(key, payload), 1)
  if (typeof payload === 'string') value.write(payload, HEADER_BYTES)
  else value.set(payload, HEADER_BYTES)
  return value
}

/** The payload of a stored value, or the reason why it cannot be read. */
export function decodeValue(key: string, value: Uint8Array): Uint8Array | { damage: string } {
  if (value.byteLength < HEADER_BYTES) return { damage: 'cut off' }
  if (value[0] !== FORMAT) return { damage: `unknown format ${value[0]}` }
  const payload = payloadOf(value)
  const stored = new DataView(value.buffer, value.byteOffset).getUint32(1)
  return stored === crc32(key, payload) ? payload : { damage: 'checksum does not match' }
}

/**
 * What lies behind the header. Some readers of updates look beyond the end of what they are given, and must not find another
 * row there; and whoever reads a value owns its memory. Copied only where that is not its own: LevelDB's values have theirs,
 * and a copy would be as much again for the garbage collector.
 */
function payloadOf({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  const payload = new Uint8Array(buffer, byteOffset + HEADER_BYTES, byteLength - HEADER_BYTES)
  return byteLength === buffer.byteLength ? payload : payload.slice()
}
