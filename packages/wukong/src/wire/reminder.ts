import type { Channel, Reminder, ReminderInput, Version } from '@parley/core'
import { type ExactInteger, exactInteger } from '../json/exactJson.js'
import {
  isFields,
  member,
  readFields,
  readFlag,
  readInteger,
  readText,
  readVersion,
  refuse,
  toJson,
  versionDigits,
} from '../json/fields.js'
import { readChannel } from './channel.js'

/** What a reminder is about. */
export const REMINDER_TYPES = { mention: 1, joinRequest: 2 } as const

/** A reminder as the SDKs and TangSengDaoDao have it. */
export interface WukongReminder {
  readonly reminderId: string
  readonly channel: Channel
  readonly messageId: string
  readonly messageSeq: number
  /** See {@link REMINDER_TYPES}. */
  readonly reminderType: number
  /** Whom it is for; empty for everybody in the channel. */
  readonly uid: string
  readonly publisher: string
  readonly text: string
  /** Whatever its server attached. */
  readonly data: ReturnType<typeof toJson>
  /** True if a tap leads to its message. */
  readonly isLocate: boolean
  readonly version: Version
  readonly done: boolean
}

/**
 * Reads a reminder, from JSON or from an SDK's model.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 */
export function readReminder(value: unknown, field = 'reminder'): WukongReminder {
  const source = readFields(value, field)
  const id = readVersion(member(source, 'id', 'reminder_id', 'reminderID', 'reminderId'))
  if (id === 0) refuse(`${field}.id`, 'a positive integer')
  const messageId = member(source, 'message_id', 'messageID', 'messageId')
  return {
    reminderId: versionDigits(id),
    channel: readChannel(source, field),
    messageId: typeof messageId === 'string' ? messageId : versionDigits(readVersion(messageId)),
    messageSeq: readInteger(member(source, 'message_seq', 'messageSeq'), `${field}.message_seq`),
    reminderType: readInteger(
      member(source, 'reminder_type', 'reminderType', 'type'),
      `${field}.reminder_type`,
    ),
    uid: readText(source.uid, `${field}.uid`),
    publisher: readText(source.publisher, `${field}.publisher`),
    text: readText(source.text, `${field}.text`),
    data: toJson(source.data ?? null),
    isLocate: readFlag(member(source, 'is_locate', 'isLocate'), `${field}.is_locate`),
    version: readVersion(source.version),
    done: readFlag(source.done, `${field}.done`),
  }
}

/** What a store keeps of a reminder. */
export function toReminderInput({
  reminderId,
  version,
  done,
  channel: _,
  ...data
}: WukongReminder): ReminderInput {
  return { reminderId, version, done, data: { ...data } }
}

/** A reminder out of a store, as the SDKs have it. */
export function fromReminder(
  { reminderId, version, done, data }: Reminder,
  channel: Channel,
): WukongReminder {
  const source = isFields(data) ? data : {}
  return { ...readReminder({ ...source, id: reminderId, channel, version, done }), reminderId }
}

/** A reminder as TangSengDaoDao's `/v1/message/reminder/sync` answers it. */
export interface WireReminder {
  readonly id: number | ExactInteger
  readonly message_id: string
  readonly message_seq: number
  readonly channel_id: string
  readonly channel_type: number
  readonly reminder_type: number
  readonly uid: string
  readonly publisher: string
  readonly text: string
  readonly data?: object
  readonly is_locate: 0 | 1
  readonly version: number | ExactInteger
  readonly done: 0 | 1
}

/** Writes a reminder. */
export function writeReminder(reminder: WukongReminder): WireReminder {
  const { reminderId, messageId, messageSeq, channel, reminderType, uid, publisher, text, data } = reminder
  return {
    id: exactInteger(reminderId),
    message_id: messageId,
    message_seq: messageSeq,
    channel_id: channel.channelId,
    channel_type: channel.channelType,
    reminder_type: reminderType,
    uid,
    publisher,
    text,
    ...(isFields(data) ? { data } : {}),
    is_locate: reminder.isLocate ? 1 : 0,
    version: exactInteger(versionDigits(reminder.version)),
    done: reminder.done ? 1 : 0,
  }
}
