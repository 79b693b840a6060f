import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { ParleyError } from '../errors.js'
import { scanUpdate } from './scan.js'

/** An update taken apart: what it inserts and what it deletes. */
export interface DecodedUpdate {
  readonly structs: ReadonlyArray<Y.Item | Y.GC | Y.Skip>
  readonly deletions: ReadonlyMap<number, ReadonlyArray<{ readonly clock: number; readonly len: number }>>
}

/**
 * JSON deeper than this, or types nested deeper, is refused: Yjs walks both recursively, and 12 KB of nested arrays
 * overflow the stack of every device that opens the document. The document's own deepest type is a text in a map in a list.
 */
export const MAX_DEPTH = 64

/**
 * Decodes an update that comes from outside and checks that it can be applied to a document.
 *
 * Refused is what no honest client writes: bytes that are not exactly one update in Yjs' first encoding; an item that refers to
 * its own client at or after its own clock (11 such bytes, once stored, stop a document from ever loading again); deleted ranges
 * that overlap; content or types nested too deep; more than {@link UPDATE_LIMITS}. Nothing is changed by the check. Whether the
 * document has what the update builds on is checked by `findGap`.
 *
 * @throws ParleyError with code `invalid-update`, or `too-large` for an update beyond the limits
 * @example
 * ```ts
 * import * as Y from 'yjs'
 * import { decodeUpdate } from '@parley/core'
 *
 * const doc = new Y.Doc()
 * doc.getText('t').insert(0, 'hello')
 * const { structs } = decodeUpdate(Y.encodeStateAsUpdate(doc)) // structs.length === 1
 * ```
 */
export function decodeUpdate(update: Uint8Array): DecodedUpdate {
  const { clients } = scanUpdate(update)
  const { structs, ds } = decode(update)
  for (const struct of structs) checkStruct(struct)
  return checkWhole({ structs, deletions: ds.clients }, clients)
}

/** So many structs are decoded in one step. */
const STEP_STRUCTS = 4096

/**
 * Does what {@link decodeUpdate} does in steps of a few milliseconds, for updates as large as a document. The caller does
 * something else between the steps; what the generator returns is the decoded update.
 *
 * @throws ParleyError with code `invalid-update`, or `too-large` for an update beyond the limits
 * @example
 * ```ts
 * import * as Y from 'yjs'
 * import { decodeUpdateInSteps } from '@parley/core'
 *
 * const steps = decodeUpdateInSteps(Y.encodeStateAsUpdate(new Y.Doc()))
 * let step = steps.next()
 * while (!step.done) step = steps.next() // after a turn of the event loop
 * step.value.structs.length // 0
 * ```
 */
export function* decodeUpdateInSteps(update: Uint8Array): Generator<void, DecodedUpdate, undefined> {
  const { clients, parts, deletionsFrom } = scanUpdate(update, STEP_STRUCTS)
  yield
  const structs: Array<Y.Item | Y.GC | Y.Skip> = []
  let next = 0
  let pending = 0
  for (const { client, clock, structs: count, from, to } of parts) {
    const { structs: some } = decode(joinPart(client, clock ?? next, count, update.subarray(from, to)))
    for (const struct of some) {
      checkStruct(struct)
      structs.push(struct)
      next = struct.id.clock + struct.length
    }
    pending += count
    if (pending >= STEP_STRUCTS) {
      pending = 0
      yield
    }
  }
  const deletions = new Uint8Array(1 + update.length - deletionsFrom)
  deletions.set(update.subarray(deletionsFrom), 1)
  const { ds } = decode(deletions)
  yield
  return checkWhole({ structs, deletions: ds.clients }, clients)
}

/** An update of structs that lie in another one. */
function joinPart(client: number, clock: number, count: number, structs: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const part of [1, count, client, clock]) encoding.writeVarUint(encoder, part)
  encoding.writeUint8Array(encoder, structs)
  encoding.writeVarUint(encoder, 0)
  return encoding.toUint8Array(encoder)
}

function decode(update: Uint8Array): ReturnType<typeof Y.decodeUpdate> {
  try {
    return Y.decodeUpdate(update)
  } catch (cause) {
    // A RangeError too: deeply nested content overflows the decoder's own stack.
    throw new ParleyError('invalid-update', 'The bytes are not a Yjs update', { cause })
  }
}

