import * as sdk from 'wukongimjssdk/lib/sdk.js'

// What apps of the SDK write themselves: the JSON of their server as objects of the SDK's classes.

/** A conversation as TangSengDaoDao's or WuKongIM's server lists it, as far as these apps read it. */
export interface ConversationJson {
  readonly channel_id: string
  readonly channel_type: number
  readonly unread?: number
  readonly timestamp?: number
  readonly stick?: number
  readonly recents?: readonly MessageJson[]
  readonly extra?: Omit<ExtraJson, 'channel_id' | 'channel_type'>
}

interface MessageJson {
  readonly header?: { readonly red_dot?: number }
  readonly message_idstr?: string
  readonly message_seq: number
  readonly client_msg_no: string
  readonly from_uid: string
  readonly channel_id: string
  readonly channel_type: number
  readonly timestamp: number
  readonly is_deleted?: number
  /** Base64 of JSON, or an object. */
  readonly payload: string | { readonly type: number }
}

export interface ExtraJson {
  readonly channel_id: string
  readonly channel_type: number
  readonly browse_to: number
  readonly keep_message_seq: number
  readonly keep_offset_y: number
  readonly draft?: string
  readonly version: number
}

export interface ReminderJson {
  readonly id: number
  readonly message_id: string
  readonly message_seq: number
  readonly channel_id: string
  readonly channel_type: number
  readonly reminder_type: number
  readonly text?: string
  readonly is_locate: number
  readonly version: number
  readonly done: number
}

export function toConversation(json: ConversationJson): sdk.Conversation {
  const conversation = new sdk.Conversation()
  conversation.channel = new sdk.Channel(json.channel_id, json.channel_type)
  conversation.unread = json.unread || 0
  conversation.timestamp = json.timestamp || 0
  conversation.extra = { top: json.stick || 0 }
  const [last] = json.recents ?? []
  if (last) conversation.lastMessage = toMessage(last)
  if (json.extra) {
    const { channel_id, channel_type } = json
    conversation.remoteExtra = toExtra({ ...json.extra, channel_id, channel_type })
  }
  return conversation
}

export function toMessage(json: MessageJson): sdk.Message {
  const message = new sdk.Message()
  message.messageID = json.message_idstr ?? ''
  message.header.reddot = json.header?.red_dot === 1
  message.clientMsgNo = json.client_msg_no
  message.fromUID = json.from_uid
  message.channel = new sdk.Channel(json.channel_id, json.channel_type)
  message.messageSeq = json.message_seq
  message.timestamp = json.timestamp
  message.isDeleted = json.is_deleted === 1
  const bytes =
    typeof json.payload === 'string'
      ? Uint8Array.from(atob(json.payload), (char) => char.charCodeAt(0))
      : new TextEncoder().encode(JSON.stringify(json.payload))
  const { type } = JSON.parse(new TextDecoder().decode(bytes)) as { type: number }
  message.content = sdk.WKSDK.shared().getMessageContent(type)
  message.content.decode(bytes)
  return message
}

export function toExtra(json: ExtraJson): sdk.ConversationExtra {
  const extra = new sdk.ConversationExtra()
  extra.channel = new sdk.Channel(json.channel_id, json.channel_type)
  extra.browseTo = json.browse_to
  extra.keepMessageSeq = json.keep_message_seq
  extra.keepOffsetY = json.keep_offset_y
  extra.draft = json.draft || ''
  extra.version = json.version
  return extra
}

export function toReminder(json: ReminderJson): sdk.Reminder {
  const reminder = new sdk.Reminder()
  reminder.channel = new sdk.Channel(json.channel_id, json.channel_type)
  reminder.reminderID = json.id
  reminder.messageID = json.message_id
  reminder.messageSeq = json.message_seq
  reminder.reminderType = json.reminder_type
  if (json.text !== undefined) reminder.text = json.text
  reminder.isLocate = json.is_locate === 1
  reminder.version = json.version
  reminder.done = json.done === 1
  return reminder
}
