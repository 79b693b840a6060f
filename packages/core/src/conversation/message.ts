import { invalidArgument } from '../errors.js'
import type { Json } from '../json/json.js'
import { normalizeVersion, type Version } from '../lattice/version.js'
import { type Channel, channelKey, checkId } from './channel.js'
import { encodeContent, type MessageContent } from './fitMessage.js'

/** A message as an app's server delivers it. The store keeps the newest of each channel and counts the others. */
export interface Message {
  readonly channel: Channel
  /** The number the server gave it within the channel: 1 or more. Messages without one are not received, see `Draft.send`. */
  readonly messageSeq: number
  /** The user who wrote it. One's own raise no badge and count as read. */
  readonly fromUid: string
  /** When the server took it, in milliseconds since 1970. */
  readonly timestamp: number
  /** What was said, in whatever shape the app has. */
  readonly payload?: Json
  readonly messageId?: string
  readonly clientMsgNo?: string
  /** True for a message that raises no badge. */
  readonly silent?: boolean
  /** True if it mentions this user; it then counts in `Conversation.mentions` until it is read. */
  readonly mentionsMe?: boolean
  /** Counts up when the message is edited or recalled; 0 as first sent. The message's own number, never a local one. */
  readonly version?: number | string | bigint
  /** True once it was recalled. The row stays where it is; what stands in place of the text is the app's to say. */
  readonly removed?: boolean
  /** Whatever else the server sent and wants back. */
  readonly extra?: Json
}

/** The newest message of a conversation as the store gives it back. */
export interface LastMessage extends Omit<Message, 'channel' | 'version' | 'mentionsMe'> {
  readonly version: Version
}

/** Sequence numbers are 32 bits wide in WuKongIM's protocol; a larger one is refused before it can mark all as read. */
export const MAX_MESSAGE_SEQ = 2 ** 32 - 1
/** The range of JavaScript's dates. */
const MAX_TIMESTAMP_MS = 8.64e15

/** A message whose members were checked, ready to be written. */
export interface CheckedMessage {
  readonly key: string
  readonly messageSeq: number
  readonly version: Version
  readonly fromUid: string
  readonly silent: boolean
  readonly mentionsMe: boolean
  /** The value of the `head` register: `[timestamp, the rest]`, so that a list can be sorted without reading the rest. */
  readonly head: string
}

/**
 * Checks a message from outside.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 */
export function checkMessage(message: Message, field: string): CheckedMessage {
  if (message === null || typeof message !== 'object') invalidArgument(field, 'a message')
  const { channel, messageSeq, version = 0, timestamp, mentionsMe = false, ...rest } = message
  const key = channelKey(channel, `${field}.channel`)
  checkSeq(messageSeq, `${field}.messageSeq`, 1)
  if (typeof timestamp !== 'number' || !(timestamp >= 0 && timestamp <= MAX_TIMESTAMP_MS)) {
    invalidArgument(`${field}.timestamp`, 'milliseconds since 1970')
  }
  // The system itself speaks without a name.
  if (rest.fromUid !== '') checkId(rest.fromUid, `${field}.fromUid`)
  for (const name of ['messageId', 'clientMsgNo'] as const) {
    if (rest[name] !== undefined && typeof rest[name] !== 'string')
      invalidArgument(`${field}.${name}`, 'a string')
  }
  for (const name of ['silent', 'removed'] as const) {
    if (rest[name] !== undefined && typeof rest[name] !== 'boolean')
      invalidArgument(`${field}.${name}`, 'a boolean')
  }
  const kept = rest.removed ? withoutContent(rest) : rest
  return {
    key,
    messageSeq,
    version: normalizeVersion(version, `${field}.version`),
    fromUid: rest.fromUid,
    silent: rest.silent === true,
    mentionsMe: mentionsMe === true,
    head: `[${Math.floor(timestamp)},${encodeContent(kept, field)}]`,
  }
}

/** What was recalled is gone: only its place stays, and its names, by which others are told which message it was. */
function withoutContent({ payload: _, extra: __, silent: ___, ...names }: MessageContent): MessageContent {
  return { ...names, removed: true }
}

/** Refuses what is no sequence number. */
export function checkSeq(seq: unknown, field: string, least = 0): asserts seq is number {
  if (!Number.isSafeInteger(seq) || (seq as number) < least || (seq as number) > MAX_MESSAGE_SEQ) {
    invalidArgument(field, `an integer from ${least} to ${MAX_MESSAGE_SEQ}`)
  }
}
