import {
  type Channel,
  type ChannelKey,
  type Conversation,
  channelKey,
  type DraftView,
  type ListSnapshot,
  type Totals,
} from '@parley/core'

// A user's conversations are on the user's devices. A page rendered on a server, and its first render in the browser,
// which has to say the same, therefore show what is known there: nothing yet.

export const SERVER_DRAFTS: DraftView = { composer: null, others: [], recovered: [], sending: [], edits: [] }

export const SERVER_LIST: ListSnapshot = { conversations: [], offset: 0, total: 0 }

export const SERVER_TOTALS: Totals = {
  unread: 0,
  mutedUnread: 0,
  unreadConversations: 0,
  mutedUnreadConversations: 0,
  mentions: 0,
}

const conversations = new Map<ChannelKey, Conversation>()
/** A server that runs for weeks must not remember every channel that was ever rendered. */
const MAX_REMEMBERED = 1000

/** A conversation of which nothing is known; the same object each time, as React wants it. */
export function serverConversation(channel: Channel): Conversation {
  const key = channelKey(channel)
  const known = conversations.get(key)
  if (known) return known
  if (conversations.size >= MAX_REMEMBERED) conversations.clear()
  const conversation: Conversation = {
    key,
    channel: { channelId: channel.channelId, channelType: channel.channelType },
    lastMessage: null,
    activeAt: 0,
    unread: 0,
    markedUnread: false,
    mentions: 0,
    readSeq: 0,
    browseTo: 0,
    pinned: false,
    mutedUntil: 0,
    muted: false,
    archived: false,
    hidden: true,
    keptPosition: null,
    attributes: {},
    reminders: [],
    drafts: SERVER_DRAFTS,
  }
  conversations.set(key, conversation)
  return conversation
}
