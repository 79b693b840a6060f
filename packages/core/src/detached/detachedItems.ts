import * as Y from 'yjs'
import { entryRootName } from '../document/schema.js'
import type { DetachedWriter } from './detachedWriter.js'

/** A run of entries in one array is this long; see `schema.ts`. All that follows a clock follows from it. */
const RUN_LENGTH = 256

/**
 * Makes the items that append lines to the arrays of entries. Where an item goes depends on its clock alone: the writer's
 * runs of 256 go through the arrays in turn, and within a run each item stands behind the one before it.
 */
export function detachedItems(lines: readonly string[], { client, clock }: DetachedWriter): Y.Item[] {
  const items: Y.Item[] = []
  for (let start = 0; start < lines.length; ) {
    const at = clock + start
    const place = at % RUN_LENGTH
    const chunk = lines.slice(start, start + RUN_LENGTH - place)
    const origin = place === 0 ? null : Y.createID(client, at - 1)
    // An item is encoded with the name of its array, or with what it stands behind.
    const parent = place === 0 ? entryRootName(at / RUN_LENGTH) : null
    const content = new Y.ContentAny(chunk)
    items.push(new Y.Item(Y.createID(client, at), null, origin, null, null, parent as never, null, content))
    start += chunk.length
  }
  return items
}
