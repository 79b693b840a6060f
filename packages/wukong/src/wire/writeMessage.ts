import { type Channel, channelKey, type LastMessage, type Message } from '@parley/core'
import { type ExactInteger, exactInteger } from '../json/exactJson.js'
import { type Fields, isFields, readVersion, versionDigits } from '../json/fields.js'
import { type PayloadForm, writePayload } from './payload.js'
import { LAYOUT_NAMES } from './payloadLayout.js'

/** A message as WuKongIM and TangSengDaoDao send it; further members as they came in. */
export interface WireMessage {
  readonly header: { readonly no_persist: 0 | 1; readonly red_dot: 0 | 1; readonly sync_once: 0 | 1 }
  readonly setting: number
  readonly message_id: number | ExactInteger
  readonly message_idstr: string
  readonly client_msg_no: string
  readonly message_seq: number
  readonly from_uid: string
  readonly channel_id: string
  readonly channel_type: number
  /** In seconds. */
  readonly timestamp: number
  readonly payload: unknown
  readonly [more: string]: unknown
}

/**
 * Writes a message for WuKongIM's clients. The channel of a person message is the other person, whoever wrote it: every
 * client takes that, and those that do not repair the server's own way show it right.
 */
export function writeMessage(
  message: Omit<LastMessage, 'version'> & Pick<Message, 'version'>,
  channel: Channel,
  form: PayloadForm,
): WireMessage {
  const { messageSeq, fromUid, timestamp, silent, removed, version = 0, payload } = message
  const rest = isFields(message.extra) ? withoutLayout(message.extra) : {}
  const messageId = message.messageId ?? derivedId(channel, messageSeq)
  const extraVersion = readVersion(version)
  return {
    header: { no_persist: 0, red_dot: silent ? 0 : 1, sync_once: 0 },
    setting: 0,
    message_id: /^\d{1,20}$/.test(messageId) ? exactInteger(messageId) : 0,
    message_idstr: messageId,
    // Clients tell messages apart by it; without one they take two for the same.
    client_msg_no: message.clientMsgNo || `parley-${messageId}`,
    message_seq: messageSeq,
    from_uid: fromUid,
    channel_id: channel.channelId,
    channel_type: channel.channelType,
    timestamp: Math.floor(timestamp / 1000),
    payload: removed ? writePayload(null, form) : writePayload(payload, form, message.extra),
    ...(extraVersion === 0 || hasVersion(rest.message_extra)
      ? {}
      : { extra_version: exactInteger(versionDigits(extraVersion)) }),
    ...(removed ? { revoke: 1 } : {}),
    ...rest,
  }
}

function withoutLayout(extra: Fields): Fields {
  return Object.fromEntries(Object.entries(extra).filter(([name]) => !LAYOUT_NAMES.has(name)))
}

function hasVersion(extra: unknown): boolean {
  return isFields(extra) && 'extra_version' in extra
}

const FNV_OFFSET = 0xcbf29ce484222325n
const FNV_PRIME = 0x100000001b3n

/** A number of 63 bits for a message that came without one: the same each time, another for each message. */
function derivedId(channel: Channel, messageSeq: number): string {
  let hash = FNV_OFFSET
  for (const char of `${channelKey(channel)}:${messageSeq}`) {
    hash = BigInt.asUintN(63, (hash ^ BigInt(char.codePointAt(0) as number)) * FNV_PRIME)
  }
  return hash.toString()
}
