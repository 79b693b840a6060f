import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { ParleyError } from '../errors.js'
import { type DecodedUpdate, decodeUpdate, references } from './decode.js'

type Struct = DecodedUpdate['structs'][number]
type Range = { readonly clock: number; readonly len: number }

/** How large the pieces of {@link splitUpdate} are. */
export interface PieceSize {
  /** The greatest number of structs, and of deleted ranges, in one piece; at least 1. */
  readonly maxStructs: number
  /** A piece ends when it has this many bytes, at least 1. Only a single larger struct makes a larger piece. */
  readonly maxBytes: number
}

/**
 * Splits an update into smaller ones. Applied in their order, they have the effect of the whole, and none of them builds on
 * something that only a later one brings: a receiver may stop after any of them and keep what it has.
 *
 * The structs come in the order in which Yjs integrates them. The deletions come after all structs, because a deleted entry must
 * never be applied before the entry that replaces it. A piece made of deletions cannot be told from one whose insertions are
 * known, so the last pieces must be stored in order, behind the others.
 *
 * Takes time in proportion to the size of the update; the pieces are encoded one at a time, when they are asked for. An update
 * that is small enough is returned as it is. What the update does not bring is taken for known, as {@link findGap} checks.
 *
 * @param update an update in Yjs' first encoding, or what `decodeUpdate` returned for it
 * @throws ParleyError with code `invalid-update` if the bytes are no update, or its items wait for each other
 * @throws ParleyError with code `invalid-argument` if a size is less than 1
 * @example
 * ```ts
 * import * as Y from 'yjs'
 * import { splitUpdate } from '@parley/core'
 *
 * const doc = new Y.Doc()
 * for (let i = 0; i < 1000; i++) doc.getText('t').insert(0, 'x')
 * const copy = new Y.Doc()
 * for (const piece of splitUpdate(Y.encodeStateAsUpdate(doc), { maxStructs: 100, maxBytes: 65_536 })) {
 *   Y.applyUpdate(copy, piece)
 * }
 * copy.getText('t').length // 1000
 * ```
 */
export function* splitUpdate(
  update: Uint8Array | DecodedUpdate,
  { maxStructs, maxBytes }: PieceSize,
): Generator<Uint8Array, void, undefined> {
  if (!(maxStructs >= 1)) throw tooSmall('maxStructs')
  if (!(maxBytes >= 1)) throw tooSmall('maxBytes')
  const decoded = update instanceof Uint8Array ? decodeUpdate(update) : update
  if (update instanceof Uint8Array && update.byteLength <= maxBytes && isSmall(decoded, maxStructs)) {
    yield update
    return
  }
  const piece = new Piece(maxStructs, maxBytes)
  for (const struct of inCausalOrder(decoded.structs)) {
    if (piece.isFull) yield piece.take()
    piece.addStruct(struct)
  }
  for (const [client, ranges] of decoded.deletions) {
    for (const range of ranges) {
      if (piece.isFull) yield piece.take()
      piece.addDeletion(client, range)
    }
  }
  if (!piece.isEmpty) yield piece.take()
}

function isSmall({ structs, deletions }: DecodedUpdate, maxStructs: number): boolean {
  if (structs.length > maxStructs) return false
  let count = structs.length
  for (const ranges of deletions.values()) count += ranges.length
  return count <= maxStructs
}

interface Queue {
  readonly client: number
  readonly structs: Struct[]
  next: number
}

/**
 * The structs of an update in the order in which Yjs integrates them: of the greatest client first, each after what it refers to.
 * Of one client they stay in the order of their clocks.
 *
 * @throws ParleyError with code `invalid-update` if items wait for each other
 */
