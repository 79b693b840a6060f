import * as Y from 'yjs'
import { ParleyError } from '../errors.js'
import type { DecodedUpdate } from './decode.js'
import { inCausalOrder } from './splitUpdate.js'

type Struct = DecodedUpdate['structs'][number]
type Id = { readonly client: number; readonly clock: number }

/** What an update may cost however small it is; about 30 milliseconds. */
const FREE_STEPS = 50_000
/** What each struct may cost more. Honest updates need less than one a struct; hostile ones as many as there are structs. */
const STEPS_PER_STRUCT = 32
/** What each deleted range may cost beside that: it may split items of a client that has tens of thousands. */
const STEPS_PER_RANGE = 512
/** So many elements of an array are copied in the time of a step. */
const COPIES_PER_STEP = 512
/** So many items of a text are looked at for formats in the time of a step. */
const ITEMS_PER_STEP = 4
/** So many deleted items are walked over in the time of a step. */
const GAP_ITEMS_PER_STEP = 64

/** How many steps the insertions of an update, or of a document, with so many structs may take. */
export function maxIntegrationSteps(structs: number): number {
  return FREE_STEPS + STEPS_PER_STRUCT * structs
}

/**
 * Counts the steps that Yjs takes to integrate an update into a document, and refuses the update if they are too many, without
 * changing the document. The update must have no gap in `doc`, see `findGap`.
 *
 * A step is one round of the loop in which Yjs looks for the place of an insertion among concurrent ones. What else is not in
 * proportion to the size of the update is converted to steps: the walk along the former values of a key, and the copying of arrays
 * where items are split and joined. Takes time in proportion to the structs of the update and the steps.
 *
 * @param most the greatest number of steps of the insertions; that of {@link maxIntegrationSteps} for the structs of the update
 *   if left out. Each deleted range may take 512 beside them, which insertions cannot use
 * @returns the steps, never fewer than Yjs takes
 * @throws ParleyError with code `too-large` if they are more than `most`
 * @example
 * ```ts
 * import * as Y from 'yjs'
 * import { checkIntegration, decodeUpdate } from '@parley/core'
 *
 * const doc = new Y.Doc()
 * doc.getText('t').insert(0, 'hello')
 * checkIntegration(new Y.Doc(), decodeUpdate(Y.encodeStateAsUpdate(doc))) // 0: nothing is concurrent
 * ```
 */
export function checkIntegration(
  doc: Y.Doc,
  update: DecodedUpdate,
  most = maxIntegrationSteps(update.structs.length),
): number {
  const steps = new Integration(doc, most).run(update)
  if (steps !== null) return steps
  throw new ParleyError(
    'too-large',
    `The update has ${update.structs.length} structs and takes more than ${most} steps to integrate`,
    { field: 'steps' },
  )
}

/** A part of an item, or all of it, as it would be while the update is integrated. */
interface Part {
  readonly client: number
  readonly clock: number
  length: number
  readonly origin: Id | null
  readonly rightOrigin: Id | null
  readonly list: List
  readonly key: string | null
  readonly content: Y.Item['content'] | null
  /** `undefined` as long as it is what it is in the document. */
  right: Part | null | undefined
  hasLeft: boolean
  /** The item of the document it is the last part of. */
  readonly item: Y.Item | null
}

/** The elements of a type, or the values of its keys. */
interface List {
  readonly type: Y.AbstractType<unknown> | null
  /** `undefined` as long as it is what it is in the document. */
  start: Part | null | undefined
  keys: Map<string, Key> | null
}

/** The values that one key has had: the first of them, and how many. */
interface Key {
  first: Part | null
  count: number
}

/** Thrown when it is clear that the steps are too many. */
const TOO_MANY = new Error('too many steps')

/**
 * Goes through the motions of Yjs' `Item.integrate` beside the document: its items are read, and what would be changed of them is
 * kept here.
 */