function checkStruct(struct: Y.Item | Y.GC | Y.Skip): void {
  if (!Number.isSafeInteger(struct.id.clock + struct.length) || struct.length < 1) {
    throw refused(struct, 'has a clock outside of what Yjs counts')
  }
  if (struct instanceof Y.Item) checkItem(struct)
}

/** @param clients how many clients the update lists with insertions */
function checkWhole(decoded: DecodedUpdate, clients: number): DecodedUpdate {
  // Of two parts with items of one client Yjs would apply only the second, and its deletions.
  if (clients !== countClients(decoded.structs)) {
    throw new ParleyError('invalid-update', 'The update lists a client twice, or without items')
  }
  for (const ranges of decoded.deletions.values()) {
    for (const range of ranges) {
      if (!Number.isSafeInteger(range.clock + range.len) || range.len < 1) {
        throw new ParleyError('invalid-update', 'The update deletes a range outside of what Yjs counts')
      }
    }
  }
  return decoded
}

function countClients(structs: DecodedUpdate['structs']): number {
  if (isOfOneClient(structs)) return Math.min(structs.length, 1)
  return new Set(structs.map(({ id }) => id.client)).size
}

/** True if no two clients have insertions in an update. Most are so, and cost less where nothing is sorted by client. */
export function isOfOneClient(structs: DecodedUpdate['structs']): boolean {
  const first = structs[0]
  return structs.every((struct) => struct.id.client === first?.id.client)
}

/** True if the bytes are an update that inserts nothing and deletes nothing. */
export function isEmptyUpdate({ structs, deletions }: DecodedUpdate): boolean {
  return structs.length === 0 && deletions.size === 0
}

function checkItem(item: Y.Item): void {
  for (const reference of references(item)) {
    if (reference.client === item.id.client && reference.clock >= item.id.clock) {
      throw refused(item, 'refers to itself or to what its own client wrote later')
    }
  }
  if (item.content instanceof Y.ContentAny || item.content instanceof Y.ContentJSON) {
    for (const value of item.content.arr) checkDepth(item, value)
  } else if (item.content instanceof Y.ContentEmbed) {
    checkDepth(item, item.content.embed)
  } else if (item.content instanceof Y.ContentFormat) {
    checkDepth(item, item.content.value)
  } else if (item.content instanceof Y.ContentDoc) {
    throw refused(item, 'embeds a document; subdocuments are not part of a conversation list')
  }
}

/**
 * The ids of the insertions that an item of a decoded update refers to: they must be in a document before it can be.
 *
 * @example
 * ```ts
 * import * as Y from 'yjs'
 * import { decodeUpdate, references } from '@parley/core'
 *
 * const doc = new Y.Doc()
 * doc.getText('t').insert(0, 'hello')
 * const before = Y.encodeStateVector(doc)
 * doc.getText('t').insert(5, '!')
 * const [added] = decodeUpdate(Y.encodeStateAsUpdate(doc, before)).structs
 * if (added instanceof Y.Item) references(added) // the id of the "o" it stands behind
 * ```
 */
export function references(item: Y.Item): Y.ID[] {
  const ids: Y.ID[] = []
  if (item.origin) ids.push(item.origin)
  if (item.rightOrigin) ids.push(item.rightOrigin)
  // A decoded parent is the name of a root type (a string) or the id of the item that holds the type.
  const parent: unknown = item.parent
  if (parent instanceof Y.ID) ids.push(parent)
  return ids
}

function checkDepth(item: Y.Item, value: unknown): void {
  if (!isShallow(value, MAX_DEPTH)) throw refused(item, `holds JSON nested deeper than ${MAX_DEPTH}`)
}

function isShallow(value: unknown, depth: number): boolean {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return true
  if (depth === 0) return false
  return Object.values(value).every((member) => isShallow(member, depth - 1))
}

function refused(struct: Y.AbstractStruct, what: string): ParleyError {
  const { client, clock } = struct.id
  return new ParleyError('invalid-update', `The item ${client}:${clock} of the update ${what}`)
}
