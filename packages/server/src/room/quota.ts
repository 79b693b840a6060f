import * as Y from 'yjs'
import type { LazyDocument } from './lazyDocument.js'

/** Keeps count of how large a document is. */
export interface Quota {
  /** True if the document would be larger than it may be with an update of so many bytes. */
  isExceededBy: (bytes: number) => boolean
  /** At most so many bytes it has. */
  readonly bytes: number
  count: (bytes: number) => void
}

/** Creates the {@link Quota} of a document. `storedBytes` is what was loaded: an upper bound. */
export function createQuota(document: LazyDocument, maxBytes: number, storedBytes: number): Quota {
  return new UpperBound(document, maxBytes, storedBytes)
}

/** A class for the same reason as a room's document. */
class UpperBound implements Quota {
  private readonly document: LazyDocument
  private readonly maxBytes: number
  private upperBound: number
  /** True if nothing was counted since the document was encoded. */
  private isExact = false

  constructor(document: LazyDocument, maxBytes: number, storedBytes: number) {
    this.document = document
    this.maxBytes = maxBytes
    this.upperBound = storedBytes
  }

  get bytes(): number {
    return this.upperBound
  }

  isExceededBy(bytes: number): boolean {
    if (this.upperBound + bytes <= this.maxBytes) return false
    if (this.isExact) return true
    // What was deleted since was counted too. Encoding a document takes a while, so only now.
    this.upperBound = Y.encodeStateAsUpdate(this.document.doc).byteLength
    this.isExact = true
    return this.upperBound + bytes > this.maxBytes
  }

  count(bytes: number): void {
    this.upperBound += bytes
    this.isExact = false
  }
}
