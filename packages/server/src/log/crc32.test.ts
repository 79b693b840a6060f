import { expect, it } from 'vitest'
import { crc32, crc32c, createCrc } from './crc32.js'

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
