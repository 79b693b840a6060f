import { type Channel, type Json, MAX_MESSAGE_SEQ, type Message } from '@parley/core'
import {
  type Fields,
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
import { isUnlisted, PERSON, readChannel } from './channel.js'
import { isCommand, mentions, readPayload } from './payload.js'
import { LAYOUT_NAMES, layoutOf } from './payloadLayout.js'

/** WuKongIM's times are in seconds. This is the end of JavaScript's. */
const MAX_TIMESTAMP_S = 8.64e12

/** Why a message changes no conversation. */
export type SkipReason =
  /** It is between two other people. */
  | 'not-mine'
  /** It is a command, or one that its server does not keep, or in a channel of which nobody keeps a conversation. */
  | 'not-kept'

/** For whom and where a message is read. */
export interface ReadMessageContext {
  /** The user in whose conversations it goes. */
  readonly me: string
  /** The conversation it was listed in; found from the message if left out. */
  readonly channel?: Channel
  /** What the error calls the message. */
  readonly field?: string
}

/**
 * Reads a message as WuKongIM's webhooks, the `recents` of its conversations and TangSengDaoDao carry it, or as the models of
 * the SDKs have it. Members it does not know are kept in `extra`.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 * @example
 * ```ts
 * import { readMessage } from '@parley/wukong'
 *
 * // A person message names the participant who did not write it; the conversation is with the one who did.
 * const received = { channel_id: 'alice', channel_type: 1, from_uid: 'bob', message_seq: 3, timestamp: 1204353600, payload: { type: 1, content: 'Hi' } }
 * readMessage(received, { me: 'alice' }) // { channel: { channelId: 'bob', channelType: 1 }, messageSeq: 3, timestamp: 1204353600000, … }
 * ```
 */
export function readMessage(value: unknown, context: ReadMessageContext): Message | SkipReason {
  const { me, field = 'message' } = context
  const source = readFields(value, field)
  const at = (name: string): string => `${field}.${name}`
  const header = isFields(source.header) ? source.header : {}
  const more = member(source, 'message_extra', 'remoteExtra')
  const extra = isFields(more) ? more : {}
  if (
    readFlag(member(header, 'no_persist', 'noPersist'), at('header.no_persist')) ||
    readFlag(member(header, 'sync_once', 'syncOnce'), at('header.sync_once'))
  ) {
    return 'not-kept'
  }
  const named = context.channel ?? readChannel(source, field)
  const fromUid = readText(member(source, 'from_uid', 'fromUid', 'fromUID'), at('from_uid'))
  if (isUnlisted(named)) return 'not-kept'
  const channel = context.channel ?? conversationOf(named, fromUid, me)
  if (channel === null) return 'not-mine'
  const edited = member(extra, 'content_edit', 'contentEdit')
  const payload = readPayload(isFields(edited) ? edited : contentOf(source), at('payload'))
  if (isCommand(payload)) return 'not-kept'
  const messageId = readMessageId(source)
  const clientMsgNo = readText(member(source, 'client_msg_no', 'clientMsgNo'), at('client_msg_no'))
  const redDot = member(header, 'red_dot', 'reddot', 'showUnread')
  const removed =
    readFlag(source.revoke, at('revoke')) ||
    readFlag(extra.revoke, at('message_extra.revoke')) ||
    readFlag(member(source, 'is_deleted', 'isDeleted'), at('is_deleted'))
  const rest = restOf(source, isFields(edited) || removed ? null : layoutOf(source.payload, payload))
  return {
    channel,
    messageSeq: readInteger(
      member(source, 'message_seq', 'messageSeq') ?? refuse(at('message_seq'), 'given'),
      at('message_seq'),
      1,
      MAX_MESSAGE_SEQ,
    ),
    fromUid,
    timestamp: readInteger(source.timestamp, at('timestamp'), 0, MAX_TIMESTAMP_S) * 1000,
    payload,
    version: readVersion(
      member(extra, 'extra_version', 'extraVersion') ?? member(source, 'extra_version', 'extraVersion'),
    ),
    ...(messageId === '' ? {} : { messageId }),
    ...(clientMsgNo === '' ? {} : { clientMsgNo }),
    // A message that says nothing of it raises a badge.
    ...(redDot !== undefined && !readFlag(redDot, at('header.red_dot')) ? { silent: true } : {}),
    ...(mentions(payload, me) ? { mentionsMe: true } : {}),
    ...(removed ? { removed } : {}),
    ...(rest === null ? {} : { extra: rest }),
  }
}

/** Where a message goes: one to me is in the conversation with whoever wrote it. */
function conversationOf(named: Channel, fromUid: string, me: string): Channel | null {
  if (named.channelType !== PERSON || fromUid === me) return named
  // What the system says to a person has no author, and no other conversation than the one it names. One that names its
  // author has the other's id put in already.
  if (fromUid === '' || named.channelId === fromUid) return named
  return named.channelId === me ? { channelId: fromUid, channelType: PERSON } : null
}

function contentOf(source: Fields): unknown {
  if (source.payload !== undefined) return source.payload
  // The SDKs' content objects keep what they were decoded from.
  const { content } = source
  return isFields(content) ? (content.contentObj ?? content) : content
}

/** The text is exact; the number beside it lost its last digits if `JSON.parse` read it. */
function readMessageId(source: Fields): string {
  const text = member(source, 'message_idstr', 'messageID', 'messageId')
  if (typeof text === 'string') return text
  const version = readVersion(text ?? source.message_id)
  return version === 0 ? '' : versionDigits(version)
}

/** What is read into members of a message, or written anew each time. */
const KNOWN = new Set([
  'header',
  'message_id',
  'message_idstr',
  'client_msg_no',
  'message_seq',
  'from_uid',
  'channel_id',
  'channel_type',
  'timestamp',
  'payload',
  'extra_version',
  'revoke',
  'is_deleted',
])

/** What a server sent besides. Models of the SDKs have more members than their server gave, and none of them are kept. */
function restOf(source: Fields, layout: object | null): Json | null {
  if (!('message_seq' in source)) return null
  const rest = Object.entries(source).filter(
    ([name, value]) =>
      !KNOWN.has(name) &&
      !LAYOUT_NAMES.has(name) &&
      value !== null &&
      value !== undefined &&
      !(name === 'setting' && value === 0),
  )
  const all = layout ? [...rest, ...Object.entries(layout)] : rest
  return all.length === 0 ? null : toJson(Object.fromEntries(all))
}
