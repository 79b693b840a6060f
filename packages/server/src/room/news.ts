import { type DecodedUpdate, encodeUpdate } from '@parley/core'
import * as Y from 'yjs'

type Struct = DecodedUpdate['structs'][number]
interface Range {
  readonly clock: number
  readonly len: number
}
/** The structs of one client that a document lacks, gapless and in order, the first from `offset` on. */
interface Run {
  readonly structs: Struct[]
  readonly offset: number
}

/**
 * What an update would change in a document, as an update: `null` if that is nothing, the same bytes if it is all of them.
 *
 * A client that connects answers the server's state vector with everything the server lacks and with all of its deletions,
 * and one that speaks only y-websocket may send its whole document; the log keeps what is new in it.
 *
 * @param decoded `update`, decoded; it must have no gap in `doc`
 */
export function findNews(doc: Y.Doc, update: Uint8Array, decoded: DecodedUpdate): Uint8Array | null {
  const runs = newStructs(doc, decoded)
  const deletions = newDeletions(doc, decoded)
  if (runs.size === 0 && deletions.size === 0) return null
  if (count(runs.values()) === decoded.structs.length && isSame(deletions, decoded.deletions)) {
    if ([...runs.values()].every(({ offset }) => offset === 0)) return update
  }
  return encodeUpdate(runs, deletions)
}

function newStructs(doc: Y.Doc, { structs }: DecodedUpdate): Map<number, Run> {
  const byClient = new Map<number, Struct[]>()
  for (const struct of structs) {
    const list = byClient.get(struct.id.client)
    if (list) list.push(struct)
    else byClient.set(struct.id.client, [struct])
  }
  const runs = new Map<number, Run>()
  for (const [client, list] of byClient) {
    const known = Y.getState(doc.store, client)
    let next = known
    let offset = 0
    const fresh: Struct[] = []
    for (const struct of list.sort((a, b) => a.id.clock - b.id.clock)) {
      const end = struct.id.clock + struct.length
      if (end <= next) continue
      // Only the first can begin in what is known: an encoder writes a client's structs end to end. Where they overlap
      // all the same, what came first stands, as it does in Yjs.
      if (fresh.length === 0) offset = next - struct.id.clock
      else if (struct.id.clock < next) continue
      fresh.push(struct)
      next = end
    }
    if (fresh.length > 0) runs.set(client, { structs: fresh, offset })
  }
  return runs
}

function newDeletions(doc: Y.Doc, { deletions }: DecodedUpdate): Map<number, Range[]> {
  const news = new Map<number, Range[]>()
  for (const [client, ranges] of deletions) {
    const known = Y.getState(doc.store, client)
    const fresh: Range[] = []
    for (const { clock, len } of ranges) {
      const end = clock + len
      collectLiving(doc, client, clock, Math.min(end, known), fresh)
      if (end > known) push(fresh, Math.max(clock, known), end)
    }
    if (fresh.length > 0) news.set(client, fresh)
  }
  return news
}

/** Collects the parts of a range of a document that are not deleted yet. */
function collectLiving(doc: Y.Doc, client: number, from: number, to: number, into: Range[]): void {
  const structs = doc.store.clients.get(client)
  if (!structs || from >= to) return
  for (let index = Y.findIndexSS(structs, from); index < structs.length; index++) {
    const struct = structs[index] as Struct
    if (struct.id.clock >= to) return
    if (!struct.deleted) {
      push(into, Math.max(from, struct.id.clock), Math.min(to, struct.id.clock + struct.length))
    }
  }
}

function push(ranges: Range[], from: number, to: number): void {
  const last = ranges.at(-1)
  if (last && last.clock + last.len === from)
    ranges[ranges.length - 1] = { clock: last.clock, len: to - last.clock }
  else ranges.push({ clock: from, len: to - from })
}

function count(runs: Iterable<Run>): number {
  let sum = 0
  for (const { structs } of runs) sum += structs.length
  return sum
}

function isSame(a: ReadonlyMap<number, readonly Range[]>, b: ReadonlyMap<number, readonly Range[]>): boolean {
  if (a.size !== b.size) return false
  for (const [client, ranges] of a) {
    const others = b.get(client)
    if (others?.length !== ranges.length) return false
    if (ranges.some(({ clock, len }, index) => others[index]?.clock !== clock || others[index]?.len !== len))
      return false
  }
  return true
}
