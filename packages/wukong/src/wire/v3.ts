import { type Channel, type Conversation, MAX_MESSAGE_SEQ } from '@parley/core'
import { type ExactInteger, exactInteger } from '../json/exactJson.js'
import { isFields, readFields, readInteger, readVersion } from '../json/fields.js'
import { parentOf, readChannel } from './channel.js'
import type { ListedConversation, ReadConversationContext } from './readConversation.js'
import { readMessage } from './readMessage.js'
import { writeMessage } from './writeMessage.js'

const NS_PER_MS = 1_000_000n

/** A conversation as `/conversation/list` of WuKongIM's third generation answers it. */
export interface WireV3Conversation {
  readonly channel_id: string
  readonly channel_type: number
  /** In nanoseconds. */
  readonly active_at: number | ExactInteger
  readonly read_seq: number
  readonly deleted_to_seq: number
  readonly unread: number
  readonly last_message: WireV3Message | null
}

/** The newest message, as it is listed there. */
export interface WireV3Message {
  readonly message_id: number | ExactInteger
  readonly message_idstr: string
  readonly message_seq: number
  readonly from_uid: string
  readonly client_msg_no: string
  readonly server_timestamp_ms: number
  /** Base64 of JSON. */
  readonly payload: unknown
}

/**
 * Reads a conversation of the third generation.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 */
export function readV3Conversation(value: unknown, context: ReadConversationContext): ListedConversation {
  const { me, field = 'conversation', onBadMessage } = context
  const source = readFields(value, field)
  const channel = readChannel(source, field)
  const recents = []
  if (isFields(source.last_message)) {
    const { server_timestamp_ms: ms, ...last } = source.last_message
    try {
      const timestamp = readInteger(ms, `${field}.last_message.server_timestamp_ms`, 0, MAX_TIMESTAMP_MS)
      const message = readMessage({ ...last, timestamp: 0 }, { me, channel, field: `${field}.last_message` })
      if (typeof message !== 'string') recents.push({ ...message, timestamp })
    } catch (error) {
      if (!onBadMessage) throw error
      onBadMessage(error)
    }
  }
  return {
    channel,
    parent: parentOf(channel),
    lastMsgSeq: recents[0]?.messageSeq ?? 0,
    version: readVersion(source.active_at),
    unread: readInteger(source.unread, `${field}.unread`, 0, MAX_MESSAGE_SEQ),
    recents,
    mute: undefined,
    stick: undefined,
    extra: null,
    deleted: false,
  }
}

const MAX_TIMESTAMP_MS = 8.64e15

/** Writes a conversation for `/conversation/list`. */
export function writeV3Conversation(
  { channel, lastMessage, activeAt, unread }: Conversation,
  { deletedToSeq = 0 }: { readonly deletedToSeq?: number } = {},
): WireV3Conversation {
  return {
    channel_id: channel.channelId,
    channel_type: channel.channelType,
    active_at: exactInteger(BigInt(activeAt) * NS_PER_MS),
    read_seq: Math.max(0, (lastMessage?.messageSeq ?? 0) - unread),
    deleted_to_seq: Math.max(0, deletedToSeq),
    unread,
    last_message: lastMessage ? writeLast(channel, lastMessage) : null,
  }
}

function writeLast(channel: Channel, message: NonNullable<Conversation['lastMessage']>): WireV3Message {
  const { message_id, message_idstr, message_seq, from_uid, client_msg_no, payload } = writeMessage(
    message,
    channel,
    'base64',
  )
  return {
    message_id,
    message_idstr,
    message_seq,
    from_uid,
    client_msg_no,
    server_timestamp_ms: message.timestamp,
    payload,
  }
}