class Integration {
  private readonly doc: Y.Doc
  private most: number
  private steps = 0
  private readonly partsOfItems = new Map<Y.Item, Part[]>()
  /** What the update brings, in the order of the clocks, without what is garbage at once. */
  private readonly brought = new Map<number, { parts: Part[]; end: number }>()
  private readonly lists = new Map<Y.AbstractType<unknown> | string, List>()
  private keyedSplits = 0
  /** The texts that the update brings formats for. */
  private readonly formatted = new Set<List>()

  constructor(doc: Y.Doc, most: number) {
    this.doc = doc
    this.most = most
  }

  /** The steps, `null` if they are too many. */
  run({ structs, deletions }: DecodedUpdate): number | null {
    try {
      this.countJoins(structs)
      for (const struct of inCausalOrder(structs)) this.take(struct)
      this.most += STEPS_PER_RANGE * countRanges(deletions)
      this.countDeletions(deletions)
      this.countFormatCleaning(deletions)
      return this.steps
    } catch (error) {
      if (error !== TOO_MANY) throw error
      return null
    }
  }

  private spend(steps: number): void {
    this.steps += steps
    if (this.steps > this.most) throw TOO_MANY
  }

  private stateOf(client: number): number {
    return this.brought.get(client)?.end ?? Y.getState(this.doc.store, client)
  }

  private take(struct: Struct): void {
    if (struct instanceof Y.Skip) return
    const { client, clock } = struct.id
    const known = this.stateOf(client)
    if (!(struct instanceof Y.Item)) {
      if (clock + struct.length > known) this.bring(client, clock + struct.length, null)
      return
    }
    let left = struct.origin ? this.partEndingAt(struct.origin) : null
    const right = struct.rightOrigin ? this.partBeginningAt(struct.rightOrigin) : null
    const end = clock + struct.length
    // What is known already is only looked for.
    if (end <= known) return
    if (left === GARBAGE || right === GARBAGE) {
      this.bring(client, end, null)
      return
    }
    const list = left?.list ?? right?.list ?? this.listOf(struct.parent)
    const key = left ? left.key : right ? right.key : (struct.parentSub ?? null)
    let { origin } = struct as { origin: Id | null }
    if (clock < known) {
      const before = this.partEndingAt({ client, clock: known - 1 })
      left = before === GARBAGE ? null : before
      origin = { client, clock: known - 1 }
    }
    if (!list) {
      this.bring(client, end, null)
      return
    }
    const part: Part = {
      client,
      clock: Math.max(clock, known),
      length: end - Math.max(clock, known),
      origin,
      rightOrigin: struct.rightOrigin,
      list,
      key,
      content: struct.content,
      right: null,
      hasLeft: false,
      item: null,
    }
    this.place(part, left, right)
    if (part.content instanceof Y.ContentFormat) this.formatted.add(list)
    this.bring(client, end, part)
  }

  private place(part: Part, from: Part | null, right: Part | null): void {
    let left = from
    const isBesideRight = left ? this.rightOf(left) === right : right !== null && !right.hasLeft
    if (!isBesideRight) left = this.findLeft(part, left, right)
    if (left) {
      part.right = this.rightOf(left)
      left.right = part
      part.hasLeft = true
    } else if (part.key === null) {
      part.right = this.startOf(part.list)
      part.list.start = part
    } else {
      const key = this.walkKey(part.list, part.key)
      part.right = key.first
      key.first = part
    }
    if (part.key !== null) this.keyOf(part.list, part.key).count++
    if (part.right) part.right.hasLeft = true
  }

