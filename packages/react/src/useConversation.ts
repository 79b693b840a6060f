import type { Channel, Conversation } from '@parley/core'
import { useSyncExternalStore } from 'react'
import { useParley } from './parleyContext.js'
import { serverConversation } from './serverSnapshots.js'

/**
 * One conversation as it is now, hidden and empty if nothing is known of it. The channel may be a new object each time.
 *
 * @throws ParleyError with code `invalid-argument` for an invalid channel
 * @example
 * ```tsx
 * import { useConversation } from '@parley/react'
 *
 * function Unread({ userId }: { userId: string }) {
 *   const { unread, muted } = useConversation({ channelId: userId, channelType: 1 })
 *   return unread > 0 ? <span className={muted ? 'quiet' : 'loud'}>{unread}</span> : null
 * }
 * ```
 */
export function useConversation(channel: Channel): Conversation {
  // The same handle for the same channel, so nothing is subscribed anew while the channel stays.
  const handle = useParley().store.conversation(channel)
  return useSyncExternalStore(handle.subscribe, handle.getSnapshot, () => serverConversation(channel))
}
