import { expect, it } from 'vitest'
import { crc32, crc32c, createCrc, findFlippedBit, maskCrc, stepCrc32c, unmaskCrc } from './crc32.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

it('[L12] sums up bytes as the standards have it, whatever Node brings along', () => {
  // The check values of CRC-32 and CRC-32C.
  expect(crc32(bytes('123456789'))).toBe(0xcbf43926)
  expect(createCrc(0xedb88320)(bytes('123456789'))).toBe(0xcbf43926)
  expect(crc32c(bytes('123456789'))).toBe(0xe3069283)
  expect([crc32('12345', '6789'), createCrc(0xedb88320)('123456', bytes('789'))]).toEqual([
    0xcbf43926, 0xcbf43926,
  ])
  expect(crc32('é🙂')).toBe(createCrc(0xedb88320)(bytes('é🙂')))
  expect(crc32(bytes('12345'), new Uint8Array(), bytes('6789'))).toBe(0xcbf43926)
})

it('[REC1] finds the one bit that differs by the checksum, and none where two do', () => {
  const sound = Uint8Array.from({ length: 300 }, (_, n) => (n * 37) & 0xff)
  const expected = crc32c(sound)
  for (let n = 0; n < sound.length * 8; n++) {
    const flipped = sound.slice()
    flipped[n >> 3] = (flipped[n >> 3] as number) ^ (1 << (n & 7))
    expect(findFlippedBit(flipped, expected)).toEqual({ at: n >> 3, bit: n & 7 })
    flipped[7] = (flipped[7] as number) ^ 0x81
    if (n !== 56 && n !== 63) expect(findFlippedBit(flipped, expected)).toBe(null)
  }
  let register = -1
  for (const byte of sound) register = stepCrc32c(register, byte)
  expect(~register >>> 0).toBe(expected)
  expect(unmaskCrc(maskCrc(expected))).toBe(expected)
})
