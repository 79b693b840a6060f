import { compareKeys, type LevelEntry } from './levelTable.js'

/** A source of changes, and the next one that it has. */
interface Head {
  entry: LevelEntry
  readonly rest: Iterator<LevelEntry>
}

/**
 * The changes that are valid of several sources: of each key the last one, in the order of the keys. Each source is in that order, and has the
 * later changes of a key first.
 */
export function* mergeEntries(sources: ReadonlyArray<Iterable<LevelEntry>>): Iterable<LevelEntry> {
  const heap: Head[] = []
  for (const source of sources) {
    const rest = source[Symbol.iterator]()
    const { value, done } = rest.next()
    if (!done) insert(heap, { entry: value, rest })
  }
  let before: Uint8Array | null = null
  for (let head = heap[0]; head; head = heap[0]) {
    const { entry } = head
    const { value, done } = head.rest.next()
    if (done) {
      const last = heap.pop() as Head
      if (last !== head) heap[0] = last
    } else head.entry = value
    sink(heap)
    if (before !== null && compareKeys(before, entry.key) === 0) continue
    before = entry.key
    yield entry
  }
}

/** The order of changes: by key, and the later ones of a key first. */
export function compareEntries(a: LevelEntry, b: LevelEntry): number {
  return compareKeys(a.key, b.key) || b.sequence - a.sequence
}

function isBefore(heap: readonly Head[], a: number, b: number): boolean {
  return compareEntries((heap[a] as Head).entry, (heap[b] as Head).entry) < 0
}

function swap(heap: Head[], a: number, b: number): void {
  const kept = heap[a] as Head
  heap[a] = heap[b] as Head
  heap[b] = kept
}

function insert(heap: Head[], head: Head): void {
  let at = heap.push(head) - 1
  for (let parent = (at - 1) >> 1; at > 0 && isBefore(heap, at, parent); parent = (at - 1) >> 1) {
    swap(heap, at, parent)
    at = parent
  }
}

/** Puts the first one where it belongs. */
function sink(heap: Head[]): void {
  for (let at = 0; ; ) {
    let least = at
    for (const child of [2 * at + 1, 2 * at + 2])
      if (child < heap.length && isBefore(heap, child, least)) least = child
    if (least === at) return
    swap(heap, at, least)
    at = least
  }
}
