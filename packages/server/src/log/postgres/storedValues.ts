import { decodeValue } from '../rowCodec.js'
import { decodeName, valueKey } from './names.js'

/** A value as PostgreSQL answers it. */
export interface StoredValue {
  readonly name: Uint8Array
  readonly bytes: Uint8Array
}

/** The values of a scope by their names, without those whose bytes are no longer what was written. */
export function decodeValues(scope: string, stored: readonly StoredValue[]): Map<string, Uint8Array> {
  return new Map(
    stored.flatMap(({ name: bytes, bytes: value }) => {
      const name = decodeName(bytes)
      const decoded = decodeStored(scope, name, value)
      return decoded ? [[name, decoded] as const] : []
    }),
  )
}

/** A value that was stored, `null` if its bytes are no longer what was written. */
export function decodeStored(scope: string, name: string, bytes: Uint8Array): Uint8Array | null {
  const decoded = decodeValue(valueKey(scope, name), bytes)
  return decoded instanceof Uint8Array ? decoded : null
}
