import { fitMessage, type Json, type Message } from '@parley/core'

/**
 * What the server keeps of a message that it writes itself:
 *
 * - `payload`: all of it, up to what a store takes; see `fitMessage` of `@parley/core`.
 * - `digest`: what a list shows: its type, and the first {@link DIGEST_LENGTH} characters of its text.
 * - `nothing`: none of its content.
 *
 * Where a message is, who wrote it when, its names, and what it does to badges is kept in any case.
 */
export type Keep = 'payload' | 'digest' | 'nothing'

/** Reduces a message to what is kept of it; the same object again for the same message. */
export type KeepMessage = (message: Message) => Message

/** A line of a conversation list on a wide screen, in characters. */
export const DIGEST_LENGTH = 100
/** What kinds of messages are called, where they are not numbered. */
const MAX_TYPE_LENGTH = 32
/** Where payloads have their text: WuKongIM's and TangSengDaoDao's, and others'. */
const TEXT_MEMBERS = ['content', 'text'] as const

/** Creates the {@link KeepMessage} of a setting. */
export function createKeepMessage(keep: Keep): KeepMessage {
  const known = new WeakMap<Message, Message>()
  return (message) => {
    const kept = known.get(message) ?? (keep === 'payload' ? fitMessage(message) : reduce(message, keep))
    known.set(message, kept)
    return kept
  }
}

function reduce({ payload, extra: _, ...message }: Message, keep: 'digest' | 'nothing'): Message {
  const digest = keep === 'digest' ? digestOf(payload) : undefined
  return digest === undefined ? message : { ...message, payload: digest }
}

function isObject(payload: Json | undefined): payload is { readonly [name: string]: Json } {
  return payload !== null && typeof payload === 'object' && !Array.isArray(payload)
}

/** The type and the first characters of a payload's text, `undefined` if it has neither. */
function digestOf(payload: Json | undefined): Json | undefined {
  if (!isObject(payload)) return undefined
  const digest: Record<string, Json> = {}
  const { type } = payload
  if (typeof type === 'number' || (typeof type === 'string' && type.length <= MAX_TYPE_LENGTH))
    digest.type = type
  for (const name of TEXT_MEMBERS) {
    const text = payload[name]
    // By characters: half of one is none.
    if (typeof text === 'string') digest[name] = [...text].slice(0, DIGEST_LENGTH).join('')
  }
  return Object.keys(digest).length > 0 ? digest : undefined
}
