import { invalidArgument } from '../errors.js'

/** Where a conversation takes place, named as the WuKongIM SDKs name it: a type and an id within the type. */
export interface Channel {
  /** 1 to 200 characters, any of them. For a person: the other person's user id. */
  readonly channelId: string
  /** An integer from 0 to 255: 1 a person, 2 a group; the app may have others. */
  readonly channelType: number
}

/** A channel as one string, `2:ubuntu`: a key for maps and lists. */
export type ChannelKey = string

/** The longest id of a channel, a user or a reminder, in UTF-16 code units. */
export const MAX_ID_LENGTH = 200
const MAX_CHANNEL_TYPE = 255
const MAX_TYPE_DIGITS = 3

/**
 * The key of a channel.
 *
 * @throws ParleyError with code `invalid-argument` if the channel's id or type is out of range
 * @example
 * ```ts
 * import { channelKey } from '@parley/core'
 *
 * channelKey({ channelId: 'ubuntu', channelType: 2 }) // '2:ubuntu'
 * ```
 */
export function channelKey(channel: Channel, field = 'channel'): ChannelKey {
  if (channel === null || typeof channel !== 'object')
    invalidArgument(field, 'an object with channelId and channelType')
  const { channelId, channelType } = channel
  if (!Number.isInteger(channelType) || channelType < 0 || channelType > MAX_CHANNEL_TYPE) {
    invalidArgument(`${field}.channelType`, `an integer from 0 to ${MAX_CHANNEL_TYPE}`)
  }
  checkId(channelId, `${field}.channelId`)
  return `${channelType}:${channelId}`
}

/** The channel of a key that {@link channelKey} made. */
export function parseChannelKey(key: ChannelKey): Channel {
  const colon = key.indexOf(':')
  return { channelId: key.slice(colon + 1), channelType: Number(key.slice(0, colon)) }
}

/** True if the subject of an entry is a key that {@link channelKey} makes; other subjects begin with a letter. */
export function isChannelKey(subject: string): subject is ChannelKey {
  const colon = subject.indexOf(':')
  if (colon < 1 || colon > MAX_TYPE_DIGITS) return false
  // By hand: asked for each of ten thousand conversations when a list is opened.
  let type = 0
  for (let i = 0; i < colon; i++) {
    const digit = subject.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return false
    type = type * 10 + digit
  }
  const hasLeadingZero = colon > 1 && subject.startsWith('0')
  return !hasLeadingZero && type <= MAX_CHANNEL_TYPE && isId(subject.slice(colon + 1))
}

/** Refuses what cannot be an id: empty, too long, not a string, or half of a surrogate pair, which no encoding carries. */
export function checkId(id: unknown, field: string): asserts id is string {
  if (typeof id !== 'string' || id.length === 0 || id.length > MAX_ID_LENGTH) {
    invalidArgument(field, `a string of 1 to ${MAX_ID_LENGTH} characters`)
  }
  if (hasLoneSurrogate(id)) invalidArgument(field, 'well-formed text; it holds half of a surrogate pair')
}

function isId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_ID_LENGTH && !hasLoneSurrogate(id)
}

function hasLoneSurrogate(id: string): boolean {
  return SURROGATE.test(id) && LONE_SURROGATE.test(id)
}

/** Most ids have none, and to look for one that stands alone takes ten times as long. */
const SURROGATE = /[\ud800-\udfff]/
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
