import type { Channel } from '@parley/core'

const GROUP = 2

/** True for a conversation of more than two. */
export function isGroup({ channelType }: Channel): boolean {
  return channelType === GROUP
}

/** What a conversation is called: groups as channels of IRC are. */
export function displayName(channel: Channel): string {
  return isGroup(channel) ? `#${channel.channelId}` : channel.channelId
}
