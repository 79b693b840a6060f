import type { Conversation, LastMessage, Message, Version } from '@parley/core'
import { type ExactInteger, exactInteger } from '../json/exactJson.js'
import { versionDigits } from '../json/fields.js'
import { extraOf, isBlankExtra } from './extra.js'
import type { PayloadForm } from './payload.js'
import { type WireMessage, writeMessage } from './writeMessage.js'

/** The shape of an answer to `/conversation/sync`. */
export type Shape = 'wukongim' | 'tsdd'

/** A conversation as `/conversation/sync` answers it. */
export interface WireConversation {
  readonly channel_id: string
  readonly channel_type: number
  /** TangSengDaoDao leaves it out when it is 0. */
  readonly unread?: number
  /** In seconds. */
  readonly timestamp: number
  readonly last_msg_seq: number
  readonly last_client_msg_no: string
  readonly offset_msg_seq: number
  readonly readed_to_msg_seq?: number
  readonly version: number | ExactInteger
  readonly recents: readonly WireMessage[]
  /**
   * That the conversation was deleted, beside its newest message that clients read it from: with it they need not take the
   * message for deleted. No server but Parley's sends it.
   */
  readonly is_deleted?: 1
  /** These three are left out where there is nothing to say. WuKongIM's own server has none of them. */
  readonly mute?: 1
  readonly stick?: 1
  readonly extra?: WireEmbeddedExtra
}

/** An extra inside of a conversation. */
export interface WireEmbeddedExtra {
  readonly browse_to: number
  readonly keep_message_seq: number
  readonly keep_offset_y: number
  readonly draft: string
  readonly draft_updated_at: number
  /** Always 0: the JS SDK takes it for its extra cursor, and would pass over drafts in conversations that are in no list. */
  readonly version: 0
}

/** What a conversation is written with. */
export interface WriteConversationOptions {
  readonly shape: Shape
  /** The version of its last visible change. */
  readonly version: Version
  /** The newest messages, in any order; its last one if left out. */
  readonly recents?: readonly (Message | LastMessage)[]
  /** How many of them to send at most. */
  readonly msgCount?: number
  /** True to tell that the user deleted the conversation, in the way that Android and Flutter understand. */
  readonly deleted?: boolean
}

const FORMS: Readonly<Record<Shape, PayloadForm>> = { wukongim: 'base64', tsdd: 'object' }

/**
 * Writes a conversation for WuKongIM's clients, or `null` for one without messages: those clients keep none of these.
 *
 * @example
 * ```ts
 * import { createStore } from '@parley/core'
 * import { writeConversation } from '@parley/wukong'
 *
 * const store = createStore({ userId: 'alice' })
 * const bob = store.conversation({ channelId: 'bob', channelType: 1 })
 * store.receive({ channel: bob.channel, messageSeq: 1, fromUid: 'bob', timestamp: 1204353600000, payload: { type: 1, content: 'Hi!' } })
 * writeConversation(bob.getSnapshot(), { shape: 'tsdd', version: 5 })?.unread // 1
 * ```
 */
export function writeConversation(
  conversation: Conversation,
  options: WriteConversationOptions,
): WireConversation | null {
  const { channel, lastMessage, unread } = conversation
  if (!lastMessage) return null
  const { shape, version, deleted = false } = options
  const newest = newestFirst(options.recents ?? [], lastMessage).slice(0, Math.max(1, options.msgCount ?? 1))
  const recents = newest.map((message) => writeMessage(message, channel, FORMS[shape]))
  const last = recents[0] as WireMessage
  const marked = deleted ? [{ ...last, is_deleted: 1 }, ...recents.slice(1)] : recents
  const readTo = Math.max(0, lastMessage.messageSeq - unread)
  return {
    channel_id: channel.channelId,
    channel_type: channel.channelType,
    ...(shape === 'tsdd' && unread === 0 ? {} : { unread }),
    timestamp: last.timestamp,
    last_msg_seq: lastMessage.messageSeq,
    last_client_msg_no: last.client_msg_no,
    offset_msg_seq: 0,
    ...(shape === 'wukongim' ? { readed_to_msg_seq: readTo } : {}),
    version: exactInteger(versionDigits(version)),
    recents: marked,
    ...(deleted ? { is_deleted: 1 } : {}),
    ...settingsOf(conversation),
  }
}

/** The messages without repetitions, the newest first; the last one as the conversation has it, edits included. */
function newestFirst(
  recents: readonly (Message | LastMessage)[],
  last: LastMessage,
): (Message | LastMessage)[] {
  const bySeq = new Map<number, Message | LastMessage>()
  for (const message of recents)
    if (message.messageSeq <= last.messageSeq) bySeq.set(message.messageSeq, message)
  bySeq.set(last.messageSeq, last)
  return [...bySeq.values()].sort((a, b) => b.messageSeq - a.messageSeq)
}

/** Left out where there is nothing to say: the iOS app reads members of a `null` and crashes. */
function settingsOf(conversation: Conversation): Pick<WireConversation, 'mute' | 'stick' | 'extra'> {
  const extra = extraOf(conversation)
  const { browseTo, keepMessageSeq, keepOffsetY, draft, draftUpdatedAt } = extra
  return {
    ...(conversation.muted ? { mute: 1 } : {}),
    ...(conversation.pinned ? { stick: 1 } : {}),
    ...(isBlankExtra(extra)
      ? {}
      : {
          extra: {
            browse_to: browseTo,
            keep_message_seq: keepMessageSeq,
            keep_offset_y: keepOffsetY,
            draft,
            draft_updated_at: Math.floor(draftUpdatedAt / 1000),
            version: 0,
          },
        }),
  }
}
