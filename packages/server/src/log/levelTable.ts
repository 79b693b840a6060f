import * as decoding from 'lib0/decoding'
import { uncompress } from 'snappyjs'
import { type BitPlace, maskCrc, stepCrc32c } from './crc32.js'
import { findFlip, flipBit, isSound, readUint32 } from './levelFlips.js'

// LevelDB's table format: blocks of entries, each with a type and a checksum behind it, an index of them, and a footer.
// https://github.com/google/leveldb/blob/main/doc/table_format.md
const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
const UNCOMPRESSED = 0
const SNAPPY = 1
/** Behind each key: what is done, and as the how manieth change. */
const TAG_BYTES = 8
const DELETION = 0
const PUT = 1
/** No block is larger when it is unpacked: one holds an entry more than its 4 KiB, and no value is that large. */
const MAX_BLOCK_BYTES = 256 * 1024 * 1024

/** One change as LevelDB stores it. */
export interface LevelEntry {
  readonly key: Uint8Array
  /** Which change of the store it was, counted from 1; of two with the same key the later one is valid. */
  readonly sequence: number
  /** `null` for a deletion. */
  readonly value: Uint8Array | null
}

/** Where a block lies in a table, without its trailer. */
export interface BlockPlace {
  readonly offset: number
  readonly size: number
}

/** A block that cannot be read, and between which keys its entries are. */
export interface DamagedBlock extends BlockPlace {
  /** A key that is not greater than the first of the block; `null` if none is known. */
  readonly from: Uint8Array | null
  /** A key that is not less than the last of the block; `null` if none is known. */
  readonly through: Uint8Array | null
}

/** What is in a table. */
export interface ScannedTable {
  /** The bytes as they were before single bits of them were flipped. */
  readonly file: Uint8Array
  readonly flips: readonly BitPlace[]
  /** The blocks of entries that are sound, in order. */
  readonly blocks: readonly BlockPlace[]
  readonly damaged: readonly DamagedBlock[]
  /** What else is damaged: the footer, the index, the filter; `null` if nothing. */
  readonly reason: string | null
}

/** Reads a table as far as it is sound, or was before single bits of it were flipped. Its data blocks are not unpacked. */
export function scanTable(given: Uint8Array): ScannedTable {
  // A Buffer's own `slice` would share its memory.
  const file = new Uint8Array(given)
  const flips: BitPlace[] = []
  const footer = readFooter(file, flips)
  if (!footer) return { file, flips, ...findBlocks(file), reason: 'its index cannot be read' }
  const { index, metaindex } = footer
  let reason: string | null = null
  const correct = (place: BlockPlace, holdsEntries: boolean): boolean => {
    const flip = isBlockSound(file, place) ? null : findBlockFlip(file, place, holdsEntries)
    if (flip) {
      flipBit(file, flip)
      flips.push(flip)
    }
    return isBlockSound(file, place)
  }
  const blocks: BlockPlace[] = []
  const damaged: DamagedBlock[] = []
  let before: Uint8Array | null = null
  for (const { key, value } of readEntries(unpack(file, index))) {
    const place = readPlace(decoding.createDecoder(value))
    const through = userKeyOf(key)
    if (correct(place, true)) blocks.push(place)
    else damaged.push({ ...place, from: before, through })
    before = through
  }
  for (const { value } of readEntries(unpack(file, metaindex))) {
    if (!correct(readPlace(decoding.createDecoder(value)), false)) reason = 'its filter is damaged'
  }
  return { file, flips, blocks, damaged, reason }
}

/** The changes in a block of a table, in the order of their keys and the later ones first. */
export function* entriesOf(file: Uint8Array, place: BlockPlace): Iterable<LevelEntry> {
  for (const { key, value } of readEntries(unpack(file, place))) {
    const tag = key.length - TAG_BYTES
    if (tag < 0) throw new RangeError('a key is too short')
    const type = key[tag] as number
    if (type !== PUT && type !== DELETION) throw new RangeError('an entry is of an unknown type')
    const sequence = readUint32(key, tag + 4) * 2 ** 24 + (readUint32(key, tag) >>> 8)
    yield { key: key.subarray(0, tag), sequence, value: type === PUT ? value : null }
  }
}

