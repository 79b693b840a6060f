/** The CRC-32 (IEEE 802.3) of the parts one after the other. node:zlib has it from 20.15 and 22.2 only. */
export const crc32 = createCrc(0xedb88320)

/** The CRC-32C (Castagnoli) of the parts one after the other: LevelDB's. */
export const crc32c = createCrc(0x82f63b78)

/** A checksum by its polynomial, bits reversed. */
function createCrc(polynomial: number): (...parts: readonly Uint8Array[]) => number {
  const table = new Uint32Array(256).map((_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    return crc
  })
  return (...parts) => {
    let crc = 0xffffffff
    for (const part of parts) {
      for (let index = 0; index < part.length; index++) {
        crc = (crc >>> 8) ^ (table[(crc ^ (part[index] as number)) & 0xff] as number)
      }
    }
    return ~crc >>> 0
  }
}
