import { decodeValue, encodeValue } from './rowCodec.js'

/** What is kept of a row that was put aside: why, and its stored value, checksum and all. */
export function encodeQuarantined(key: string, value: Uint8Array, reason: string): Uint8Array {
  const record = JSON.stringify({ reason, value: Buffer.from(value).toString('base64') })
  return encodeValue(key, Buffer.from(record))
}

/** Why a row was put aside, and how large it was. */
export function decodeQuarantined(key: string, record: Uint8Array): { reason: string; bytes: number } {
  const payload = decodeValue(key, record)
  if (!(payload instanceof Uint8Array))
    return { reason: `record ${payload.damage}`, bytes: record.byteLength }
  const { reason, value } = JSON.parse(Buffer.from(payload).toString()) as { reason: string; value: string }
  return { reason, bytes: Buffer.byteLength(value, 'base64') }
}
