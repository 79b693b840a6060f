import * as Y from 'yjs'
import { placeOfHead } from '../drafts/episode.js'
import type { DecodedUpdate } from './decode.js'

/** What can be read of updates that cannot be applied, because what they build on is lost. */
export interface Salvage {
  /** The elements of lists that are text: entries, as far as they are any. */
  readonly lines: readonly string[]
  /** What was typed, by the text it was typed into. */
  readonly texts: ReadonlyArray<SalvagedText>
}

/** Characters that were typed into one text. */
export interface SalvagedText {
  /** The text, where the document has it; otherwise the place that its map names. */
  readonly into: Y.AbstractType<unknown> | string
  readonly text: string
}

/** Takes updates apart that wait for something that will not come. */
export function salvageUpdates(doc: Y.Doc, updates: readonly DecodedUpdate[]): Salvage {
  const items = updates.flatMap(({ structs }) => structs.filter((struct) => struct instanceof Y.Item))
  const lines = items.flatMap(({ content }) =>
    content instanceof Y.ContentAny ? content.arr.filter((line) => typeof line === 'string') : [],
  )
  return { lines, texts: salvageTexts(doc, items) }
}

function salvageTexts(doc: Y.Doc, items: readonly Y.Item[]): SalvagedText[] {
  const places = new Map<string, string>()
  const owners = new Map<string, SalvagedText['into']>()
  for (const item of items) {
    const parent: unknown = item.parent
    if (!(parent instanceof Y.ID) || item.parentSub !== 'draft' || !(item.content instanceof Y.ContentAny))
      continue
    const place = placeOfHead(item.content.arr[0])
    if (place !== null) places.set(nameOf(parent), place)
  }
  for (const item of items) {
    const parent: unknown = item.parent
    const place = parent instanceof Y.ID && item.parentSub === 'text' ? places.get(nameOf(parent)) : undefined
    if (place !== undefined) owners.set(nameOf(item.id), place)
  }
  const texts = new Map<SalvagedText['into'], string>()
  for (const item of items) {
    if (!(item.content instanceof Y.ContentString)) continue
    const owner = ownerOf(doc, item, owners)
    if (owner === null) continue
    texts.set(owner, (texts.get(owner) ?? '') + item.content.str)
    // What was typed behind it names one of its characters.
    for (let offset = 0; offset < item.length; offset++) {
      owners.set(nameOf(Y.createID(item.id.client, item.id.clock + offset)), owner)
    }
  }
  return [...texts].map(([into, text]) => ({ into, text }))
}

/** The text an item was typed into: that of a neighbour, or of the parent it names. */
function ownerOf(
  doc: Y.Doc,
  item: Y.Item,
  owners: ReadonlyMap<string, SalvagedText['into']>,
): SalvagedText['into'] | null {
  const parent: unknown = item.parent
  for (const id of [item.origin, item.rightOrigin]) {
    if (!id) continue
    const known = owners.get(nameOf(id)) ?? itemIn(doc, id)?.parent
    if (typeof known === 'string' || known instanceof Y.AbstractType) return known
  }
  if (!(parent instanceof Y.ID)) return null
  const holder = itemIn(doc, parent)
  return owners.get(nameOf(parent)) ?? (holder?.content instanceof Y.ContentType ? holder.content.type : null)
}

function itemIn(doc: Y.Doc, id: Y.ID): Y.Item | null {
  if (id.clock >= Y.getState(doc.store, id.client)) return null
  const struct = Y.getItem(doc.store, id) as Y.Item | Y.GC
  return struct instanceof Y.Item ? struct : null
}

function nameOf({ client, clock }: Y.ID): string {
  return `${client}:${clock}`
}
