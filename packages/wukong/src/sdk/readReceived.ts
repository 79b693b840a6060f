import { type Channel, channelKey, type Message } from '@parley/core'
import { readMessage } from '../wire/readMessage.js'
import type { SdkChannel, SdkMessage } from './types.js'

/** The channel of an SDK's object; `null` for one that no conversation can have. */
export function toChannel({ channelID, channelType }: SdkChannel): Channel | null {
  const channel = { channelId: channelID, channelType: Number(channelType) }
  try {
    channelKey(channel)
    return channel
  } catch {
    return null
  }
}

/**
 * Reads a message of the SDK; `null` for one that changes no conversation.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 */
export function readReceived(message: SdkMessage, me: string): Message | null {
  const { content, contentType } = message
  const payload = content.contentObj ?? { ...content.encodeJSON(), type: contentType }
  const read = readMessage({ ...message, content: undefined, payload }, { me })
  return typeof read === 'string' ? null : read
}
