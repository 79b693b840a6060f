import type { Channel, Conversation, Json, LastMessage } from '@parley/core'
import { parentOf } from '../wire/channel.js'
import { type ConversationExtra, extraOf } from '../wire/extra.js'
import { fromReminder, type WukongReminder } from '../wire/reminder.js'

/** The newest message of a conversation. */
export type WukongMessage = Omit<LastMessage, 'timestamp'> & {
  /** In seconds, as in the SDKs. */
  readonly timestamp: number
  /** The payload, under the name that the SDKs give it. */
  readonly content: Json
}

/** An extra with the app's own attributes beside it. */
export type WukongConversationExtra = ConversationExtra & {
  readonly extraData: Readonly<Record<string, Json>>
}

/** A conversation as apps of the iOS SDK know it. Immutable: ask again after an update. */
export interface WukongConversation {
  readonly channel: Channel
  /** The community of a topic. */
  readonly parentChannel: Channel | null
  readonly lastClientMsgNo: string
  readonly lastMessageSeq: number
  /** In seconds. */
  readonly lastMsgTimestamp: number
  /** The same as `lastMsgTimestamp`; the documentation of the SDK calls it so. */
  readonly timestamp: number
  readonly lastMessage: WukongMessage | null
  readonly unreadCount: number
  readonly isDeleted: 0 | 1
  readonly mute: boolean
  readonly stick: boolean
  /** The app's own attributes. */
  readonly extra: Readonly<Record<string, Json>>
  readonly remoteExtra: WukongConversationExtra
  readonly reminders: readonly WukongReminder[]
  /** The last open reminder of each type, of other people's. */
  readonly simpleReminders: readonly WukongReminder[]
}

/** True for a conversation that the SDKs list: one with a message that is not deleted. A draft alone is an extra there. */
export function isRow({ hidden, lastMessage }: Conversation): boolean {
  return !hidden && lastMessage !== null
}

const models = new WeakMap<Conversation, WukongConversation>()

/** A conversation of a store as apps of the iOS SDK know it; the same object as long as the conversation is the same. */
export function toWukongConversation(conversation: Conversation, me: string): WukongConversation {
  const known = models.get(conversation)
  if (known) return known
  const { channel, lastMessage, activeAt, unread, hidden, muted, pinned, attributes } = conversation
  const reminders = conversation.reminders.map((reminder) => fromReminder(reminder, channel))
  const timestamp = Math.floor((lastMessage?.timestamp ?? activeAt) / 1000)
  const model: WukongConversation = {
    channel,
    parentChannel: parentOf(channel),
    lastClientMsgNo: lastMessage?.clientMsgNo ?? '',
    lastMessageSeq: lastMessage?.messageSeq ?? 0,
    lastMsgTimestamp: timestamp,
    timestamp,
    lastMessage: lastMessage && { ...lastMessage, timestamp, content: lastMessage.payload ?? null },
    unreadCount: unread,
    isDeleted: hidden ? 1 : 0,
    mute: muted,
    stick: pinned,
    extra: attributes,
    remoteExtra: toWukongExtra(conversation),
    reminders,
    simpleReminders: lastOfEachType(
      reminders.filter(({ done, publisher }) => !done && (publisher !== me || me === '')),
    ),
  }
  models.set(conversation, model)
  return model
}

/** The extra of a conversation as apps of the iOS SDK know it. */
export function toWukongExtra(conversation: Conversation): WukongConversationExtra {
  return { ...extraOf(conversation), extraData: conversation.attributes }
}

function lastOfEachType(reminders: readonly WukongReminder[]): WukongReminder[] {
  const byType = new Map<number, WukongReminder>()
  for (const reminder of reminders) byType.set(reminder.reminderType, reminder)
  return [...byType.values()]
}
