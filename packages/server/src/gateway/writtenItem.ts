import type { Conversation } from '@parley/core'
import { extraOf, type IndexRow, type Shape, stringifyExactJson, writeConversation } from '@parley/wukong'

/** A conversation as it is answered. */
export interface WrittenItem {
  /** JSON. */
  readonly bytes: Uint8Array
  /** The draft it tells of. */
  readonly draft: string
  /** The time of its newest message, in seconds since 1970. */
  readonly timestamp: number
}

/** What a conversation is written with beside what is known of it. */
export type WriteItemOptions = Omit<Parameters<typeof writeConversation>[1], 'version'>

/**
 * The conversations that were written with nothing but their newest message. A row of the index stands for all that an answer
 * says of a conversation, and is an object anew when any of that changes.
 */
const written: Readonly<Record<Shape, WeakMap<IndexRow, WrittenItem>>> = {
  wukongim: new WeakMap(),
  tsdd: new WeakMap(),
}

/** What was written of a conversation before, with nothing but its newest message. */
export function writtenItem(shape: Shape, row: IndexRow): WrittenItem | undefined {
  return written[shape].get(row)
}

/** Writes a conversation, or `null` for one without messages. */
export function writeItem(
  conversation: Conversation,
  row: IndexRow,
  options: WriteItemOptions,
): WrittenItem | null {
  const { shape, recents = [], deleted = false } = options
  const wire = writeConversation(conversation, { ...options, version: row.version })
  if (!wire) return null
  const draft = shape === 'tsdd' ? extraOf(conversation).draft : ''
  const item = { bytes: Buffer.from(stringifyExactJson(wire)), draft, timestamp: wire.timestamp }
  if (recents.length === 0 && !deleted) written[shape].set(row, item)
  return item
}