  /** The search of Yjs, with the same rounds. */
  private findLeft(part: Part, from: Part | null, right: Part | null): Part | null {
    let left = from
    let other: Part | null
    if (left) other = this.rightOf(left)
    else if (part.key === null) other = this.startOf(part.list)
    else other = this.walkKey(part.list, part.key).first
    const passed = new Set<Part>()
    const conflicting = new Set<Part>()
    while (other && other !== right) {
      this.spend(1)
      passed.add(other)
      conflicting.add(other)
      if (isSame(part.origin, other.origin)) {
        if (other.client < part.client) {
          left = other
          conflicting.clear()
        } else if (isSame(part.rightOrigin, other.rightOrigin)) break
      } else {
        const origin = other.origin && this.find(other.origin)
        if (!origin || !passed.has(origin)) break
        if (!conflicting.has(origin)) {
          left = other
          conflicting.clear()
        }
      }
      other = this.rightOf(other)
    }
    return left
  }

  private bring(client: number, end: number, part: Part | null): void {
    let brought = this.brought.get(client)
    if (!brought) {
      brought = { parts: [], end }
      this.brought.set(client, brought)
    }
    brought.end = end
    if (part) brought.parts.push(part)
  }

  /** The part that holds a clock, or `GARBAGE`. */
  private find(id: Id): Part {
    if (id.clock < Y.getState(this.doc.store, id.client)) {
      const struct: unknown = Y.getItem(this.doc.store, id as Y.ID)
      if (!(struct instanceof Y.Item)) return GARBAGE
      return findPart(this.partsOf(struct), id.clock) ?? GARBAGE
    }
    return findPart(this.brought.get(id.client)?.parts ?? [], id.clock) ?? GARBAGE
  }

  private partEndingAt(id: Id): Part {
    const part = this.find(id)
    if (part !== GARBAGE && id.clock < part.clock + part.length - 1) this.split(part, id.clock + 1)
    return part
  }

  private partBeginningAt(id: Id): Part {
    const part = this.find(id)
    return part !== GARBAGE && id.clock > part.clock ? this.split(part, id.clock) : part
  }

  private split(part: Part, clock: number): Part {
    const { client, length, item, key } = part
    const second: Part = {
      client,
      clock,
      length: part.clock + length - clock,
      origin: { client, clock: clock - 1 },
      rightOrigin: part.rightOrigin,
      list: part.list,
      key,
      content: part.content,
      right: part.right,
      hasLeft: true,
      item,
    }
    part.length = clock - part.clock
    part.right = second
    const parts = item ? this.partsOf(item) : (this.brought.get(client)?.parts ?? [])
    parts.splice(indexOfPart(parts, part.clock) + 1, 0, second)
    if (key !== null) this.keyedSplits++
    this.countSplit(client, part.content, length)
    return second
  }

  /** Yjs makes room in the array of the client's structs, and copies the values on both sides. */
  private countSplit(client: number, content: Y.Item['content'] | null, length: number): void {
    const structs =
      (this.doc.store.clients.get(client)?.length ?? 0) + (this.brought.get(client)?.parts.length ?? 0)
    const values = isArray(content) ? 2 * length : 0
    this.spend((structs + values) / COPIES_PER_STEP)
  }

  /** Items that continue each other are joined from the last one to the first, each time copying what was joined already. */
  private countJoins(structs: readonly Struct[]): void {
    let before: Y.Item | null = null
    let joins = 0
    let values = 0
    for (const struct of structs) {
      const item: Y.Item | null = struct instanceof Y.Item && isArray(struct.content) ? struct : null
      if (item && before && isSame(item.origin, before.lastId)) {
        joins++
        values += item.length
      } else {
        this.spend((joins * values) / COPIES_PER_STEP)
        joins = 0
        values = item?.length ?? 0
      }
      before = item
    }
    this.spend((joins * values) / COPIES_PER_STEP)
  }

  private countDeletions(deletions: DecodedUpdate['deletions']): void {
    for (const [client, ranges] of deletions) {
      for (const { clock, len } of ranges) {
        this.countCut({ client, clock })
        this.countCut({ client, clock: clock + len })
      }
    }
  }