export function* inCausalOrder(structs: readonly Struct[]): Generator<Struct, void, undefined> {
  const queues = new Map<number, Queue>()
  for (const struct of structs) {
    const { client } = struct.id
    const queue = queues.get(client)
    if (queue) queue.structs.push(struct)
    else queues.set(client, { client, structs: [struct], next: 0 })
  }
  const clients = [...queues.keys()].sort((a, b) => a - b)
  /** Clients that wait for something of the next one in the list. */
  const waiting: Queue[] = []
  const isWaiting = new Set<Queue>()
  for (let client = clients.pop(); client !== undefined; client = clients.pop()) {
    let queue = queues.get(client) as Queue
    while (waiting.length > 0 || queue.next < queue.structs.length) {
      const struct = queue.structs[queue.next] as Struct
      const missing = findMissing(struct, queues)
      if (missing) {
        isWaiting.add(queue)
        if (isWaiting.has(missing)) {
          throw new ParleyError('invalid-update', 'The update has items that wait for each other')
        }
        waiting.push(queue)
        queue = missing
        continue
      }
      yield struct
      queue.next++
      const waiter = waiting.pop()
      if (!waiter) continue
      queue = waiter
      isWaiting.delete(waiter)
    }
  }
}

/** The queue that still has something that a struct refers to; `null` if it refers to nothing of the sort. */
function findMissing(struct: Struct, queues: ReadonlyMap<number, Queue>): Queue | null {
  if (!(struct instanceof Y.Item)) return null
  for (const { client, clock } of references(struct)) {
    // What its own client wrote earlier came before it.
    if (client === struct.id.client) continue
    const queue = queues.get(client)
    const next = queue?.structs[queue.next]
    const last = queue?.structs.at(-1)
    // Beyond what the update brings it must be in the document.
    if (queue && next && last && clock >= next.id.clock && clock < last.id.clock + last.length) return queue
  }
  return null
}

/** The structs of one client in a piece, encoded as they come. */
interface Run {
  readonly clock: number
  readonly encoder: Y.UpdateEncoderV1
  count: number
}

/** An update that is being put together. */
class Piece {
  private readonly maxStructs: number
  private readonly maxBytes: number
  private runs = new Map<number, Run>()
  private deletions = new Map<number, Range[]>()
  private count = 0
  private bytes = 0

  constructor(maxStructs: number, maxBytes: number) {
    this.maxStructs = maxStructs
    this.maxBytes = maxBytes
  }

  get isFull(): boolean {
    return this.count >= this.maxStructs || this.bytes >= this.maxBytes
  }

  get isEmpty(): boolean {
    return this.count === 0
  }

  addStruct(struct: Struct): void {
    const { client, clock } = struct.id
    let run = this.runs.get(client)
    // A piece that begins behind a hole says so by its first clock.
    if (!run && struct instanceof Y.Skip) return
    if (!run) {
      run = { clock, encoder: new Y.UpdateEncoderV1(), count: 0 }
      this.runs.set(client, run)
    }
    const { restEncoder } = run.encoder
    const before = encoding.length(restEncoder)
    struct.write(run.encoder, 0)
    this.bytes += encoding.length(restEncoder) - before
    run.count++
    this.count++
  }

  addDeletion(client: number, range: Range): void {
    const ranges = this.deletions.get(client)
    if (ranges) ranges.push(range)
    else this.deletions.set(client, [range])
    this.count++
    this.bytes += RANGE_BYTES
  }

  /** The update as far as it is, and an empty one in its place. */
  take(): Uint8Array {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, this.runs.size)
    for (const [client, run] of this.runs) {
      encoding.writeVarUint(encoder, run.count)
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, run.clock)
      encoding.writeUint8Array(encoder, encoding.toUint8Array(run.encoder.restEncoder))
    }
    encoding.writeVarUint(encoder, this.deletions.size)
    for (const [client, ranges] of this.deletions) {
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, ranges.length)
      for (const { clock, len } of ranges) {
        encoding.writeVarUint(encoder, clock)
        encoding.writeVarUint(encoder, len)
      }
    }
    this.runs = new Map()
    this.deletions = new Map()
    this.count = 0
    this.bytes = 0
    return encoding.toUint8Array(encoder)
  }
}

/** About how many bytes a deleted range has: a clock and a length. */
const RANGE_BYTES = 6

function tooSmall(field: string): ParleyError {
  return new ParleyError('invalid-argument', `${field} must be at least 1`, { field })
}
