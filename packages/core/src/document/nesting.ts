import * as Y from 'yjs'
import { ParleyError } from '../errors.js'
import { type DecodedUpdate, MAX_DEPTH } from './decode.js'

/** Refuses types nested deeper than {@link MAX_DEPTH}, whether in one update or built up over many. */
export function checkNesting(doc: Y.Doc, structs: DecodedUpdate['structs']): void {
  const brought = new Map<number, Y.Item[]>()
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue
    const list = brought.get(struct.id.client)
    if (list) list.push(struct)
    else brought.set(struct.id.client, [struct])
  }
  const find = (id: Y.ID): Y.Item | null => {
    if (id.clock < Y.getState(doc.store, id.client)) {
      const struct = Y.getItem(doc.store, id) as Y.Item | Y.GC
      return struct instanceof Y.Item ? struct : null
    }
    return findItem(brought.get(id.client) ?? [], id.clock)
  }
  const depths = new Map<Y.Item, number>()
  // Walked in a loop, for a chain that is too long for the stack is what this looks for.
  const depthOf = (start: Y.Item): number => {
    const path: Array<{ item: Y.Item; step: number }> = []
    let depth = 0
    let current: Y.Item | null = start
    while (current) {
      const seen = depths.get(current)
      if (seen !== undefined) {
        depth = seen
        break
      }
      const [next, step] = above(current, find)
      path.push({ item: current, step })
      current = next
    }
    for (const { item, step } of path.reverse()) {
      depth += step
      depths.set(item, depth)
    }
    return depth
  }
  for (const struct of structs) {
    if (struct instanceof Y.Item && struct.content instanceof Y.ContentType && depthOf(struct) > MAX_DEPTH) {
      throw new ParleyError('invalid-update', `The update nests types deeper than ${MAX_DEPTH}`)
    }
  }
}

/** The item that holds a clock, among those of one client in the order of their clocks. */
function findItem(items: readonly Y.Item[], clock: number): Y.Item | null {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle] as Y.Item
    if (clock < item.id.clock) high = middle
    else if (clock >= item.id.clock + item.length) low = middle + 1
    else return item
  }
  return null
}

/** The item that decides how deep another lies, and how many levels it lies below that one. */
function above(item: Y.Item, find: (id: Y.ID) => Y.Item | null): [Y.Item | null, number] {
  const parent: unknown = item.parent
  if (parent instanceof Y.ID) return [find(parent), 1]
  if (parent instanceof Y.AbstractType) return [parent._item, 1]
  if (typeof parent === 'string') return [null, 1]
  // A decoded item that has a neighbour says nothing of its parent: it lies where the neighbour lies.
  if (item.origin) return [find(item.origin), 0]
  if (item.rightOrigin) return [find(item.rightOrigin), 0]
  return [null, 1]
}
