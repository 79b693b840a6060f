import zlib from 'node:zlib'

/** A checksum of the parts one after the other; of a text, of its bytes in UTF-8. */
export type Crc = (...parts: ReadonlyArray<string | Uint8Array>) => number

/** What node:zlib has from 20.15 and 22.2 on: goes on with the checksum of what came before. */
type NativeCrc = (data: string | Uint8Array, before: number) => number

const IEEE = 0xedb88320
const CASTAGNOLI = 0x82f63b78
/** So many bytes are looked up at once: three times as fast as one by one, and opening a store reads all of it. */
const SLICE = 8

/** The CRC-32 (IEEE 802.3), by Node itself where it can: ten times as fast. */
export const crc32: Crc = createNativeCrc((zlib as { crc32?: NativeCrc }).crc32) ?? createCrc(IEEE)

/** The CRC-32C (Castagnoli): LevelDB's. */
export const crc32c: Crc = createCrc(CASTAGNOLI)

function createNativeCrc(native: NativeCrc | undefined): Crc | null {
  if (!native) return null
  return (...parts) => {
    let crc = 0
    for (const part of parts) crc = native(part, crc)
    return crc
  }
}

/** Creates a checksum by its polynomial, bits reversed. */
export function createCrc(polynomial: number): Crc {
  const tables = createTables(polynomial)
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as Tuple8
  return (...parts) => {
    let crc = -1
    for (const given of parts) {
      const part = typeof given === 'string' ? Buffer.from(given) : given
      const byte = (at: number): number => part[at] as number
      const whole = part.length - (part.length % SLICE)
      let at = 0
      for (; at < whole; at += SLICE) {
        crc ^= byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24)
        crc =
          (t7[crc & 0xff] as number) ^
          (t6[(crc >>> 8) & 0xff] as number) ^
          (t5[(crc >>> 16) & 0xff] as number) ^
          (t4[crc >>> 24] as number) ^
          (t3[byte(at + 4)] as number) ^
          (t2[byte(at + 5)] as number) ^
          (t1[byte(at + 6)] as number) ^
          (t0[byte(at + 7)] as number)
      }
      for (; at < part.length; at++) crc = (crc >>> 8) ^ (t0[(crc ^ byte(at)) & 0xff] as number)
    }
    return ~crc >>> 0
  }
}

type Tuple8 = [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array]

/** The table of a byte, and those of bytes that so many others follow. */
function createTables(polynomial: number): Int32Array[] {
  const first = new Int32Array(256).map((_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    return crc
  })
  const tables = [first]
  for (let n = 1; n < SLICE; n++) {
    const before = tables[n - 1] as Int32Array
    tables.push(before.map((crc) => (crc >>> 8) ^ (first[crc & 0xff] as number)))
  }
  return tables
}

const CASTAGNOLI_TABLE = createTables(CASTAGNOLI)[0] as Int32Array

/** Takes one byte more into a CRC-32C that is under way, which begins at -1; its complement is the checksum. */
export function stepCrc32c(register: number, byte: number): number {
  return (register >>> 8) ^ (CASTAGNOLI_TABLE[(register ^ byte) & 0xff] as number)
}

/** A place in bytes: the byte, and the bit of it, 0 for the least. */
export interface BitPlace {
  readonly at: number
  readonly bit: number
}

/**
 * Finds the one bit in which bytes differ from those that a CRC-32C is of; `null` if more than one differs. Up to 2^31 bits no two
 * bits leave the same difference, and no other two or three changed bits leave that of one.
 */
export function findFlippedBit(bytes: Uint8Array, expected: number): BitPlace | null {
  const difference = (crc32c(bytes) ^ expected) >>> 0
  let effect = 1
  for (let n = 0; n < bytes.length * 8; n++) {
    effect = effect & 1 ? ((effect >>> 1) ^ CASTAGNOLI) >>> 0 : effect >>> 1
    // From the last bit on, whose effect is the least.
    if (effect === difference) return { at: bytes.length - 1 - (n >>> 3), bit: 7 - (n & 7) }
  }
  return null
}

/** LevelDB stores checksums masked, for what it stores may hold checksums itself. */
const MASK_DELTA = 0xa282ead8

/** A checksum as LevelDB stores it. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

/** The checksum that LevelDB stored. */
export function unmaskCrc(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}
