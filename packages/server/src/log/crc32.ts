// node:zlib has a crc32 from 20.15 and 22.2 only.
const TABLE = new Uint32Array(256).map((_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** The CRC-32 (IEEE 802.3) of the parts one after the other. */
export function crc32(...parts: readonly Uint8Array[]): number {
  let crc = 0xffffffff
  for (const part of parts) {
    for (let index = 0; index < part.length; index++) {
      crc = (crc >>> 8) ^ (TABLE[(crc ^ (part[index] as number)) & 0xff] as number)
    }
  }
  return ~crc >>> 0
}
