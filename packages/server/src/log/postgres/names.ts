import { ServerError } from '../../errors.js'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * A name as it lies in PostgreSQL.
 *
 * @throws ServerError with code `invalid-argument` if it is no well-formed string
 */
export function encodeName(name: string): Buffer {
  const bytes = Buffer.from(name)
  if (decodeName(bytes) !== name) {
    throw new ServerError('invalid-argument', 'A name must be a well-formed string')
  }
  return bytes
}

/** What {@link encodeName} encoded. */
export function decodeName(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** What the checksums of a room's row are over beside its bytes; its version is not known before it is written. */
export const rowKey = (room: string): string => `row/${room}`
export const snapshotKey = (room: string, version: number): string => `snapshot/${room}/${version}`
export const valueKey = (scope: string, name: string): string => `value/${scope}/${name}`
