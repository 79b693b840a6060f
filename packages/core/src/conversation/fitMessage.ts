import { canonicalJson, ValueTooLarge } from '../json/canonicalJson.js'
import type { Json } from '../json/json.js'
import type { Message } from './message.js'

/** How much of the text of a message that is too large is kept, in characters. */
const KEPT_CHARACTERS = 1_000
/** What kinds of messages are called, where they are not numbered. */
const MAX_TYPE_LENGTH = 32
/** Where payloads have their text. */
const TEXT_MEMBERS = ['content', 'text'] as const

/** The members of a message that are written as one value. */
export type MessageContent = Omit<Message, 'channel' | 'messageSeq' | 'version' | 'timestamp' | 'mentionsMe'>

/**
 * Returns a message that fits into a store: the same one, or one with less content if its payload and `extra` are longer than
 * `MAX_VALUE_LENGTH` characters of JSON or nested too deeply. Then `extra` is left out, and of the payload the type and the first
 * {@link KEPT_CHARACTERS} characters of its text are kept, with `truncated: true`. The place of the message, its names, and what it
 * does to badges stay: a message that was refused for its length would be sent again for ever, and its batch with it.
 *
 * @throws ParleyError with code `invalid-argument` if the content is no JSON
 * @example
 * ```ts
 * import { fitMessage } from '@parley/core'
 *
 * const channel = { channelId: 'bob', channelType: 1 }
 * const payload = { type: 1, content: 'x'.repeat(70_000) }
 * fitMessage({ channel, messageSeq: 1, fromUid: 'bob', timestamp: 0, payload }).payload // { type: 1, content: 'xxx…', truncated: true }
 * ```
 */
export function fitMessage(message: Message): Message {
  const { channel: _, messageSeq: __, version: ___, timestamp: ____, mentionsMe: _____, ...content } = message
  if (message.removed || writeContent(content, 'message').fits) return message
  const { payload: ______, extra: _______, ...rest } = message
  return { ...rest, ...reduceContent(content) }
}

/** Writes the content of a message as canonical JSON, reduced as {@link fitMessage} says if it is too large. */
export function encodeContent(content: MessageContent, field: string): string {
  const { text, fits } = writeContent(content, field)
  // What is too large still has names that are.
  return fits ? text : canonicalJson(reduceContent(content), field)
}

function writeContent(
  content: MessageContent,
  field: string,
): { readonly text: string; readonly fits: boolean } {
  try {
    return { text: canonicalJson(content, field), fits: true }
  } catch (error) {
    if (error instanceof ValueTooLarge) return { text: '', fits: false }
    throw error
  }
}

function reduceContent({ payload, extra: _, ...content }: MessageContent): MessageContent {
  const kept = reducePayload(payload)
  return kept === undefined ? content : { ...content, payload: kept }
}

function reducePayload(payload: Json | undefined): Json | undefined {
  if (typeof payload === 'string') return firstCharacters(payload)
  if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) return undefined
  const { type, ...members } = payload as { readonly [name: string]: Json }
  const kept: Record<string, Json> = {}
  if (typeof type === 'number' || (typeof type === 'string' && type.length <= MAX_TYPE_LENGTH))
    kept.type = type
  for (const name of TEXT_MEMBERS) {
    const text = members[name]
    if (typeof text === 'string') kept[name] = firstCharacters(text)
  }
  return { ...kept, truncated: true }
}

function firstCharacters(text: string): string {
  // By characters: half of one is none. The cut before keeps a long text from becoming an array.
  return [...text.slice(0, 2 * KEPT_CHARACTERS)].slice(0, KEPT_CHARACTERS).join('')
}
