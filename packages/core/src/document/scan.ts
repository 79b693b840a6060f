import { ParleyError } from '../errors.js'
import { UPDATE_LIMITS } from './limits.js'

/** What {@link scanUpdate} counts in an update. */
export interface UpdateSize {
  /** Clients with insertions. */
  readonly clients: number
  readonly structs: number
  /** JSON values, those inside of other values too. */
  readonly values: number
  readonly deletedRanges: number
  /** The structs of each client in parts of at most as many as were asked for, and the deletions: where each begins and ends. */
  readonly parts: readonly UpdatePart[]
  readonly deletionsFrom: number
}

/** Some structs of one client that lie one behind the other in an update. */
export interface UpdatePart {
  readonly client: number
  /** The clock of the first one if it is the client's first in the update, otherwise `null`: it follows from the part before. */
  readonly clock: number | null
  readonly structs: number
  readonly from: number
  readonly to: number
}

/**
 * Reads through an update in Yjs' first encoding without building anything of it, and counts what it holds. Done before the bytes
 * are decoded: half a million structs fit into a megabyte, and decoding them takes a hundred times the memory.
 *
 * @param partStructs how many structs a part may have; parts are left out if it is not given
 * @throws ParleyError with code `invalid-update` if the bytes are not one whole update and nothing else, if deleted ranges are
 *   not in order or overlap, or with code `too-large` if a count is beyond {@link UPDATE_LIMITS}
 */
export function scanUpdate(update: Uint8Array, partStructs = Number.POSITIVE_INFINITY): UpdateSize {
  const parts: UpdatePart[] = []
  const scanner = new Scanner(update)
  const clients = scanner.readCount('clients')
  let structs = 0
  for (let client = 0; client < clients; client++) {
    structs += scanner.readUint()
    if (structs > UPDATE_LIMITS.structs) throw tooMany('structs')
    const until = structs
    const id = scanner.readUint()
    let clock: number | null = scanner.readUint()
    while (scanner.structs < until) {
      const part = Math.min(partStructs, until - scanner.structs)
      const from = scanner.at
      for (let left = part; left > 0; left--) scanner.skipStruct()
      if (partStructs < Number.POSITIVE_INFINITY) {
        parts.push({ client: id, clock, structs: part, from, to: scanner.at })
      }
      clock = null
    }
  }
  const deletionsFrom = scanner.at
  const deletedRanges = scanner.skipDeletions()
  if (!scanner.isDone) throw invalid('has bytes behind its end; Yjs updates are sent in their first encoding')
  return { clients, structs, values: scanner.values, deletedRanges, parts, deletionsFrom }
}

const CONTENT_BITS = 31
const HAS_ORIGIN = 128
const HAS_RIGHT_ORIGIN = 64
const HAS_PARENT_KEY = 32

/** A varuint of Yjs is below 2^53, in eight bytes; more are padding. */
const MAX_UINT_BYTES = 8

class Scanner {
  at = 0
  structs = 0
  values = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isDone(): boolean {
    return this.at === this.bytes.length
  }

  readCount(what: 'clients' | 'deletedRanges'): number {
    const count = this.readUint()
    if (count > UPDATE_LIMITS[what]) throw tooMany(what)
    return count
  }

  readUint(): number {
    let value = 0
    let factor = 1
    for (let length = 0; length < MAX_UINT_BYTES; length++) {
      const byte = this.readByte()
      value += (byte & 127) * factor
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      factor *= 128
    }
    throw invalid('has a number that is too large')
  }

  skipUint(): void {
    this.readUint()
  }

  skipStruct(): void {
    this.structs++
    const info = this.readByte()
    const content = info & CONTENT_BITS
    if (content === 0) {
      this.skipUint()
      return
    }
    if (content === 10) {
      if (info !== 10) throw invalid('has a struct of an unknown kind')
      this.skipUint()
      return
    }
    if (info & HAS_ORIGIN) this.skipId()
    if (info & HAS_RIGHT_ORIGIN) this.skipId()
    if ((info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) === 0) {
      if (this.readUint() === 1) this.skipBytes()
      else this.skipId()
      if (info & HAS_PARENT_KEY) this.skipBytes()
    }
    this.skipContent(content)
  }

