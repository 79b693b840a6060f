import type { Json, LastMessage } from '@parley/core'

/** The message that another one answers. */
export interface Quote {
  readonly messageSeq: number
  readonly fromUid: string
  readonly content: string
}

/** A message as the app shows it. */
export interface ChatMessage {
  readonly messageSeq: number
  readonly fromUid: string
  /** In milliseconds since 1970. */
  readonly timestamp: number
  readonly content: string
  readonly reply?: Quote
  readonly clientMsgNo?: string
}

/** WuKongIM's number for a text message. */
const TEXT = 1

/** What goes into `Message.payload`: WuKongIM's text message, and the quote. */
export function toPayload(content: string, reply?: Quote): Json {
  return reply ? { type: TEXT, content, reply: { ...reply } } : { type: TEXT, content }
}

/** The text in a payload; empty for one that is not of this app. */
export function contentOf(payload: Json | undefined): string {
  const { content } = asObject(payload)
  return typeof content === 'string' ? content : ''
}

/** The quote in a payload, or in what the composer keeps as its reply. */
export function readQuote(value: Json | undefined): Quote | null {
  const { messageSeq, fromUid, content } = asObject(value)
  return typeof messageSeq === 'number' && typeof fromUid === 'string' && typeof content === 'string'
    ? { messageSeq, fromUid, content }
    : null
}

/** The newest message of a conversation as one of its history. */
export function fromLastMessage(message: LastMessage): ChatMessage {
  const { messageSeq, fromUid, timestamp, payload, clientMsgNo } = message
  const reply = readQuote(asObject(payload).reply)
  return {
    messageSeq,
    fromUid,
    timestamp,
    content: contentOf(payload),
    ...(reply ? { reply } : {}),
    ...(clientMsgNo === undefined ? {} : { clientMsgNo }),
  }
}

function asObject(value: Json | undefined): { readonly [name: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: Json | undefined })
    : {}
}
