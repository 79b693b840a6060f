import * as Y from 'yjs'
import { decodeEntry } from '../lattice/entry.js'
import type { HybridClock } from '../lattice/hlc.js'
import { createEntryIndex, type EntryIndex, type RegisterChange } from './entryIndex.js'
import { entryRoots } from './schema.js'

/** The entries of a document: appended by writers, deleted by sweeps, read through the {@link EntryIndex}. */
export interface EntryLog {
  readonly index: EntryIndex
  /** Reads what a transaction did to the entries into the index and says which registers changed. */
  integrate: (transaction: Y.Transaction) => RegisterChange[]
  /** Appends lines; call it inside of a transaction. */
  append: (lines: readonly string[]) => void
  /** Deletes the entries that own ones strictly dominate; call it inside of a transaction. */
  sweep: () => void
}

/** A run of entries longer than this is continued in the next array; see `schema.ts`. */
const MAX_RUN_LENGTH = 256

/** An element that is no entry. */
const TICK = ''

/** Creates the {@link EntryLog} of a document and reads what is in it already. */
export function createEntryLog(doc: Y.Doc, clock: HybridClock): EntryLog {
  const roots = entryRoots(doc)
  const rootSet = new Set<unknown>(roots)
  const index = createEntryIndex(clock)
  let root = doc.clientID % roots.length
  let runLength = 0

  const readAll = (accept: (line: string) => boolean, changes: RegisterChange[]): void => {
    for (const array of roots) {
      array.forEach((line) => {
        if (typeof line === 'string' && accept(line)) index.add(line, false, changes)
      })
    }
  }
  readAll(() => true, [])

  return {
    index,
    integrate(transaction) {
      const changes: RegisterChange[] = []
      for (const [client, after] of transaction.afterState) {
        const before = transaction.beforeState.get(client) ?? 0
        if (after <= before) continue
        const own = client === doc.clientID
        forEachInserted(doc, client, before, (item) => {
          if (!rootSet.has(item.parent)) return
          for (const line of entryLines(item)) index.add(line, own, changes)
        })
      }
      const removed = deletedLines(transaction, rootSet)
      if (removed.length > 0) {
        const rescan = index.remove(removed, changes)
        // Nobody deletes a winner who follows the rules. Where it happened, what is left decides, as it will after a reload.
        if (rescan.size > 0) readAll((line) => rescan.has(decodeEntry(line)?.subject ?? ''), changes)
      }
      return changes
    },
    append(lines) {
      for (let start = 0; start < lines.length; ) {
        if (runLength >= MAX_RUN_LENGTH) {
          root = (root + 1) % roots.length
          runLength = 0
        }
        const chunk = lines.slice(start, start + MAX_RUN_LENGTH - runLength)
        roots[root]?.push(chunk)
        start += chunk.length
        runLength += chunk.length
      }
    },
    sweep() {
      if (index.dominated.size === 0) return
      // An insertion, gone at once, gives the update a clock of this instance after all it wrote before. Who lacks the
      // greater entries then sees a gap, and cannot take the deletions without what replaces the deleted.
      const last = roots[root]
      last?.push([TICK])
      last?.delete(last.length - 1, 1)
      runLength = MAX_RUN_LENGTH
      for (const array of roots) {
        const places: number[] = []
        array.forEach((line, place) => {
          if (index.dominated.has(line)) places.push(place)
        })
        deletePlaces(array, places)
      }
      index.dominated.clear()
    },
  }
}

/** Deletes elements by their places, in ascending order, joining neighbours into one deletion. */
function deletePlaces(array: Y.Array<string>, places: readonly number[]): void {
  for (let last = places.length - 1; last >= 0; ) {
    let first = last
    while (first > 0 && (places[first - 1] as number) === (places[first] as number) - 1) first--
    array.delete(places[first] as number, last - first + 1)
    last = first - 1
  }
}

function forEachInserted(doc: Y.Doc, client: number, since: number, visit: (item: Y.Item) => void): void {
  const structs = doc.store.clients.get(client)
  if (!structs) return
  for (let i = Y.findIndexSS(structs, since); i < structs.length; i++) {
    const struct = structs[i]
    if (struct instanceof Y.Item && !struct.deleted) visit(struct)
  }
}

function entryLines(item: Y.Item): string[] {
  if (!(item.content instanceof Y.ContentAny)) return []
  return item.content.arr.filter((line) => typeof line === 'string')
}

function deletedLines(transaction: Y.Transaction, roots: ReadonlySet<unknown>): string[] {
  const lines: string[] = []
  if (transaction.deleteSet.clients.size === 0) return lines
  Y.iterateDeletedStructs(transaction, transaction.deleteSet, (struct) => {
    if (struct instanceof Y.Item && roots.has(struct.parent)) lines.push(...entryLines(struct))
  })
  return lines
}
