import type * as Y from 'yjs'
import type { EntryIndex } from '../document/entryIndex.js'
import type { Winner } from '../document/registerTable.js'
import { addDrafts, digestLine, type StateDigest, vectorDigest } from './documentDigest.js'
import { MultisetHash } from './multisetHash.js'

/** The digest of a store's document, kept in step with it: a write costs the same however much there is. */
export interface StoreDigest {
  /**
   * Hashes up to `limit` entries that are not hashed yet; returns the digest of the document as it is now, or `null` if some
   * are left. What was hashed stays so until a greater entry replaces it.
   */
  readonly step: (limit: number) => StateDigest | null
}

/** Creates a {@link StoreDigest}; nothing is hashed, or noted, before the first step. */
export function createStoreDigest(doc: Y.Doc, index: EntryIndex): StoreDigest {
  const entries = new MultisetHash()
  /** The greatest entries that are not hashed yet; `null` before the first step. */
  let waiting: Set<Winner> | null = null

  const begin = (): Set<Winner> => {
    const all = new Set<Winner>()
    for (const subject of index.subjects) for (const winner of index.registers(subject)) all.add(winner)
    index.watch((before, after) => {
      if (before && !all.delete(before)) entries.remove(digestLine(before))
      if (after) all.add(after)
    })
    return all
  }

  return {
    step(limit) {
      waiting ??= begin()
      let left = limit
      for (const winner of waiting) {
        if (left-- === 0) return null
        waiting.delete(winner)
        entries.add(digestLine(winner))
      }
      const hash = new MultisetHash(entries)
      addDrafts(doc, hash)
      return { vector: vectorDigest(doc), state: hash.bytes() }
    },
  }
}
