import type { Channel, Conversation, Version } from '@parley/core'
import { type ExactInteger, exactInteger } from '../json/exactJson.js'
import {
  type Fields,
  member,
  readFields,
  readInteger,
  readText,
  readVersion,
  versionDigits,
} from '../json/fields.js'
import { readChannel } from './channel.js'

/** What all devices of a user share about a conversation, as TangSengDaoDao's servers and the SDKs call it. */
export interface ConversationExtra {
  readonly channel: Channel
  /** The newest message the user has looked at. */
  readonly browseTo: number
  /** Where the user was in the conversation. */
  readonly keepMessageSeq: number
  /** Pixels; may be negative. */
  readonly keepOffsetY: number
  readonly draft: string
  /** When the draft was edited, in milliseconds since 1970; 0 if its server does not say. */
  readonly draftUpdatedAt: number
  readonly version: Version
}

const MAX_OFFSET = 2 ** 31
const MAX_TIMESTAMP_S = 8.64e12

/**
 * Reads an extra, from JSON or from an SDK's model. Inside of a conversation it does not name its channel.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 */
export function readExtra(value: unknown, field = 'extra', channel?: Channel): ConversationExtra {
  const source = readFields(value, field)
  const integer = (name: string, least = 0, most?: number): number =>
    readInteger(member(source, name, camelCase(name)), `${field}.${name}`, least, most)
  return {
    channel: channel ?? readChannel(source, field),
    browseTo: integer('browse_to'),
    keepMessageSeq: integer('keep_message_seq'),
    keepOffsetY: integer('keep_offset_y', -MAX_OFFSET, MAX_OFFSET),
    draft: readText(source.draft, `${field}.draft`),
    draftUpdatedAt: integer('draft_updated_at', 0, MAX_TIMESTAMP_S) * 1000,
    version: readVersion((source as Fields).version),
  }
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** An extra as TangSengDaoDao sends it. */
export interface WireExtra {
  readonly channel_id: string
  readonly channel_type: number
  readonly browse_to: number
  readonly keep_message_seq: number
  readonly keep_offset_y: number
  readonly draft: string
  /** In seconds. Android sorts by it where there is a draft; TangSengDaoDao's own server leaves it out. */
  readonly draft_updated_at: number
  readonly version: number | ExactInteger
}

/** The columns of TangSengDaoDao's servers and of iOS hold no more. */
const MAX_WIRE_DRAFT = 1000

/** What a conversation has to say in an extra. */
export function extraOf(
  { channel, browseTo, keptPosition, drafts }: Conversation,
  version: Version = 0,
): ConversationExtra {
  return {
    channel,
    browseTo,
    keepMessageSeq: keptPosition?.messageSeq ?? 0,
    keepOffsetY: Math.trunc(keptPosition?.offsetY ?? 0),
    draft: drafts.composer?.text ?? '',
    draftUpdatedAt: drafts.composer?.editedAt ?? 0,
    version,
  }
}

/** True if there is nothing to say. */
export function isBlankExtra({ browseTo, keepMessageSeq, keepOffsetY, draft }: ConversationExtra): boolean {
  return browseTo === 0 && keepMessageSeq === 0 && keepOffsetY === 0 && draft === ''
}

/** Writes an extra as TangSengDaoDao's `/v1/conversation/extra/sync` answers it. */
export function writeExtra(extra: ConversationExtra): WireExtra {
  const { channel, version, draftUpdatedAt } = extra
  return {
    channel_id: channel.channelId,
    channel_type: channel.channelType,
    browse_to: extra.browseTo,
    keep_message_seq: extra.keepMessageSeq,
    keep_offset_y: extra.keepOffsetY,
    draft: cutText(extra.draft, MAX_WIRE_DRAFT),
    draft_updated_at: Math.floor(draftUpdatedAt / 1000),
    version: exactInteger(versionDigits(version)),
  }
}

/** The first characters of a text, without splitting a surrogate pair. */
function cutText(text: string, length: number): string {
  if (text.length <= length) return text
  const code = text.charCodeAt(length - 1)
  return text.slice(0, code >= 0xd800 && code < 0xdc00 ? length - 1 : length)
}
