import type { Channel } from '@parley/core'
import { type Fields, isFields, member, readId, readInteger } from '../json/fields.js'

/** A channel of this type is a person: its id is the other one's user id. */
export const PERSON = 1
/** A topic within a community, `community@topic`. */
const TOPIC = 5
const COMMUNITY = 4
const MAX_CHANNEL_TYPE = 255

/** Reads `channel_id` and `channel_type`, or the `channel` of an SDK's model. */
export function readChannel(source: Fields, field: string): Channel {
  const nested = source.channel
  if (isFields(nested)) return readChannel(nested, `${field}.channel`)
  return {
    channelId: readId(member(source, 'channel_id', 'channelId', 'channelID'), `${field}.channel_id`),
    channelType: readInteger(
      member(source, 'channel_type', 'channelType'),
      `${field}.channel_type`,
      0,
      MAX_CHANNEL_TYPE,
    ),
  }
}

/**
 * The channel that a channel is a part of: the community of a topic. Ids of other types may hold an `@` and mean nothing by
 * it.
 */
export function parentOf({ channelId, channelType }: Channel): Channel | null {
  const at = channelId.indexOf('@')
  return channelType === TOPIC && at > 0
    ? { channelId: channelId.slice(0, at), channelType: COMMUNITY }
    : null
}

/** True for channels of which no client keeps a conversation: command channels, and live ones. */
export function isUnlisted({ channelId, channelType }: Channel): boolean {
  return channelType === LIVE || channelId.endsWith('____cmd')
}

const LIVE = 9
