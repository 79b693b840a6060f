import * as Y from 'yjs'
import { encodeUpdate } from '../document/encode.js'
import { entryRoots } from '../document/schema.js'
import { compareEntries, decodeEntry, type StoredEntry } from '../lattice/entry.js'
import { isValidEntry } from '../lattice/registers.js'
import { detachedItems, detachLines } from './detachedItems.js'
import type { DetachedUpdate, DetachedWriter } from './detachedWriter.js'

/** A sweep that is ready to be written. */
export interface DetachedSweep {
  /** How many entries it deletes. */
  readonly size: number
  /** Writes it as an update of the writer, whose client it was made for. */
  readonly encode: (writer: DetachedWriter) => DetachedUpdate
}

/** An element that is no entry. Inserted with a sweep and deleted by it, it makes the sweep depend on all before it. */
const TICK = ''

/**
 * Finds the entries that those of one client strictly dominate, to be deleted in that client's name: whoever lacks the
 * greater entries then lacks a clock of it, and cannot take the deletions without them.
 *
 * @returns `null` if there are none
 */
export function detachSweep(doc: Y.Doc, client: number): DetachedSweep | null {
  // Most documents have nothing of it, and reading all entries takes a while.
  if (!doc.store.clients.has(client)) return null
  const greatest = new Map<string, StoredEntry>()
  const all: Array<{ entry: StoredEntry; id: string; client: number; clock: number }> = []
  for (const root of entryRoots(doc)) {
    for (let item = root._start; item; item = item.right) {
      if (item.deleted || !(item.content instanceof Y.ContentAny)) continue
      for (const [offset, line] of item.content.arr.entries()) {
        const entry = typeof line === 'string' ? decodeEntry(line) : null
        if (!entry || !isValidEntry(entry.register, entry.stamp)) continue
        const id = `${entry.subject}\t${entry.register}`
        all.push({ entry, id, client: item.id.client, clock: item.id.clock + offset })
        if (item.id.client !== client) continue
        const known = greatest.get(id)
        if (!known || compareEntries(entry, known) > 0) greatest.set(id, entry)
      }
    }
  }
  const places = new Map<number, number[]>()
  let size = 0
  for (const { entry, id, client: writer, clock } of all) {
    const winner = greatest.get(id)
    if (!winner || compareEntries(entry, winner) >= 0) continue
    size++
    const clocks = places.get(writer)
    if (clocks) clocks.push(clock)
    else places.set(writer, [clock])
  }
  if (size === 0) return null
  return {
    size,
    encode(as) {
      const deletions = new Map([...places].map(([writer, clocks]) => [writer, [...clocks]]))
      deletions.set(as.client, [...(deletions.get(as.client) ?? []), as.clock])
      const ranges = new Map([...deletions].map(([writer, clocks]) => [writer, rangesOf(clocks)]))
      const structs = detachedItems(detachLines([TICK]), as)
      return {
        update: encodeUpdate(new Map([[as.client, { structs, offset: 0 }]]), ranges),
        clocks: 1,
      }
    },
  }
}

/** Joins clocks that follow each other. */
function rangesOf(clocks: number[]): Array<{ clock: number; len: number }> {
  const ranges: Array<{ clock: number; len: number }> = []
  for (const clock of clocks.sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last && last.clock + last.len === clock) last.len++
    else ranges.push({ clock, len: 1 })
  }
  return ranges
}