  /** Checks the order of the deleted ranges too, and returns how many there are. */
  skipDeletions(): number {
    const clients = this.readCount('clients')
    let total = 0
    const seen = new Set<number>()
    for (let index = 0; index < clients; index++) {
      const client = this.readUint()
      const ranges = this.readUint()
      total += ranges
      if (total > UPDATE_LIMITS.deletedRanges) throw tooMany('deletedRanges')
      if (clients > 1) {
        if (seen.has(client)) throw invalid('lists the deletions of a client twice')
        seen.add(client)
      }
      let end = 0
      for (let range = 0; range < ranges; range++) {
        const clock = this.readUint()
        // Yjs walks all of a range each time that it is listed.
        if (clock < end) throw invalid('has deleted ranges that overlap or are not in order')
        end = clock + this.readUint()
      }
    }
    return total
  }

  private readByte(): number {
    const byte = this.bytes[this.at]
    if (byte === undefined) throw invalid('is cut off')
    this.at++
    return byte
  }

  private skip(count: number): void {
    if (count > this.bytes.length - this.at) throw invalid('is cut off')
    this.at += count
  }

  private skipBytes(): void {
    this.skip(this.readUint())
  }

  private skipId(): void {
    this.skipUint()
    this.skipUint()
  }

  private skipContent(content: number): void {
    switch (content) {
      case 1: // deleted
        this.skipUint()
        return
      case 2: // JSON, each value as a text
        for (let left = this.readUint(); left > 0; left--) {
          this.countValue()
          this.skipBytes()
        }
        return
      case 3: // bytes
      case 4: // text
      case 5: // an embedded value, as JSON
        this.skipBytes()
        return
      case 6: // a format: its name and its value, as JSON
        this.skipBytes()
        this.skipBytes()
        return
      case 7: {
        const type = this.readUint()
        // XML elements and hooks have a name.
        if (type === 3 || type === 5) this.skipBytes()
        return
      }
      case 8: // values
        this.skipValues(this.readUint(), false)
        return
      case 9: // a document: its name and its options
        this.skipBytes()
        this.skipValues(1, false)
        return
      default:
        throw invalid('has a struct of an unknown kind')
    }
  }

  /** Passes over values of lib0's encoding, in a loop: nested ones may be too deep for the stack. */
  private skipValues(count: number, isNamed: boolean): void {
    /** What is left to be read further out: how many values, and if each has a name before it. */
    const outer: Array<{ left: number; isNamed: boolean }> = []
    let left = count
    let named = isNamed
    for (;;) {
      if (left === 0) {
        const next = outer.pop()
        if (!next) return
        left = next.left
        named = next.isNamed
        continue
      }
      left--
      if (named) this.skipBytes()
      this.countValue()
      const type = this.readByte()
      if (type === 118 || type === 117) {
        outer.push({ left, isNamed: named })
        left = this.readUint()
        named = type === 118
      } else this.skipScalar(type)
    }
  }

  private skipScalar(type: number): void {
    switch (type) {
      case 127: // undefined
      case 126: // null
      case 121: // false
      case 120: // true
        return
      case 125: // an integer, with a sign
        for (let length = 0; this.readByte() >= 128; length++) {
          if (length === MAX_UINT_BYTES) throw invalid('has a number that is too large')
        }
        return
      case 124:
        this.skip(4)
        return
      case 123:
      case 122:
        this.skip(8)
        return
      case 119: // text
      case 116: // bytes
        this.skipBytes()
        return
      default:
        throw invalid('has a value of an unknown kind')
    }
  }

  private countValue(): void {
    this.values++
    if (this.values > UPDATE_LIMITS.values) throw tooMany('values')
  }
}

function invalid(what: string): ParleyError {
  return new ParleyError('invalid-update', `The bytes are not a Yjs update that can be read: it ${what}`)
}

const NAMES = { clients: 'clients', structs: 'structs', values: 'values', deletedRanges: 'deleted ranges' }

function tooMany(what: keyof typeof NAMES): ParleyError {
  return new ParleyError('too-large', `The update has more than ${UPDATE_LIMITS[what]} ${NAMES[what]}`, {
    field: what,
  })
}
