import type { BitPlace } from './crc32.js'
import { findFlip, flipBit, isSound } from './levelFlips.js'

// LevelDB's log format, of which its list of files is one too: blocks of records, each with a checksum, a length and a type.
// https://github.com/google/leveldb/blob/main/doc/log_format.md
const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const FULL = 1
const FIRST = 2
const LAST = 4
/** Where the length of a record and its type are within its header. */
const LENGTH_AT = 4
const TYPE_AT = 6

/** What is in a file of records. */
export interface ScannedRecords {
  /** The records that are sound, in order. */
  readonly records: readonly Uint8Array[]
  /** The single bits that were wrong; the records are as they were before. */
  readonly flips: readonly BitPlace[]
  /** Where records in between are damaged: offsets in bytes. */
  readonly damagedAt: readonly number[]
  /** Where the file breaks off within a record, as after a power cut: an offset in bytes, or `null` if it does not. */
  readonly tornAt: number | null
}

interface Piece {
  readonly type: number
  readonly data: Uint8Array
  readonly end: number
}

/**
 * Reads a file of records as far as they are sound, or were before a single bit of one was flipped. LevelDB itself passes over
 * what is damaged, and says nothing.
 */
export function scanRecords(given: Uint8Array): ScannedRecords {
  let file = given
  const flips: BitPlace[] = []
  const records: Uint8Array[] = []
  const damagedAt: number[] = []
  let parts: Uint8Array[] = []
  let startedAt = 0
  let at = 0
  for (;;) {
    at = skipTrailer(at)
    if (at >= file.length) break
    const piece = readPiece(file, at)
    if (piece) {
      const begins = piece.type === FULL || piece.type === FIRST
      if (begins !== (parts.length === 0)) damagedAt.push(parts.length > 0 ? startedAt : at)
      if (begins) {
        parts = []
        startedAt = at
      }
      // What has lost its beginning cannot be read.
      if (begins || parts.length > 0) parts.push(piece.data)
      if (piece.type === FULL || piece.type === LAST) {
        if (parts.length > 0) records.push(concat(parts))
        parts = []
      }
      at = piece.end
      continue
    }
    const flip = findPieceFlip(file, at)
    if (flip) {
      if (file === given) file = new Uint8Array(given)
      flipBit(file, flip)
      flips.push(flip)
      continue
    }
    const next = findPiece(file, at + 1)
    if (next === null && !isWhole(file, at))
      return { records, flips, damagedAt, tornAt: parts.length > 0 ? startedAt : at }
    damagedAt.push(at)
    parts = []
    if (next === null) break
    at = next
  }
  return { records, flips, damagedAt, tornAt: parts.length > 0 ? startedAt : null }
}

/** A record never begins in the last bytes of a block, where no header has room. */
function skipTrailer(at: number): number {
  const left = BLOCK_BYTES - (at % BLOCK_BYTES)
  return left < HEADER_BYTES ? at + left : at
}

function readPiece(file: Uint8Array, at: number): Piece | null {
  const end = pieceEnd(file, at)
  if (end === null) return null
  const type = file[at + 6] as number
  if (type < FULL || type > LAST) return null
  if (!isSound(file, at + TYPE_AT, end, at)) return null
  return { type, data: file.subarray(at + HEADER_BYTES, end), end }
}

/** The one bit by which a piece is damaged; `null` if more of it is. */
function findPieceFlip(file: Uint8Array, at: number): BitPlace | null {
  const end = pieceEnd(file, at)
  const isPiece = (flip: BitPlace): boolean => {
    flipBit(file, flip)
    const piece = readPiece(file, at)
    flipBit(file, flip)
    return piece !== null
  }
  const flip = end === null ? null : findFlip(file, at + TYPE_AT, end, at)
  if (flip && isPiece(flip)) return flip
  // No checksum is over the length.
  if (at + HEADER_BYTES > file.length) return null
  for (let bit = 0; bit < 16; bit++) {
    const place = { at: at + LENGTH_AT + (bit >>> 3), bit: bit & 7 }
    if (isPiece(place)) return place
  }
  return null
}

/** Where a piece ends by its length, `null` if that cannot be. */
function pieceEnd(file: Uint8Array, at: number): number | null {
  if (at + HEADER_BYTES > file.length) return null
  const length = (file[at + 4] as number) | ((file[at + 5] as number) << 8)
  const end = at + HEADER_BYTES + length
  return end <= file.length && (at % BLOCK_BYTES) + HEADER_BYTES + length <= BLOCK_BYTES ? end : null
}

/** The next sound piece from an offset on: behind a damaged length it can be anywhere. */
function findPiece(file: Uint8Array, from: number): number | null {
  for (let at = from; at + HEADER_BYTES <= file.length; at++) if (readPiece(file, at)) return at
  return null
}

/** True for a last piece that was written to its end and is not what was written: no power cut leaves that. */
function isWhole(file: Uint8Array, at: number): boolean {
  const end = pieceEnd(file, at)
  return end === file.length && file[end - 1] !== 0
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : new Uint8Array(Buffer.concat(parts))
}
