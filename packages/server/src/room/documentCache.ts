/** A document that is in memory. */
export interface CachedDocument {
  readonly bytes: number
  /** True while somebody needs it. */
  readonly isBusy: boolean
  /** Lets go of it. Not called while it is busy. */
  drop: () => void
}

/** Which documents stay in memory: those that are needed, and of the others the ones used last, as far as they fit. */
export interface DocumentCache {
  /** The document was used just now; one that was only looked at, `briefly`, is not kept for long. */
  touch: (document: CachedDocument, briefly?: boolean) => void
  /** The document is not in memory any more. */
  remove: (document: CachedDocument) => void
  readonly count: number
  /** All of them as updates, see {@link Limits.cachedBytes}. */
  readonly bytes: number
  close: () => void
}

export interface DocumentCacheOptions {
  maxBytes: number
  /** How long a document that nobody uses stays, in milliseconds. */
  idleMs: number
}

/**
 * So long a document stays that was only looked at, in milliseconds: when a crowd connects, what each needs once is let go of
 * while it is still cheap for the garbage collector.
 */
const BRIEF_MS = 250
/** Idle documents are looked for so many times in the time they may stay. */
const LOOKS = 4
const MIN_LOOK_MS = 10

/** Creates a {@link DocumentCache}. */
export function createDocumentCache({ maxBytes, idleMs }: DocumentCacheOptions): DocumentCache {
  const briefMs = Math.min(BRIEF_MS, idleMs)
  /** Until when each may stay and how large it was when it was used last, the longest ago first. */
  const used = new Map<CachedDocument, { until: number; bytes: number }>()
  let bytes = 0
  let timer: NodeJS.Timeout | null = null

  const remove = (document: CachedDocument): void => {
    bytes -= used.get(document)?.bytes ?? 0
    used.delete(document)
  }
  const drop = (document: CachedDocument): void => {
    remove(document)
    document.drop()
  }
  const dropIdle = (): void => {
    timer = null
    const now = performance.now()
    for (const [document, { until }] of used) if (until <= now && !document.isBusy) drop(document)
    look()
  }
  const look = (): void => {
    if (timer || used.size === 0) return
    timer = setTimeout(dropIdle, Math.max(MIN_LOOK_MS, briefMs / LOOKS))
    timer.unref()
  }

  return {
    touch(document, briefly = false) {
      const until = performance.now() + (briefly ? briefMs : idleMs)
      const use = used.get(document) ?? { until, bytes: 0 }
      use.until = Math.max(until, use.until)
      bytes -= use.bytes
      use.bytes = document.bytes
      bytes += use.bytes
      // To the end.
      used.delete(document)
      used.set(document, use)
      if (bytes > maxBytes) {
        for (const other of used.keys()) {
          if (bytes <= maxBytes) break
          if (other !== document && !other.isBusy) drop(other)
        }
      }
      look()
    },
    remove,
    get count() {
      return used.size
    },
    get bytes() {
      return bytes
    },
    close() {
      if (timer) clearTimeout(timer)
      timer = null
      used.clear()
      bytes = 0
    },
  }
}
