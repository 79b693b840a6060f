import * as Y from 'yjs'
import { type DecodedUpdate, isOfOneClient, references } from './decode.js'
import { checkNesting } from './nesting.js'
import { inCausalOrder } from './splitUpdate.js'

/** The first thing an update builds on that the document does not have. */
export interface Gap {
  readonly client: number
  /** The clock of the first missing insertion of that client. */
  readonly clock: number
}

/**
 * Says what an update builds on that `doc` does not have, or `null` if it can be applied whole.
 *
 * Yjs applies the deletions of an update at once even while its insertions wait for a predecessor. Here that would delete
 * an entry while the greater one that replaces it never arrives, and a read position would fall back on every device. So an
 * update with a gap is held back whole, never applied in part.
 *
 * @throws ParleyError with code `invalid-update` if the update nests types too deep, or if its items wait for each other
 */
export function findGap(doc: Y.Doc, { structs, deletions }: DecodedUpdate): Gap | null {
  /** Up to where the update itself brings each client's insertions. Most bring those of one client only: no map for them. */
  const brings = isOfOneClient(structs) ? null : new Map<number, number>()
  const only = structs[0]?.id.client
  let end = 0
  const have = (client: number): number => {
    const brought = brings ? brings.get(client) : client === only ? end : 0
    return Math.max(brought ?? 0, Y.getState(doc.store, client))
  }
  // First what the update brings, then what it refers to: its clients may come in any order.
  for (const struct of structs) {
    const { client, clock } = struct.id
    // What was left out when updates were merged is missing only if the document does not have it either.
    if (struct instanceof Y.Skip) continue
    const next = have(client)
    if (clock > next) return { client, clock: next }
    end = Math.max(next, clock + struct.length)
    brings?.set(client, end)
  }
  let nested = false
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue
    for (const id of references(struct)) {
      if (id.clock >= have(id.client)) return { client: id.client, clock: have(id.client) }
    }
    nested ||= struct.content instanceof Y.ContentType
  }
  for (const [client, ranges] of deletions) {
    for (const { clock, len } of ranges) {
      if (clock + len > have(client)) return { client, clock: have(client) }
    }
  }
  // One client's items cannot form a circle: none refers to what its own client wrote later.
  if (brings) for (const _ of inCausalOrder(structs));
  if (nested) checkNesting(doc, structs)
  return null
}
