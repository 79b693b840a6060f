import { type ChannelKey, channelKey } from '@parley/core'
import { type Body, bodyOf, readInteger, readList, readText } from './body.js'

/** A channel that a request names, and the newest message of it that the client says it has. */
export interface NamedChannel {
  readonly key: ChannelKey
  readonly lastMsgSeq: number
}

/** More than a person has conversations. */
const MAX_CHANNELS = 10_000

/**
 * Reads the list `channels` of a request, each channel once: of one that is listed several times the first entry counts.
 *
 * @throws HttpError with status 400 if there are more than {@link MAX_CHANNELS}
 */
export function readChannels(body: Body): NamedChannel[] {
  const byKey = new Map<ChannelKey, NamedChannel>()
  for (const [index, value] of readList(body, 'channels', MAX_CHANNELS).entries()) {
    const named = bodyOf(value)
    const channel = {
      channelId: readText(named, 'channel_id'),
      channelType: readInteger(named, 'channel_type'),
    }
    const key = channelKey(channel, `channels[${index}]`)
    const lastMsgSeq = readInteger(named, 'last_msg_seq')
    if (!byKey.has(key)) byKey.set(key, { key, lastMsgSeq })
  }
  return [...byKey.values()]
}
