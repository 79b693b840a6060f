import { type BitPlace, crc32c, findFlippedBit, maskCrc, unmaskCrc } from './crc32.js'

/** Turns one bit of bytes over. */
export function flipBit(bytes: Uint8Array, { at, bit }: BitPlace): void {
  bytes[at] = (bytes[at] as number) ^ (1 << bit)
}

/** True if the bytes of a range are those of the masked CRC-32C that is stored at an offset. */
export function isSound(file: Uint8Array, from: number, to: number, crcAt: number): boolean {
  return maskCrc(crc32c(file.subarray(from, to))) === readUint32(file, crcAt)
}

/** The one bit that is wrong, in a range of bytes or in its checksum; `null` if the two differ in more. */
export function findFlip(file: Uint8Array, from: number, to: number, crcAt: number): BitPlace | null {
  const range = file.subarray(from, to)
  const stored = readUint32(file, crcAt)
  const difference = (maskCrc(crc32c(range)) ^ stored) >>> 0
  const bit = 31 - Math.clz32(difference)
  if (difference === 2 ** bit) return { at: crcAt + (bit >>> 3), bit: bit & 7 }
  const found = findFlippedBit(range, unmaskCrc(stored))
  return found && { at: from + found.at, bit: found.bit }
}

/** Four bytes of a file as a number, the least first. */
export function readUint32(file: Uint8Array, at: number): number {
  return new DataView(file.buffer, file.byteOffset + at).getUint32(0, true)
}
