import { type ChannelKey, channelKey } from '@parley/core'
import { type Body, bodyOf, readInteger, readText, refuse } from './body.js'

/** A channel that a request names, and the newest message of it that the client says it has. */
export interface NamedChannel {
  readonly key: ChannelKey
  readonly lastMsgSeq: number
}

/** Reads the list `channels` of a request. */
export function readChannels(body: Body): NamedChannel[] {
  const channels = body.channels ?? []
  if (!Array.isArray(channels)) refuse('channels', 'an array')
  return channels.map((value, index) => {
    const named = bodyOf(value)
    const channel = {
      channelId: readText(named, 'channel_id'),
      channelType: readInteger(named, 'channel_type'),
    }
    return {
      key: channelKey(channel, `channels[${index}]`),
      lastMsgSeq: readInteger(named, 'last_msg_seq'),
    }
  })
}
