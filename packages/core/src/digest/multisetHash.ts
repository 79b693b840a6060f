import { digest as sha256 } from 'lib0/hash/sha256'
import { encodeUtf8 } from 'lib0/string'

const WORDS = 8
const WORD_RANGE = 2 ** 32

/**
 * A hash of a multiset of texts that does not depend on their order: the sum of their SHA-256 hashes modulo 2^256. A text is
 * added or removed in constant time, whatever else is in it.
 */
export class MultisetHash {
  /** The sum, the least significant word first. */
  private readonly words: Uint32Array

  constructor(from?: MultisetHash) {
    this.words = from ? from.words.slice() : new Uint32Array(WORDS)
  }

  add(text: string): void {
    this.sum(text, 1)
  }

  /** Takes out a text that was added. */
  remove(text: string): void {
    this.sum(text, -1)
  }

  /** The hash as 32 bytes. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(WORDS * 4)
    const view = new DataView(bytes.buffer)
    for (const [place, word] of this.words.entries()) view.setUint32(place * 4, word, true)
    return bytes
  }

  private sum(text: string, sign: 1 | -1): void {
    const hash = hashBytes(encodeUtf8(text))
    const view = new DataView(hash.buffer, hash.byteOffset)
    let carry = 0
    for (let place = 0; place < WORDS; place++) {
      const sum = (this.words[place] as number) + sign * view.getUint32(place * 4, true) + carry
      carry = Math.floor(sum / WORD_RANGE)
      this.words[place] = sum - carry * WORD_RANGE
    }
  }
}

/** The SHA-256 hash of bytes. */
export function hashBytes(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}
