import type { Channel } from '@parley/core'
import type { Projection } from './projection.js'

/** Marks a conversation as read, if there is anything to read, be it hidden by a deletion that may be taken back. */
export async function clearUnread(user: Projection, channel: Channel): Promise<void> {
  const { lastMessage, unread, readSeq } = user.conversation(channel)
  if (!lastMessage || (unread === 0 && readSeq >= lastMessage.messageSeq)) return
  await user.act((store) => store.conversation(channel).markRead())
}

/**
 * Leaves `count` messages unread, counted as WuKongIM's server does: more than there are count as one, and what is read stays
 * read. There a conversation that is read cannot be marked as unread; here it can where `marks` is true.
 */
export async function setUnread(
  user: Projection,
  channel: Channel,
  count: number,
  { marks }: { readonly marks: boolean },
): Promise<void> {
  const { lastMessage, unread, hidden } = user.conversation(channel)
  if (!lastMessage) return
  if (count <= 0) return clearUnread(user, channel)
  if (hidden) return
  const wanted = count > lastMessage.messageSeq ? 1 : count
  if (unread > wanted) await user.act((store) => store.conversation(channel).leaveUnread(wanted))
  else if (unread === 0 && marks) await user.act((store) => store.conversation(channel).markUnread())
}

/** Deletes a conversation, if there is one to be seen. */
export async function deleteConversation(user: Projection, channel: Channel): Promise<void> {
  const { lastMessage, hidden } = user.conversation(channel)
  if (lastMessage && !hidden) await user.act((store) => store.conversation(channel).delete())
}
