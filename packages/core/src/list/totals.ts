import type { ConversationRow } from '../conversation/conversation.js'

/** The badges of the whole list. Archived and hidden conversations do not count. */
export interface Totals {
  /** Unread messages of conversations that are not muted. */
  readonly unread: number
  /** Unread messages of muted conversations. */
  readonly mutedUnread: number
  /** Conversations with unread messages that are not muted. */
  readonly unreadConversations: number
  readonly mutedUnreadConversations: number
  /** Unread messages that mention the user, muted conversations included. */
  readonly mentions: number
}

/** The totals of an empty list. */
export const NO_TOTALS: Totals = {
  unread: 0,
  mutedUnread: 0,
  unreadConversations: 0,
  mutedUnreadConversations: 0,
  mentions: 0,
}

/** Adds what one row counts for, or takes it off with a `sign` of -1. */
export function addToTotals(totals: Totals, row: ConversationRow | null, sign: 1 | -1): Totals {
  if (!row?.listed || row.archived || (row.unread === 0 && row.mentions === 0)) return totals
  const { muted } = row
  const unread = sign * row.unread
  const one = row.unread > 0 ? sign : 0
  return {
    unread: totals.unread + (muted ? 0 : unread),
    mutedUnread: totals.mutedUnread + (muted ? unread : 0),
    unreadConversations: totals.unreadConversations + (muted ? 0 : one),
    mutedUnreadConversations: totals.mutedUnreadConversations + (muted ? one : 0),
    mentions: totals.mentions + sign * row.mentions,
  }
}
