import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { entryRootName } from '../document/schema.js'
import type { DetachedWriter } from './detachedWriter.js'

/** A run of entries in one array is this long; see `schema.ts`. All that follows a clock follows from it. */
const RUN_LENGTH = 256

/** Lines to be appended again and again, by writers that differ. Most often all of them go into one item: it is encoded once. */
export interface DetachedLines {
  readonly lines: readonly string[]
  readonly content: Y.ContentAny
}

/** Prepares lines for {@link detachedItems}. */
export function detachLines(lines: readonly string[]): DetachedLines {
  return { lines, content: new EncodedContent([...lines]) }
}

/**
 * Makes the items that append lines to the arrays of entries. Where an item goes depends on its clock alone: the writer's
 * runs of 256 go through the arrays in turn, and within a run each item stands behind the one before it.
 */
export function detachedItems(
  { lines, content }: DetachedLines,
  { client, clock }: DetachedWriter,
): Y.Item[] {
  const items: Y.Item[] = []
  for (let start = 0; start < lines.length; ) {
    const at = clock + start
    const place = at % RUN_LENGTH
    const length = Math.min(RUN_LENGTH - place, lines.length - start)
    const origin = place === 0 ? null : Y.createID(client, at - 1)
    // An item is encoded with the name of its array, or with what it stands behind.
    const parent = place === 0 ? entryRootName(at / RUN_LENGTH) : null
    const part = length === lines.length ? content : new Y.ContentAny(lines.slice(start, start + length))
    items.push(new Y.Item(Y.createID(client, at), null, origin, null, null, parent as never, null, part))
    start += length
  }
  return items
}

/** Content that keeps its encoded form; it is never part of a document. */
class EncodedContent extends Y.ContentAny {
  private bytes: Uint8Array | null = null

  override write(encoder: Y.UpdateEncoderV1 | Y.UpdateEncoderV2, offset: number): void {
    if (offset > 0 || !(encoder instanceof Y.UpdateEncoderV1)) super.write(encoder, offset)
    else encoding.writeUint8Array(encoder.restEncoder, this.encoded())
  }

  private encoded(): Uint8Array {
    if (!this.bytes) {
      const encoder = new Y.UpdateEncoderV1()
      super.write(encoder, 0)
      this.bytes = encoder.toUint8Array()
    }
    return this.bytes
  }
}