/** The first and the last key of a table, with their tags; `null` where there is none. */
export function boundsOf({ file, blocks }: ScannedTable): { first: Uint8Array; last: Uint8Array } | null {
  const [firstBlock, lastBlock] = [blocks[0], blocks.at(-1)]
  if (!firstBlock || !lastBlock) return null
  let first: Uint8Array | null = null
  for (const { key } of readEntries(unpack(file, firstBlock))) {
    first = key
    break
  }
  let last: Uint8Array | null = null
  for (const { key } of readEntries(unpack(file, lastBlock))) last = key
  return first && last && { first, last }
}

/** A key without its tag. */
export function userKeyOf(key: Uint8Array): Uint8Array {
  return key.subarray(0, Math.max(0, key.length - TAG_BYTES))
}

/** The order of LevelDB's keys: byte by byte. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

interface Footer {
  readonly metaindex: BlockPlace
  readonly index: BlockPlace
}

/** Reads the footer, and makes sure of the two blocks it names. No checksum is over it: one bit of it is found by trying. */
function readFooter(file: Uint8Array, flips: BitPlace[]): Footer | null {
  const from = file.length - FOOTER_BYTES
  if (from < 0) return null
  const found = checkFooter(file, flips)
  if (found) return found
  for (let n = 0; n < FOOTER_BYTES * 8; n++) {
    const place = { at: from + (n >>> 3), bit: n & 7 }
    flipBit(file, place)
    const footer = parseFooter(file)
    if (footer && isBlockSound(file, footer.index) && isBlockSound(file, footer.metaindex)) {
      flips.push(place)
      return footer
    }
    flipBit(file, place)
  }
  return null
}

function checkFooter(file: Uint8Array, flips: BitPlace[]): Footer | null {
  const footer = parseFooter(file)
  if (!footer) return null
  for (const place of [footer.index, footer.metaindex]) {
    if (isBlockSound(file, place)) continue
    const flip = findBlockFlip(file, place, true)
    if (!flip) return null
    flipBit(file, flip)
    flips.push(flip)
  }
  return footer
}

function parseFooter(file: Uint8Array): Footer | null {
  const from = file.length - FOOTER_BYTES
  if (MAGIC.some((byte, n) => file[file.length - MAGIC.length + n] !== byte)) return null
  try {
    const decoder = decoding.createDecoder(file.subarray(from, file.length - MAGIC.length))
    const footer = { metaindex: readPlace(decoder), index: readPlace(decoder) }
    // What is left is zero, as LevelDB writes it.
    if (decoding.readTailAsUint8Array(decoder).some((byte) => byte !== 0)) return null
    const fits = ({ offset, size }: BlockPlace): boolean => offset + size + TRAILER_BYTES <= from
    return fits(footer.index) && fits(footer.metaindex) ? footer : null
  } catch {
    return null
  }
}

function readPlace(decoder: decoding.Decoder): BlockPlace {
  return { offset: decoding.readVarUint(decoder), size: decoding.readVarUint(decoder) }
}

function isBlockSound(file: Uint8Array, { offset, size }: BlockPlace): boolean {
  const end = offset + size + 1
  return end + 4 <= file.length && isSound(file, offset, end, end)
}

/** The bit of a block that was flipped, if a block of entries can then be unpacked and read. */
function findBlockFlip(file: Uint8Array, place: BlockPlace, holdsEntries: boolean): BitPlace | null {
  const end = place.offset + place.size + 1
  if (end + 4 > file.length) return null
  const flip = findFlip(file, place.offset, end, end)
  if (!flip || !holdsEntries) return flip
  flipBit(file, flip)
  try {
    // The checksum is of four bytes only: what is damaged in many places has it by chance once in a hundred thousand times.
    for (const _ of readEntries(unpack(file, place)));
    return flip
  } catch {
    return null
  } finally {
    flipBit(file, flip)
  }
}

