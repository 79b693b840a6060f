import * as Y from 'yjs'
import { draftRoot, entryRoots } from '../document/schema.js'
import { readBody } from '../drafts/content.js'
import { readEpisode } from '../drafts/episode.js'
import { canonicalText } from '../json/canonicalJson.js'
import { compareEntries, decodeEntry, type Entry, encodeEntry, type StoredEntry } from '../lattice/entry.js'
import { isValidEntry } from '../lattice/registers.js'
import { hashBytes, MultisetHash } from './multisetHash.js'

/**
 * Which definition of the digest this is. Digests of two formats say nothing about each other: raise it whenever a register is
 * added, for a replica that does not know a register leaves its entries out.
 */
export const DIGEST_FORMAT = 1

/** What a replica holds, in 64 bytes. */
export interface StateDigest {
  /** The hash of the state vector: which insertions the replica has received. */
  readonly vector: Uint8Array
  /**
   * The hash of what they say: of the greatest entry of each register, and of the text of each draft. Equal for two replicas
   * that received the same updates, whatever they garbage-collected.
   */
  readonly state: Uint8Array
}

/** The hash of a document's state vector. */
export function vectorDigest(doc: Y.Doc): Uint8Array {
  // Yjs encodes the clients in the order of their ids.
  return new Uint8Array(hashBytes(Y.encodeStateVector(doc)))
}

/** Adds the drafts of a document to a hash. There are few, and a text changes with every letter. */
export function addDrafts(doc: Y.Doc, hash: MultisetHash): void {
  for (const element of draftRoot(doc).toArray()) {
    const draft = readEpisode(element)
    if (draft) hash.add(canonicalText(['draft', draft.id, draft.place, readBody(draft.text)], 'draft'))
  }
}

/** An entry as it is hashed: two that are equal are hashed alike, however they were written. */
export function digestLine({ subject, register, stamp, value }: Entry): string {
  return encodeEntry({ subject, register, stamp, value })
}

/** A digest that is computed in steps, of a document as it was when it began. */
export interface DigestRun {
  /** Reads about so many entries; returns the digest once all are read, `null` before. */
  readonly step: (entries: number) => StateDigest | null
}

/**
 * Begins to compute the digest of a document that no store keeps, as a server has it. It takes about 5 µs per entry.
 *
 * @example
 * ```ts
 * import { beginDigest } from '@parley/core'
 * import * as Y from 'yjs'
 *
 * const run = beginDigest(new Y.Doc())
 * run.step(1000)?.state.length // 32
 * ```
 */
export function beginDigest(doc: Y.Doc): DigestRun {
  const vector = vectorDigest(doc)
  const hash = new MultisetHash()
  addDrafts(doc, hash)
  // References to what is there; what happens to the document later does not change them.
  const lines = entryRoots(doc).flatMap((root) => root.toArray())
  const greatest = new Map<string, StoredEntry>()
  let read = 0
  let winners: StoredEntry[] | null = null
  let hashed = 0

  const readLine = (line: unknown): void => {
    const entry = typeof line === 'string' ? decodeEntry(line) : null
    if (!entry || !isValidEntry(entry.register, entry.stamp)) return
    const id = `${entry.subject}\t${entry.register}`
    const known = greatest.get(id)
    if (!known || compareEntries(entry, known) > 0) greatest.set(id, entry)
  }

  return {
    step(entries) {
      const last = Math.min(lines.length, read + entries)
      for (; read < last; read++) readLine(lines[read])
      if (read < lines.length) return null
      winners ??= [...greatest.values()]
      const end = Math.min(winners.length, hashed + entries)
      for (; hashed < end; hashed++) hash.add(digestLine(winners[hashed] as StoredEntry))
      return hashed < winners.length ? null : { vector, state: hash.bytes() }
    },
  }
}

/** The digest of a document, computed at once. */
export function digestDocument(doc: Y.Doc): StateDigest {
  const run = beginDigest(doc)
  for (;;) {
    const digest = run.step(Number.MAX_SAFE_INTEGER)
    if (digest) return digest
  }
}

/** True if two hashes are the same. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, place) => byte === b[place])
}
