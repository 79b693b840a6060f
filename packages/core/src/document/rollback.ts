import * as Y from 'yjs'

/** Undoes what was done in the current Yjs transaction since the checkpoint was taken. */
export type Rollback = () => void

/**
 * Takes a checkpoint inside of a Yjs transaction. Yjs cannot abort a transaction, so the returned function reverts it by
 * hand: characters and elements that were inserted since are deleted, and those that were deleted since are made live again
 * under the ids they have. Nothing of the transaction has been emitted yet, so no replica sees the difference, and a draft's
 * text keeps who typed which character.
 *
 * It reverts what this document instance did to lists and texts. A value that replaced another one under a key of a `Y.Map`
 * stays deleted as well; Parley writes no such values.
 */
export function takeCheckpoint(transaction: Y.Transaction): Rollback {
  const { doc, deleteSet } = transaction
  const firstClock = Y.getState(doc.store, doc.clientID)
  // While a transaction runs Yjs appends to these lists, one range for each item that is deleted.
  const deletions = new Map([...deleteSet.clients].map(([client, ranges]) => [client, ranges.length]))
  return () => {
    for (const [client, ranges] of deleteSet.clients) {
      for (const range of ranges.splice(deletions.get(client) ?? 0)) {
        const { clock, len } = range
        // What was inserted since goes for good, and some of it is deleted already.
        if (client === doc.clientID && clock >= firstClock) ranges.push(range)
        else for (const item of itemsIn(doc, client, clock, clock + len)) makeLive(item)
      }
      if (ranges.length === 0) deleteSet.clients.delete(client)
    }
    for (const item of [...itemsIn(doc, doc.clientID, firstClock, Y.getState(doc.store, doc.clientID))]) {
      item.delete(transaction)
      forgetPositions(item.parent)
    }
  }
}

function* itemsIn(doc: Y.Doc, client: number, from: number, to: number): Generator<Y.Item> {
  const structs = doc.store.clients.get(client) ?? []
  for (let clock = from; clock < to; ) {
    const struct = structs[Y.findIndexSS(structs, clock)]
    if (!struct) return
    if (struct instanceof Y.Item) yield struct
    clock = struct.id.clock + struct.length
  }
}

/** Reverses `Item.delete`. */
function makeLive(item: Y.Item): void {
  const { parent } = item
  if (!item.deleted || !(parent instanceof Y.AbstractType)) return
  if (item.parentSub !== null) {
    // Another value stands under this key; to other replicas that one deletes this one.
    if (parent._map.get(item.parentSub) !== item) return
  } else if (item.countable) parent._length += item.length
  item.deleted = false
  forgetPositions(parent)
}

/** Drops the positions Yjs remembers in a list; they are counted anew. */
function forgetPositions(parent: unknown): void {
  if (parent instanceof Y.AbstractType && parent._searchMarker) parent._searchMarker.length = 0
}
