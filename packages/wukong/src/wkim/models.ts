import type { Json } from '@parley/core'
import { versionNumber } from '../json/fields.js'
import type { WukongConversation, WukongMessage } from '../manager/model.js'
import type { WukongReminder } from '../wire/reminder.js'

/** A reminder as Android and Flutter have it. */
export interface WKReminder {
  readonly reminderID: number
  readonly messageID: string
  readonly channelID: string
  readonly channelType: number
  readonly messageSeq: number
  readonly type: number
  readonly uid: string
  readonly text: string
  readonly data: Json
  readonly version: number
  readonly done: 0 | 1
  readonly needUpload: 0 | 1
  readonly publisher: string
  readonly isLocate: 0 | 1
}

/** A reminder as Android and Flutter have it. */
export function toWKReminder(reminder: WukongReminder): WKReminder {
  const { channel, reminderType, messageSeq, uid, text, data, publisher } = reminder
  return {
    reminderID: Number(reminder.reminderId),
    messageID: reminder.messageId,
    channelID: channel.channelId,
    channelType: channel.channelType,
    messageSeq,
    type: reminderType,
    uid,
    text,
    data,
    version: versionNumber(reminder.version),
    done: reminder.done ? 1 : 0,
    needUpload: 0,
    publisher,
    isLocate: reminder.isLocate ? 1 : 0,
  }
}

/** An extra as Android and Flutter have it. */
export interface WKConversationMsgExtra {
  readonly channelID: string
  readonly channelType: number
  readonly browseTo: number
  readonly keepMessageSeq: number
  readonly keepOffsetY: number
  readonly draft: string
  readonly version: number
  /** In seconds. */
  readonly draftUpdatedAt: number
}

/** A conversation as Android and Flutter have it: their `WKConversationMsg` and their `WKUIConversationMsg` in one. */
export interface WKUIConversationMsg {
  readonly channelID: string
  readonly channelType: number
  readonly parentChannelID: string
  readonly parentChannelType: number
  readonly lastMsgSeq: number
  readonly clientMsgNo: string
  readonly lastClientMsgNO: string
  /** In seconds. */
  readonly lastMsgTimestamp: number
  readonly unreadCount: number
  readonly isDeleted: 0 | 1
  /** The app's own attributes. */
  readonly localExtraMap: Readonly<Record<string, Json>>
  readonly wkMsg: WukongMessage | null
  readonly getWkMsg: () => WukongMessage | null
  readonly getWkChannel: () => {
    readonly channelID: string
    readonly channelType: number
    readonly mute: 0 | 1
    readonly top: 0 | 1
  }
  readonly getRemoteMsgExtra: () => WKConversationMsgExtra
  /** The open reminders. */
  readonly getReminderList: () => readonly WKReminder[]
  /** In seconds: when the draft was edited, or else the newest message. */
  readonly getSortTime: () => number
}

/** An extra as Android and Flutter have it. */
export function toMsgExtra({
  channel,
  remoteExtra,
}: Pick<WukongConversation, 'channel' | 'remoteExtra'>): WKConversationMsgExtra {
  const { browseTo, keepMessageSeq, keepOffsetY, draft, version, draftUpdatedAt } = remoteExtra
  return {
    channelID: channel.channelId,
    channelType: channel.channelType,
    browseTo,
    keepMessageSeq,
    keepOffsetY,
    draft,
    version: versionNumber(version),
    draftUpdatedAt: Math.floor(draftUpdatedAt / 1000),
  }
}

/** A conversation as Android and Flutter have it. */
export function toUIConversationMsg(conversation: WukongConversation): WKUIConversationMsg {
  const { channel, parentChannel, lastMessage, lastClientMsgNo, lastMsgTimestamp, reminders } = conversation
  const extra = toMsgExtra(conversation)
  const names = { channelID: channel.channelId, channelType: channel.channelType }
  return {
    ...names,
    parentChannelID: parentChannel?.channelId ?? '',
    parentChannelType: parentChannel?.channelType ?? 0,
    lastMsgSeq: conversation.lastMessageSeq,
    clientMsgNo: lastClientMsgNo,
    lastClientMsgNO: lastClientMsgNo,
    lastMsgTimestamp,
    unreadCount: conversation.unreadCount,
    isDeleted: conversation.isDeleted,
    localExtraMap: conversation.extra,
    wkMsg: lastMessage,
    getWkMsg: () => lastMessage,
    getWkChannel: () => ({ ...names, mute: conversation.mute ? 1 : 0, top: conversation.stick ? 1 : 0 }),
    getRemoteMsgExtra: () => extra,
    getReminderList: () => reminders.filter(({ done }) => !done).map(toWKReminder),
    getSortTime: () => (extra.draft === '' ? lastMsgTimestamp : extra.draftUpdatedAt),
  }
}
