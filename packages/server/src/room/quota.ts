import * as Y from 'yjs'

/** Keeps count of how large a document is. */
export interface Quota {
  /** True if the document would be larger than it may be with an update of so many bytes. */
  isExceededBy: (bytes: number) => boolean
  /** At most so many bytes it has. */
  readonly bytes: number
  count: (bytes: number) => void
}

/** Creates the {@link Quota} of a document. `storedBytes` is what was loaded: an upper bound. */
export function createQuota(doc: Y.Doc, maxBytes: number, storedBytes: number): Quota {
  let upperBound = storedBytes
  return {
    isExceededBy(bytes) {
      if (upperBound + bytes <= maxBytes) return false
      // What was deleted since was counted too. Encoding a document takes a while, so only now.
      upperBound = Y.encodeStateAsUpdate(doc).byteLength
      return upperBound + bytes > maxBytes
    },
    get bytes() {
      return upperBound
    },
    count(bytes) {
      upperBound += bytes
    },
  }
}
