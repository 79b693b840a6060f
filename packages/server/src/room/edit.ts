import { type DecodedUpdate, references } from '@parley/core'
import * as Y from 'yjs'

type Struct = DecodedUpdate['structs'][number]

/** Insertions of a client that are deleted: from the clock of the first to before another. */
export interface DeletedRange {
  readonly client: number
  readonly from: number
  readonly to: number
}

/** What most updates are: one client adds to what it did before, and deletes of what is there. */
export interface Edit {
  /** Who adds; if nothing is added, one whose insertions are deleted. */
  readonly client: number
  /** The clock of what the client adds next. */
  readonly end: number
  readonly deleted: readonly DeletedRange[]
}

/** What must be known of a document to tell an edit from other updates. */
export interface EditedDocument {
  /** The clock of what a client adds next: all before is there. */
  clockOf: (client: number) => number
  /** True if an insertion goes between neighbours, so that Yjs need not look for its place among others. */
  isBetweenNeighbours: (item: Y.Item) => boolean
  /** True if nothing is deleted of what is there of a client, from one clock to before another. */
  isLiving: (client: number, from: number, to: number) => boolean
}

/** More deletions than anybody makes with one touch are looked at by those who know the document. */
const MAX_DELETED = 16
/** More insertions than an action makes are counted in the document, with the steps that they take. */
const MAX_STRUCTS = 16

/**
 * An update as an edit of a document, all of it new and nothing it builds on missing; `null` if it is not as plain as that, and
 * the document itself must be asked.
 */
export function readEdit(document: EditedDocument, { structs, deletions }: DecodedUpdate): Edit | null {
  const [owner] = deletions.keys()
  const client = structs[0]?.id.client ?? owner
  if (client === undefined || structs.length > MAX_STRUCTS) return null
  const deleted: DeletedRange[] = []
  let end = document.clockOf(client)
  for (const struct of structs) {
    if (struct.id.client !== client || struct.id.clock !== end || !isPlain(document, struct)) return null
    const from = end
    end += struct.length
    if (struct.deleted) deleted.push({ client, from, to: end })
  }
  for (const [owner, ranges] of deletions) {
    const known = document.clockOf(owner)
    for (const { clock: from, len } of ranges) {
      const to = from + len
      if (deleted.length === MAX_DELETED || to > (owner === client ? end : known)) return null
      if (!document.isLiving(owner, from, Math.min(to, known))) return null
      deleted.push({ client: owner, from, to })
    }
  }
  return { client, end, deleted }
}

/** True for an insertion that a document has all it refers to of, and that nests no types: those are looked at closely. */
function isPlain(document: EditedDocument, struct: Struct): boolean {
  if (struct instanceof Y.Skip) return false
  if (struct instanceof Y.GC) return true
  for (const { client, clock } of references(struct)) {
    // Of what its own client did it refers to what came before, or it were no update.
    if (client !== struct.id.client && clock >= document.clockOf(client)) return false
  }
  if (struct.content instanceof Y.ContentType || struct.content instanceof Y.ContentFormat) return false
  return document.isBetweenNeighbours(struct)
}
