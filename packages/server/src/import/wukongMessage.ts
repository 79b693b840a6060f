import { type Channel, type Json, MAX_MESSAGE_SEQ, type Message } from '@parley/core'
import {
  isObject,
  type JsonObject,
  readFlag,
  readId,
  readInteger,
  readObject,
  readText,
  readVersion,
  refuse,
} from './fields.js'
import { parseLosslessJson } from './losslessJson.js'

/** A channel of this type is a person: its id is the other one's user id. */
const PERSON = 1
const MAX_CHANNEL_TYPE = 255
/** WuKongIM's times are in seconds. This is the end of JavaScript's. */
const MAX_TIMESTAMP_S = 8.64e12

/** Why a message of somebody else's server is not taken in. */
export type SkippedBecause =
  /** It is between two other people. */
  | 'not-mine'
  /** It is a command or is not kept by its server, and changes no conversation. */
  | 'not-kept'

/** Reads the members `channel_id` and `channel_type`. */
export function readChannel(source: JsonObject, field: string): Channel {
  return {
    channelId: readId(source.channel_id, `${field}.channel_id`),
    channelType: readInteger(source.channel_type, `${field}.channel_type`, 0, MAX_CHANNEL_TYPE),
  }
}

/**
 * Reads a message as WuKongIM's `msg.notify` webhook and the `recents` of its conversations carry it, for a user.
 *
 * @param me the user in whose conversations it goes
 * @param channel the conversation it was listed in; found from the message if left out
 * @throws ParleyError with code `invalid-argument` that names the member
 */
export function readWukongMessage(
  value: Json,
  field: string,
  me: string,
  channel?: Channel,
): Message | SkippedBecause {
  const source = readObject(value, field)
  const at = (name: string): string => `${field}.${name}`
  const header = source.header === undefined ? {} : readObject(source.header, at('header'))
  const extra =
    source.message_extra === undefined ? {} : readObject(source.message_extra, at('message_extra'))
  const named = readChannel(source, field)
  const fromUid = source.from_uid === undefined ? '' : readText(source.from_uid, at('from_uid'))
  if (
    readFlag(header.no_persist, at('header.no_persist')) ||
    readFlag(header.sync_once, at('header.sync_once'))
  ) {
    return 'not-kept'
  }
  const mine = channel ?? conversationOf(named, fromUid, me)
  if (mine === null) return 'not-mine'
  const messageId = readMessageId(source, field)
  const clientMsgNo =
    source.client_msg_no === undefined ? '' : readText(source.client_msg_no, at('client_msg_no'))
  const edited = isObject(extra.content_edit) ? extra.content_edit : undefined
  const payload = edited ?? readPayload(source.payload, at('payload'))
  const removed =
    readFlag(source.revoke, at('revoke')) ||
    readFlag(extra.revoke, at('message_extra.revoke')) ||
    readFlag(source.is_deleted, at('is_deleted'))
  const version = readVersion(extra.extra_version ?? source.extra_version, at('extra_version'))
  return {
    channel: mine,
    messageSeq: readInteger(source.message_seq, at('message_seq'), 1, MAX_MESSAGE_SEQ),
    fromUid,
    timestamp: readInteger(source.timestamp, at('timestamp'), 0, MAX_TIMESTAMP_S) * 1000,
    payload,
    version,
    ...(messageId === '' ? {} : { messageId }),
    ...(clientMsgNo === '' ? {} : { clientMsgNo }),
    // A message that says nothing of it raises a badge.
    ...('red_dot' in header && !readFlag(header.red_dot, at('header.red_dot')) ? { silent: true } : {}),
    ...(mentions(payload, me) ? { mentionsMe: true } : {}),
    ...(removed ? { removed } : {}),
  }
}

/** Where a message goes: one to me is in the conversation with whoever wrote it. */
function conversationOf(named: Channel, fromUid: string, me: string): Channel | null {
  if (named.channelType !== PERSON) return named
  if (fromUid === me) return named
  // What the system says to a person has no author, and no other conversation than the one it names.
  if (named.channelId === me) return fromUid === '' ? named : { channelId: fromUid, channelType: PERSON }
  return null
}

function readMessageId(source: JsonObject, field: string): string {
  const { message_idstr: text, message_id: number } = source
  if (text !== undefined) return readText(text, `${field}.message_idstr`)
  if (number === undefined || number === 0) return ''
  return String(readVersion(number, `${field}.message_id`))
}

/** A payload comes as an object, or as base64 of JSON; what is encrypted is kept as it is. */
function readPayload(value: Json | undefined, field: string): Json {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') return isObject(value) ? value : refuse(field, 'an object or base64')
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== value.replace(/=+$/, ''))
    refuse(field, 'an object or base64')
  try {
    return parseLosslessJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes), field)
  } catch {
    return value
  }
}

function mentions(payload: Json, me: string): boolean {
  if (!isObject(payload) || !isObject(payload.mention)) return false
  const { all, uids } = payload.mention
  return all === 1 || all === true || (Array.isArray(uids) && uids.includes(me))
}
