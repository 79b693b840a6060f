import * as Y from 'yjs'
import type { Edit, EditedDocument } from './edit.js'

/**
 * When between so many edits wait they are applied: at a different number each time, or users who edit in step would be dealt
 * with at one moment.
 */
const MIN_LIMIT = 8
const MAX_LIMIT = 24
/** So many bytes of them wait at most. */
const MAX_BYTES = 16 * 1024
const FIRST_BYTES = 1024

/**
 * A document to which edits are applied when somebody looks at it, or when there are many: most of what Yjs does for an update
 * it does once for all that are applied together. To tell if the next edit fits it is enough to know up to where each client got,
 * and what is deleted.
 *
 * What waits is kept in few pieces of memory: as an object or more for each edit it would grow old, and have to be looked
 * through by the garbage collector.
 */
export class LazyDocument implements EditedDocument {
  private readonly applied: Y.Doc
  private readonly onFault: (error: unknown) => void
  /** The edits that wait, one behind the other, and where each ends. */
  private bytes = new Uint8Array(0)
  private readonly ends: number[] = []
  private limit = drawLimit()
  /** Up to where clients get with the edits that wait. */
  private readonly clocks = new Map<number, number>()
  /** What they delete: a client, from where and up to where, and so on. */
  private readonly deleted: number[] = []
  /** Why the document is of no use any more: half of something may be in it. */
  private fault: { readonly error: unknown } | null = null

  /** @param onFault told why when the document is of no use any more; whoever asked is thrown the same */
  constructor(doc: Y.Doc, onFault: (error: unknown) => void) {
    this.applied = doc
    this.onFault = onFault
  }

  /**
   * The document with all that was added.
   *
   * @throws if some of it cannot be applied, or in part only: from then on, whatever is asked
   */
  get doc(): Y.Doc {
    this.catchUp()
    return this.applied
  }

  /**
   * Applies what was added and still waits.
   *
   * @throws as {@link LazyDocument.doc} does
   */
  catchUp(): void {
    this.throwIfFaulty()
    if (this.ends.length > 0) this.applyEdits()
  }

  /** True if it has been let go of. */
  get isDestroyed(): boolean {
    return this.applied.isDestroyed
  }

  clockOf(client: number): number {
    this.throwIfFaulty()
    return Math.max(this.clocks.get(client) ?? 0, Y.getState(this.applied.store, client))
  }

  /**
   * What lies beside an insertion that waits is not looked at: few wait, so the places of their neighbours are found soon.
   */
  isBetweenNeighbours({ origin, rightOrigin, parent, parentSub }: Y.Item): boolean {
    const { applied } = this
    if (origin) {
      if (!isIn(applied, origin)) return true
      const left = Y.getItem(applied.store, origin) as Y.Item | Y.GC
      if (!(left instanceof Y.Item)) return true
      const end = left.id.clock + left.length - 1
      const next = origin.clock < end ? Y.createID(origin.client, origin.clock + 1) : (left.right?.id ?? null)
      return Y.compareIDs(next, rightOrigin)
    }
    if (rightOrigin) {
      if (!isIn(applied, rightOrigin)) return false
      const right = Y.getItem(applied.store, rightOrigin) as Y.Item | Y.GC
      if (!(right instanceof Y.Item)) return true
      return right.left === null && right.id.clock === rightOrigin.clock
    }
    const type = typeNamed(applied, parent)
    if (!type) return true
    return parentSub === null ? type._start === null : !type._map.has(parentSub)
  }

  isLiving(client: number, from: number, to: number): boolean {
    const { applied, deleted } = this
    for (let at = 0; at < deleted.length; at += 3) {
      if (deleted[at] !== client) continue
      if ((deleted[at + 1] as number) < to && from < (deleted[at + 2] as number)) return false
    }
    return isLiving(applied, client, from, Math.min(to, Y.getState(applied.store, client)))
  }

  /** Takes an update that is an edit of this document; it may be applied later. */
  addEdit(update: Uint8Array, { client, end, deleted }: Edit): void {
    const at = this.ends.at(-1) ?? 0
    if (at + update.byteLength > MAX_BYTES) {
      this.add(update)
      return
    }
    this.makeRoom(at + update.byteLength)
    this.bytes.set(update, at)
    this.ends.push(at + update.byteLength)
    this.clocks.set(client, Math.max(end, this.clockOf(client)))
    for (const { client: owner, from, to } of deleted) this.deleted.push(owner, from, to)
    if (this.ends.length >= this.limit) this.applyEdits()
  }

  /**
   * Takes an update that fits.
   *
   * @throws if it cannot be applied, or in part only: from then on, whatever is asked
   */
  add(update: Uint8Array): void {
    const { doc } = this
    this.apply(() => Y.applyUpdate(doc, update, 'log'))
  }

  destroy(): void {
    this.forgetEdits()
    this.applied.destroy()
  }

  private makeRoom(bytes: number): void {
    if (bytes <= this.bytes.byteLength) return
    const larger = new Uint8Array(Math.max(FIRST_BYTES, 2 ** Math.ceil(Math.log2(bytes))))
    larger.set(this.bytes)
    this.bytes = larger
  }

  private applyEdits(): void {
    const { applied, bytes, ends } = this
    const applyAll = (): void => {
      let from = 0
      for (const end of ends) {
        Y.applyUpdate(applied, bytes.subarray(from, end))
        from = end
      }
    }
    this.apply(() => applied.transact(applyAll, 'log'))
    this.forgetEdits()
  }

  private apply(change: () => void): void {
    try {
      change()
      const { pendingStructs, pendingDs } = this.applied.store
      if (pendingStructs || pendingDs) throw new Error('a stored update was applied in part')
    } catch (error) {
      this.fault = { error }
      this.onFault(error)
      throw error
    }
  }

  private throwIfFaulty(): void {
    if (this.fault) throw this.fault.error
  }

  private forgetEdits(): void {
    this.ends.length = 0
    this.clocks.clear()
    this.deleted.length = 0
    this.limit = drawLimit()
  }
}

function drawLimit(): number {
  return MIN_LIMIT + Math.floor(Math.random() * (MAX_LIMIT - MIN_LIMIT))
}

function isIn(doc: Y.Doc, { client, clock }: Y.ID): boolean {
  return clock < Y.getState(doc.store, client)
}

/** The type that a decoded insertion names as its parent, if the document has it. */
function typeNamed(doc: Y.Doc, parent: unknown): Y.AbstractType<unknown> | null {
  if (typeof parent === 'string')
    return (doc.share.get(parent) as Y.AbstractType<unknown> | undefined) ?? null
  if (!(parent instanceof Y.ID) || !isIn(doc, parent)) return null
  const holder = Y.getItem(doc.store, parent) as Y.Item | Y.GC
  const content = holder instanceof Y.Item ? holder.content : null
  return content instanceof Y.ContentType ? (content.type as Y.AbstractType<unknown>) : null
}

/** True if nothing of a range that a document has is deleted. */
function isLiving(doc: Y.Doc, client: number, from: number, to: number): boolean {
  if (from >= to) return true
  const structs = doc.store.clients.get(client) ?? []
  for (let index = Y.findIndexSS(structs, from); index < structs.length; index++) {
    const struct = structs[index] as Y.Item | Y.GC
    if (struct.id.clock >= to) return true
    if (struct.deleted) return false
  }
  return true
}