  /** Counts the split of a living item that begins before a clock and ends behind it. */
  private countCut(id: Id): void {
    if (id.clock >= this.stateOf(id.client)) return
    const part = this.find(id)
    if (part === GARBAGE || part.clock === id.clock || part.item?.deleted) return
    if (part.content instanceof Y.ContentDeleted) return
    this.countSplit(id.client, part.content, part.length)
  }

  /**
   * Where a text has formats, Yjs goes through all of it after each change of them, with a copy of the attributes at each place; and
   * around each deleted item it walks over what is deleted on both sides. Deletions elsewhere, such as those of superseded
   * entries, cost nothing of that.
   */
  private countFormatCleaning(deletions: DecodedUpdate['deletions']): void {
    const deleted = new Map<List, Map<Part, number>>()
    for (const [client, ranges] of deletions) {
      // Once Yjs meets a deleted format it goes through all of that text instead. In which order it meets clients is not known here.
      const seenFormat = new Set<List>()
      for (const range of ranges) {
        for (const part of this.partsIn(client, range)) {
          const { list } = part
          if (seenFormat.has(list) || !(this.formatted.has(list) || hasFormatting(list))) continue
          if (part.content instanceof Y.ContentFormat) seenFormat.add(list)
          const parts = deleted.get(list) ?? new Map<Part, number>()
          parts.set(part, (parts.get(part) ?? 0) + 1)
          deleted.set(list, parts)
        }
      }
      for (const list of seenFormat) this.formatted.add(list)
    }
    for (const list of this.formatted) this.countFullCleaning(list)
    for (const [list, parts] of deleted) this.countGaps(list, parts)
  }

  private countFullCleaning(list: List): void {
    const attributes = new Set<string>()
    for (let part = this.startOf(list); part; part = this.rightOf(part)) {
      if (part.content instanceof Y.ContentFormat) attributes.add(part.content.key)
      this.spend((1 + attributes.size) / ITEMS_PER_STEP)
    }
  }

  /** @param parts what is deleted of the list, and in how many pieces */
  private countGaps(list: List, parts: ReadonlyMap<Part, number>): void {
    let gap = 0
    let walks = 0
    for (let part = this.startOf(list); part; part = this.rightOf(part)) {
      const pieces = parts.get(part) ?? 0
      const isGone = pieces > 0 || part.item?.deleted || part.content?.isCountable() === false
      if (isGone) {
        gap += Math.max(1, 2 * pieces - 1)
        walks += pieces
      } else {
        this.spend((gap * walks) / GAP_ITEMS_PER_STEP)
        gap = 0
        walks = 0
      }
    }
    this.spend((gap * walks) / GAP_ITEMS_PER_STEP)
  }

  /** The living items, or parts of them, that a range reaches into. */
  private *partsIn(client: number, { clock, len }: { clock: number; len: number }): Generator<Part> {
    const end = clock + len
    const stored = this.doc.store.clients.get(client) ?? []
    if (clock < Y.getState(this.doc.store, client)) {
      for (let index = Y.findIndexSS(stored, clock); index < stored.length; index++) {
        const struct = stored[index]
        if (!struct || struct.id.clock >= end) break
        if (!(struct instanceof Y.Item) || struct.deleted) continue
        for (const part of this.partsOf(struct)) {
          if (part.clock < end && part.clock + part.length > clock) yield part
        }
      }
    }
    const brought = this.brought.get(client)?.parts ?? []
    for (let index = firstPartFrom(brought, clock); index < brought.length; index++) {
      const part = brought[index]
      if (!part || part.clock >= end) break
      yield part
    }
  }

  private partsOf(item: Y.Item): Part[] {
    let parts = this.partsOfItems.get(item)
    if (!parts) {
      const part: Part = {
        client: item.id.client,
        clock: item.id.clock,
        length: item.length,
        origin: item.origin,
        rightOrigin: item.rightOrigin,
        list: this.listOfType(item.parent as Y.AbstractType<unknown>),
        key: item.parentSub,
        content: item.content,
        right: undefined,
        hasLeft: item.left !== null,
        item,
      }
      parts = [part]
      this.partsOfItems.set(item, parts)
    }
    return parts
  }