/** Behind a damaged block the next one is looked for so far, and if it is no larger: looking is slow. */
const MAX_LOST_BYTES = 16 * 1024

/**
 * Finds the blocks of a table without its index: each ends where its checksum is. Behind one that is damaged as well the next is
 * looked for from every byte on.
 */
function findBlocks(file: Uint8Array): Pick<ScannedTable, 'blocks' | 'damaged'> {
  const blocks: BlockPlace[] = []
  const damaged: DamagedBlock[] = []
  const lose = (offset: number, end: number): void =>
    void damaged.push({ offset, size: end - offset, from: null, through: null })
  let lost: number | null = null
  for (let offset = 0; offset + TRAILER_BYTES < file.length; ) {
    const size = findBlockEnd(file, offset, lost === null ? Number.POSITIVE_INFINITY : MAX_LOST_BYTES)
    if (size !== null && isDataBlock(file, { offset, size })) {
      if (lost !== null) lose(lost, offset)
      lost = null
      blocks.push({ offset, size })
      offset += size + TRAILER_BYTES
      continue
    }
    lost ??= offset
    offset++
    if (offset - lost > MAX_LOST_BYTES) break
  }
  // The filter and the index look like a damaged block at the end, too.
  if (lost !== null) lose(lost, file.length)
  return { blocks, damaged }
}

function findBlockEnd(file: Uint8Array, offset: number, maxSize: number): number | null {
  const limit = Math.min(file.length - TRAILER_BYTES, offset + maxSize)
  let register = -1
  for (let end = offset; end <= limit; end++) {
    const type = file[end] as number
    register = stepCrc32c(register, type)
    if (type !== UNCOMPRESSED && type !== SNAPPY) continue
    if (maskCrc(~register >>> 0) === readUint32(file, end + 1)) return end - offset
  }
  return null
}

/** True for a block of entries; the filter and the index are none. */
function isDataBlock(file: Uint8Array, place: BlockPlace): boolean {
  try {
    let next = 0
    let isIndex = true
    for (const { value } of entriesOf(file, place)) {
      const named: BlockPlace | null = isIndex ? asPlace(value) : null
      isIndex = named?.offset === next
      if (named) next = named.offset + named.size + TRAILER_BYTES
    }
    return !isIndex
  } catch {
    return false
  }
}

/** The place that a value is, and nothing else, as in an index: there they lie one behind the other. */
function asPlace(value: Uint8Array | null): BlockPlace | null {
  try {
    const decoder = decoding.createDecoder(value ?? new Uint8Array())
    const place = readPlace(decoder)
    return decoding.hasContent(decoder) ? null : place
  } catch {
    return null
  }
}

function unpack(file: Uint8Array, { offset, size }: BlockPlace): Uint8Array {
  const bytes = file.subarray(offset, offset + size)
  return file[offset + size] === SNAPPY ? uncompress(bytes, MAX_BLOCK_BYTES) : bytes
}

/** The entries of a block: keys share their beginnings with the one before. */
function* readEntries(block: Uint8Array): Iterable<{ key: Uint8Array; value: Uint8Array }> {
  if (block.length < 4) throw new RangeError('a block is too short')
  const end = block.length - 4 * (readUint32(block, block.length - 4) + 1)
  if (end < 0) throw new RangeError('a block has more restarts than bytes')
  const decoder = decoding.createDecoder(block.subarray(0, end))
  let before: Uint8Array = new Uint8Array()
  while (decoding.hasContent(decoder)) {
    const shared = decoding.readVarUint(decoder)
    const added = decoding.readVarUint(decoder)
    const size = decoding.readVarUint(decoder)
    const left = end - decoder.pos
    if (shared > before.length || added + size > left)
      throw new RangeError('an entry is longer than its block')
    const key = new Uint8Array(shared + added)
    key.set(before.subarray(0, shared))
    key.set(decoding.readUint8Array(decoder, added), shared)
    yield { key, value: decoding.readUint8Array(decoder, size) }
    before = key
  }
}
