import type { Conversation } from '@parley/core'
import {
  extraOf,
  type Shape,
  stringifyExactJson,
  type WireConversation,
  type WriteConversationOptions,
  writeConversation,
} from '@parley/wukong'

/** A conversation as it is answered. */
export interface WrittenItem {
  readonly version: number
  readonly wire: WireConversation
  /** The same as JSON. */
  readonly text: string
  /** The draft it tells of. */
  readonly draft: string
}

/** The conversations that were written with nothing but their newest message. They are objects anew when they change. */
const written: Readonly<Record<Shape, WeakMap<Conversation, WrittenItem>>> = {
  wukongim: new WeakMap(),
  tsdd: new WeakMap(),
}

/** Writes a conversation, or `null` for one without messages. What is asked for again and again is written once. */
export function writeItem(
  conversation: Conversation,
  options: WriteConversationOptions & { readonly version: number },
): WrittenItem | null {
  const { shape, version, recents = [], deleted = false } = options
  const isPlain = recents.length === 0 && !deleted
  const known = isPlain ? written[shape].get(conversation) : undefined
  if (known?.version === version) return known
  const wire = writeConversation(conversation, options)
  if (!wire) return null
  const draft = shape === 'tsdd' ? extraOf(conversation).draft : ''
  const item = { version, wire, text: stringifyExactJson(wire), draft }
  if (isPlain) written[shape].set(conversation, item)
  return item
}
