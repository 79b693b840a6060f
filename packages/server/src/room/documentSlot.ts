import type { CachedDocument, DocumentCache } from './documentCache.js'
import type { RoomDocument } from './roomDocument.js'

/**
 * What a document is needed for: `work` is loaded first, and keeps it in memory for a while after; for a `look`, such as the
 * answer to a sync, it may take its time and is soon let go of.
 */
export type DocumentNeed = 'work' | 'look'

/** Keeps a document in memory. */
export interface DocumentLease {
  readonly document: RoomDocument
  /** What was to be a look became work. */
  keep: () => void
  /** May be called twice. */
  release: () => void
}

/** The place of a room's document: empty, or filled while somebody needs it and for a while after. */
export interface DocumentSlot {
  /** The document if it is in memory and stays there for now. */
  readonly document: RoomDocument | null
  readonly isEmpty: boolean
  /** The document if it is in memory, for a look at it in this turn of the event loop. */
  peek: () => RoomDocument | null
  /** The document if it is in memory: the same as `open`, at once. */
  take: (need: DocumentNeed) => DocumentLease | null
  /** Loads the document if need be, once for all who ask. */
  open: (need: DocumentNeed) => Promise<DocumentLease>
  /** Whoever wanted to look has done so: lets go of the document, unless somebody works with it. */
  seen: () => void
  /** Settles when the document has been let go of. */
  close: () => Promise<void>
  /** Lets go of the document at once: it is of no use any more. Whoever opens it from now on is told why. */
  discard: (reason: unknown) => void
}

/** The room of a document. */
export interface DocumentSlotHost {
  loadDocument: (isUrgent: boolean) => Promise<RoomDocument>
  /** Somebody's work waits for the load that is under way. */
  hurryLoad: () => void
  /** The document has come into memory. */
  onDocumentLoaded: (document: RoomDocument) => void
  /** True if the document is to stay although nobody asked for it. */
  needsDocument: () => boolean
  /** The document is gone from memory. */
  onDocumentGone: () => void
  onDocumentError: (error: unknown) => void
}

/** Creates an empty {@link DocumentSlot}. */
export function createDocumentSlot(host: DocumentSlotHost, cache: DocumentCache): DocumentSlot {
  return new CachedSlot(host, cache)
}

class CachedSlot implements DocumentSlot, CachedDocument {
  private readonly host: DocumentSlotHost
  private readonly cache: DocumentCache
  private present: RoomDocument | null = null
  private loading: Promise<RoomDocument> | null = null
  /** Settles when the document has left; who asks meanwhile waits, and loads it anew. */
  private leaving: Promise<void> | null = null
  private discarded: { readonly reason: unknown } | null = null
  private leases = 0
  /** True if somebody worked with the document that is in memory: it will be needed again. */
  private isKept = false

  constructor(host: DocumentSlotHost, cache: DocumentCache) {
    this.host = host
    this.cache = cache
  }

  get document(): RoomDocument | null {
    return this.present
  }

  get isEmpty(): boolean {
    return !this.present && !this.loading && !this.leaving
  }

  get bytes(): number {
    return this.present?.bytes ?? 0
  }

  get isBusy(): boolean {
    return this.leases > 0 || this.host.needsDocument()
  }

  drop(): void {
    this.leaving ??= this.leave()
  }

  peek(): RoomDocument | null {
    if (!this.present || this.leaving) return null
    this.touch('work')
    return this.present
  }

  take(need: DocumentNeed): DocumentLease | null {
    if (!this.present || this.leaving) return null
    this.leases++
    return this.lease(this.present, need)
  }

  async open(need: DocumentNeed): Promise<DocumentLease> {
    this.leases++
    try {
      return this.lease(await this.get(need), need)
    } catch (error) {
      this.leases--
      throw error
    }
  }

  seen(): void {
    if (!this.present || this.leaving || this.isKept || this.isBusy) return
    this.cache.remove(this)
    this.drop()
  }

  async close(): Promise<void> {
    await this.loading?.catch(() => {})
    this.cache.remove(this)
    if (this.present) this.drop()
    await this.leaving
  }

  discard(reason: unknown): void {
    this.discarded = { reason }
    this.cache.remove(this)
    this.present?.destroy()
    this.present = null
  }

  private lease(document: RoomDocument, need: DocumentNeed): DocumentLease {
    this.touch(need)
    let isReleased = false
    return {
      document,
      keep: () => {
        if (need === 'look' && !isReleased) this.touch('work')
      },
      release: () => {
        if (isReleased) return
        isReleased = true
        this.leases--
      },
    }
  }

  private touch(need: DocumentNeed): void {
    if (need === 'work') this.isKept = true
    this.cache.touch(this, need === 'look')
  }

  private async get(need: DocumentNeed): Promise<RoomDocument> {
    while (this.leaving) await this.leaving
    this.throwIfDiscarded()
    if (this.present) return this.present
    if (this.loading && need === 'work') this.host.hurryLoad()
    this.loading ??= this.load(need === 'work').finally(() => {
      this.loading = null
    })
    return this.loading
  }

  private async load(isUrgent: boolean): Promise<RoomDocument> {
    const loaded = await this.host.loadDocument(isUrgent)
    if (this.discarded) loaded.destroy()
    else {
      this.present = loaded
      this.isKept = false
      this.host.onDocumentLoaded(loaded)
    }
    // What came meanwhile may not fit.
    this.throwIfDiscarded()
    return loaded
  }

  private throwIfDiscarded(): void {
    if (this.discarded) throw this.discarded.reason
  }

  private async leave(): Promise<void> {
    const left = this.present
    try {
      // It takes part in what happens until there is nothing left to do.
      await left?.finish()
    } catch (error) {
      this.host.onDocumentError(error)
    } finally {
      // In one step: a row that came in between would be taken by a document that tells nobody of it.
      left?.destroy()
      if (this.present === left) this.present = null
      this.leaving = null
    }
    if (!this.present && !this.loading) this.host.onDocumentGone()
  }
}
