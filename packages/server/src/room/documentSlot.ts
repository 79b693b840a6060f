import type { DocumentCache } from './documentCache.js'
import type { RoomDocument } from './roomDocument.js'

/** Keeps a document in memory. */
export interface DocumentLease {
  readonly document: RoomDocument
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
  /** Loads the document if need be, once for all who ask. */
  open: () => Promise<DocumentLease>
  /** Settles when the document has been let go of. */
  close: () => Promise<void>
  /** Lets go of the document at once: it is of no use any more. Whoever opens it from now on is told why. */
  discard: (reason: unknown) => void
}

export interface DocumentSlotOptions {
  cache: DocumentCache
  load: () => Promise<RoomDocument>
  /** The document has come into memory. */
  onLoaded: (document: RoomDocument) => void
  /** True if the document is to stay although nobody asked for it. */
  isNeeded: () => boolean
  /** The document is gone from memory. */
  onEmpty: () => void
  onError: (error: unknown) => void
}

/** Creates an empty {@link DocumentSlot}. */
export function createDocumentSlot(options: DocumentSlotOptions): DocumentSlot {
  const { cache, load, onLoaded, isNeeded, onEmpty, onError } = options
  let document: RoomDocument | null = null
  let loading: Promise<RoomDocument> | null = null
  /** Settles when the document has left; who asks meanwhile waits, and loads it anew. */
  let leaving: Promise<void> | null = null
  let discarded: { reason: unknown } | null = null
  let leases = 0

  const leave = async (): Promise<void> => {
    const left = document
    try {
      // It takes part in what happens until there is nothing left to do.
      await left?.finish()
    } catch (error) {
      onError(error)
    } finally {
      // In one step: a row that came in between would be taken by a document that tells nobody of it.
      left?.destroy()
      if (document === left) document = null
      leaving = null
    }
    if (!document && !loading) onEmpty()
  }
  const cached = {
    get bytes() {
      return document?.bytes ?? 0
    },
    get isBusy() {
      return leases > 0 || isNeeded()
    },
    drop() {
      leaving ??= leave()
    },
  }

  const get = async (): Promise<RoomDocument> => {
    while (leaving) await leaving
    if (discarded) throw discarded.reason
    if (document) return document
    loading ??= load()
      .then((loaded) => {
        if (discarded) loaded.destroy()
        else {
          document = loaded
          onLoaded(loaded)
        }
        // What came meanwhile may not fit.
        if (discarded) throw discarded.reason
        return loaded
      })
      .finally(() => {
        loading = null
      })
    return loading
  }

  return {
    get document() {
      return document
    },
    get isEmpty() {
      return !document && !loading && !leaving
    },
    peek() {
      if (!document || leaving) return null
      cache.touch(cached)
      return document
    },
    async open() {
      leases++
      try {
        const opened = await get()
        cache.touch(cached)
        let released = false
        return {
          document: opened,
          release() {
            if (released) return
            released = true
            leases--
          },
        }
      } catch (error) {
        leases--
        throw error
      }
    },
    async close() {
      await loading?.catch(() => {})
      cache.remove(cached)
      if (document) leaving ??= leave()
      await leaving
    },
    discard(reason) {
      discarded = { reason }
      cache.remove(cached)
      document?.destroy()
      document = null
    },
  }
}
