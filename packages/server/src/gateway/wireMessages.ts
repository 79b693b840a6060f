import { type Channel, channelKey } from '@parley/core'
import { isUid } from '../access/roomPath.js'
import { bodyOf, readInteger, readText, readTexts, refuse } from './body.js'

/** A message as it came in, and who is to have it. */
export interface Envelope {
  /** As WuKongIM has it. */
  readonly message: unknown
  /** What an error calls it. */
  readonly field: string
  readonly channel: Channel
  /** `null` if the message does not say. */
  readonly recipients: readonly string[] | null
}

const PERSON = 1

/**
 * Reads to whom a message goes: to those it lists, in `recipients` or as a webhook does in `to_uids`; a person's to both.
 *
 * @throws HttpError with status 400 that names the member; ParleyError for a channel that cannot be
 */
export function readEnvelope(
  value: unknown,
  field: string,
  others: readonly string[] | null = null,
): Envelope {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(field, 'an object')
  const { recipients: _, to_uids: __, ...message } = bodyOf(value)
  const named = {
    [`${field}.channel_id`]: message.channel_id,
    [`${field}.channel_type`]: message.channel_type,
  }
  const channel = {
    channelId: readText(named, `${field}.channel_id`),
    channelType: readInteger(named, `${field}.channel_type`),
  }
  channelKey(channel, field)
  const listed = bodyOf(value)
  const recipients =
    readTexts({ [`${field}.recipients`]: listed.recipients }, `${field}.recipients`) ??
    readTexts({ [`${field}.to_uids`]: listed.to_uids }, `${field}.to_uids`) ??
    others ??
    (channel.channelType === PERSON ? bothOf(channel, message.from_uid) : null)
  for (const [index, uid] of (recipients ?? []).entries()) {
    if (!isUid(uid)) refuse(`${field}.recipients[${index}]`, 'a user id of 1 to 200 characters')
  }
  return { message, field, channel, recipients }
}

function bothOf({ channelId }: Channel, fromUid: unknown): string[] {
  return typeof fromUid === 'string' && fromUid !== '' ? [...new Set([fromUid, channelId])] : [channelId]
}