  private firstPartOf(item: Y.Item | null): Part | null {
    return item ? (this.partsOf(item)[0] ?? null) : null
  }

  private rightOf(part: Part): Part | null {
    part.right ??= part.right === undefined ? this.firstPartOf(part.item?.right ?? null) : null
    return part.right
  }

  private startOf(list: List): Part | null {
    list.start ??= list.start === undefined ? this.firstPartOf(list.type?._start ?? null) : null
    return list.start
  }

  private keyOf(list: List, name: string): Key {
    list.keys ??= new Map()
    let key = list.keys.get(name)
    if (!key) {
      let item = list.type?._map.get(name) ?? null
      let count = item ? 1 : 0
      for (; item?.left; item = item.left) {
        this.spend(1)
        count++
      }
      key = { first: this.firstPartOf(item), count }
      list.keys.set(name, key)
    }
    return key
  }

  private walkKey(list: List, name: string): Key {
    const key = this.keyOf(list, name)
    this.spend(key.count + this.keyedSplits)
    return key
  }

  private listOfType(type: Y.AbstractType<unknown>): List {
    let list = this.lists.get(type)
    if (!list) {
      list = { type, start: undefined, keys: null }
      this.lists.set(type, list)
    }
    return list
  }

  /** The list that a decoded item names as its parent; `null` if that is no type, or none any more. */
  private listOf(parent: unknown): List | null {
    if (typeof parent === 'string') {
      const type = this.doc.share.get(parent)
      if (type) return this.listOfType(type as Y.AbstractType<unknown>)
      let list = this.lists.get(parent)
      if (!list) {
        list = { type: null, start: null, keys: null }
        this.lists.set(parent, list)
      }
      return list
    }
    if (!(parent instanceof Y.ID)) return null
    const { content } = this.find(parent)
    return content instanceof Y.ContentType ? this.listOfType(content.type as Y.AbstractType<unknown>) : null
  }
}

const NO_LIST: List = { type: null, start: null, keys: null }

/** Stands for all that is garbage: what is beside it becomes garbage too. */
const GARBAGE: Part = {
  client: -1,
  clock: 0,
  length: 0,
  origin: null,
  rightOrigin: null,
  list: NO_LIST,
  key: null,
  content: null,
  right: null,
  hasLeft: false,
  item: null,
}

function isSame(a: Id | null, b: Id | null): boolean {
  return a === b || (a !== null && b !== null && a.client === b.client && a.clock === b.clock)
}

function isArray(content: Y.Item['content'] | null): boolean {
  return content instanceof Y.ContentAny || content instanceof Y.ContentJSON
}

function countRanges(deletions: DecodedUpdate['deletions']): number {
  let count = 0
  for (const ranges of deletions.values()) count += ranges.length
  return count
}

/** The part that holds a clock, among parts in the order of their clocks. */
function findPart(parts: readonly Part[], clock: number): Part | null {
  return parts[indexOfPart(parts, clock)] ?? null
}

function indexOfPart(parts: readonly Part[], clock: number): number {
  let low = 0
  let high = parts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const part = parts[middle] as Part
    if (clock < part.clock) high = middle
    else if (clock >= part.clock + part.length) low = middle + 1
    else return middle
  }
  return -1
}

/** The index of the first part that ends after a clock. */
function firstPartFrom(parts: readonly Part[], clock: number): number {
  let low = 0
  let high = parts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const part = parts[middle] as Part
    if (part.clock + part.length <= clock) low = middle + 1
    else high = middle
  }
  return low
}

/** Yjs notes on a type that formats were once inserted into it; its type declarations know that of texts only. */
function hasFormatting({ type }: List): boolean {
  return (type as { readonly _hasFormatting?: boolean } | null)?._hasFormatting === true
}
