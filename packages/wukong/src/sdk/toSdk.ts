import type { Channel, Conversation, LastMessage } from '@parley/core'
import * as string from 'lib0/string'
import { versionNumber } from '../json/fields.js'
import { type ConversationExtra, extraOf } from '../wire/extra.js'
import { writePayload } from '../wire/payload.js'
import type { WukongReminder } from '../wire/reminder.js'
import type { SdkChannel, SdkConversation, SdkExtra, SdkMessage, SdkModule, SdkReminder } from './types.js'

/** `MessageStatus.Normal` of the package. */
const NORMAL = 1

/** Makes instances of an SDK's own classes; plain objects have none of the methods that it calls. */
export interface SdkFactory {
  channel: (channel: Channel) => SdkChannel
  /** A new conversation, or `into` brought up to date: apps hold on to the objects they were given. */
  conversation: (conversation: Conversation, into?: SdkConversation) => SdkConversation
  extra: (extra: ConversationExtra) => SdkExtra
  reminder: (reminder: WukongReminder) => SdkReminder
}

/** Creates the {@link SdkFactory} of an SDK. */
export function createSdkFactory(sdk: SdkModule): SdkFactory {
  const channel = ({ channelId, channelType }: Channel): SdkChannel => new sdk.Channel(channelId, channelType)

  const message = (last: LastMessage, of: Channel): SdkMessage => {
    const payload = writePayload(last.removed ? null : last.payload, 'object') as { type: number }
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

  return {
    channel,
    extra,
    conversation(source, into = new sdk.Conversation()) {
      const { lastMessage, activeAt, unread, pinned, muted } = source
      const isSame =
        into.lastMessage?.messageSeq === lastMessage?.messageSeq && versions.get(into) === lastMessage
      into.channel = into.channel ?? channel(source.channel)
      into.unread = unread
      // In seconds, or its apps sort pinned conversations wrong.
      into.timestamp = Math.floor((lastMessage?.timestamp ?? activeAt) / 1000)
      if (!isSame) into.lastMessage = lastMessage ? message(lastMessage, source.channel) : undefined
      if (lastMessage) versions.set(into, lastMessage)
      into.extra = { ...(into.extra as object | undefined), top: pinned ? 1 : 0, mute: muted ? 1 : 0 }
      // Version 0: the SDK would take a greater one for its cursor, and pass over drafts that are in no list.
      into.remoteExtra = extra(extraOf(source))
      return into
    },
    reminder(source) {
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
    },
  }
}

/** The message that a conversation object was last made from. */
const versions = new WeakMap<SdkConversation, LastMessage>()
