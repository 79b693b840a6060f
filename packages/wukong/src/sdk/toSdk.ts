import type { Channel, Conversation, LastMessage } from '@parley/core'
import * as string from 'lib0/string'
import { versionNumber } from '../json/fields.js'
import { type ConversationExtra, extraOf } from '../wire/extra.js'
import { writePayload } from '../wire/payload.js'
import { fromReminder, type WukongReminder } from '../wire/reminder.js'
import type { SdkChannel, SdkConversation, SdkExtra, SdkMessage, SdkModule, SdkReminder } from './types.js'

/** `MessageStatus.Normal` of the package. */
const NORMAL = 1

/** Makes instances of an SDK's own classes; plain objects have none of the methods that it calls. */
export interface SdkFactory {
  channel: (channel: Channel) => SdkChannel
  /**
   * A new conversation, or `into` brought up to date: apps hold on to the objects they were given. Where `received` is the
   * newest message of it, it is used as it is.
   */
  conversation: (conversation: Conversation, into?: SdkConversation, received?: SdkMessage) => SdkConversation
  extra: (extra: ConversationExtra) => SdkExtra
  reminder: (reminder: WukongReminder) => SdkReminder
}

/** Creates the {@link SdkFactory} of an SDK. */
export function createSdkFactory(sdk: SdkModule): SdkFactory {
  const channel = ({ channelId, channelType }: Channel): SdkChannel => new sdk.Channel(channelId, channelType)

  const message = (last: LastMessage, of: Channel): SdkMessage => {
    const payload = writePayload(last.removed ? null : last.payload, 'object', last.extra) as { type: number }
    const content = sdk.WKSDK.shared().getMessageContent(payload.type)
    content.decode(string.encodeUtf8(JSON.stringify(payload)))
    const made = new sdk.Message()
    made.header.reddot = !last.silent
    made.messageID = last.messageId ?? ''
    made.messageSeq = last.messageSeq
    made.clientMsgNo = last.clientMsgNo ?? ''
    made.fromUID = last.fromUid
    made.channel = channel(of)
    made.timestamp = Math.floor(last.timestamp / 1000)
    made.content = content
    made.status = NORMAL
    made.isDeleted = last.removed === true
    return made
  }

  const extra = (source: ConversationExtra): SdkExtra => {
    const made = new sdk.ConversationExtra()
    made.channel = channel(source.channel)
    made.browseTo = source.browseTo
    made.keepMessageSeq = source.keepMessageSeq
    made.keepOffsetY = source.keepOffsetY
    made.draft = source.draft
    made.version = versionNumber(source.version)
    return made
  }

  const reminder = (source: WukongReminder): SdkReminder => {
    const made = new sdk.Reminder()
    made.channel = channel(source.channel)
    made.reminderID = Number(source.reminderId)
    made.messageID = source.messageId
    made.messageSeq = source.messageSeq
    made.reminderType = source.reminderType
    made.text = source.text
    made.data = source.data
    made.isLocate = source.isLocate
    made.version = versionNumber(source.version)
    made.done = source.done
    return made
  }

  return {
    channel,
    extra,
    reminder,
    conversation(source, into = new sdk.Conversation(), received) {
      const { lastMessage, activeAt, unread, pinned, muted, reminders } = source
      const made = sources.get(into)
      into.channel = into.channel ?? channel(source.channel)
      into.unread = unread
      // A message on its way is newer than what the store has, until the IM server has numbered it.
      const isSending =
        into.lastMessage !== undefined &&
        !into.lastMessage.messageSeq &&
        into.lastMessage.timestamp * 1000 >= (lastMessage?.timestamp ?? 0)
      if (!isSending) {
        const isSame =
          into.lastMessage?.messageSeq === lastMessage?.messageSeq && made?.lastMessage === lastMessage
        if (received && isNewest(received, source)) into.lastMessage = received
        else if (!isSame) into.lastMessage = lastMessage ? message(lastMessage, source.channel) : undefined
        // In seconds, or its apps sort pinned conversations wrong.
        into.timestamp = Math.floor((lastMessage?.timestamp ?? activeAt) / 1000)
      }
      if (made?.reminders !== reminders) {
        into.reminders = reminders.map((one) => reminder(fromReminder(one, source.channel)))
      }
      sources.set(into, source)
      into.extra = { ...(into.extra as object | undefined), top: pinned ? 1 : 0, mute: muted ? 1 : 0 }
      // Version 0: the SDK would take a greater one for its cursor, and pass over drafts that are in no list.
      into.remoteExtra = extra(extraOf(source))
      return into
    },
  }
}

/** What a conversation object was last made from. */
const sources = new WeakMap<SdkConversation, Conversation>()

/** True if the SDK's message is the newest one of a conversation. */
function isNewest({ channel, messageSeq }: SdkMessage, source: Conversation): boolean {
  return (
    messageSeq === source.lastMessage?.messageSeq &&
    channel.channelID === source.channel.channelId &&
    Number(channel.channelType) === source.channel.channelType
  )
}
