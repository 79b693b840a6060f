import type { Conversation } from '@parley/core'

/**
 * What clients can be shown of a conversation. Three states, whatever else is known: one that was deleted must be told to
 * those who have it, one of which nothing was said must not.
 */
export type ShownState = 'absent' | 'deleted' | 'visible'

/** A conversation as a version index compares it. */
export interface Shown {
  readonly state: ShownState
  /** Stands for all that an answer says of the conversation. */
  readonly conversation: number
  /** Stands for its extra: draft, scroll position, what was looked at. */
  readonly extra: number
  /** Stands for its reminders. */
  readonly reminders: number
  readonly headSeq: number
  readonly unread: number
  /** Until when it is muted, in milliseconds since 1970. */
  readonly mutedUntil: number
}

/** What is shown of a conversation at a time; whether a mute has ended depends on it. */
export function shownOf(conversation: Conversation, time: number): Shown {
  const {
    lastMessage,
    hidden,
    archived,
    unread,
    pinned,
    mutedUntil,
    browseTo,
    keptPosition,
    drafts,
    reminders,
  } = conversation
  const state = lastMessage === null ? 'absent' : hidden || archived ? 'deleted' : 'visible'
  const { composer } = drafts
  const extra: unknown[] = [browseTo, keptPosition, composer && [composer.text, seconds(composer.editedAt)]]
  return {
    state,
    conversation:
      state === 'visible' ? digest([lastMessage, unread, pinned, mutedUntil > time, extra]) : digest(state),
    extra: digest(extra),
    reminders: digest(reminders),
    headSeq: lastMessage?.messageSeq ?? 0,
    unread,
    mutedUntil,
  }
}

/** What an extra that says nothing comes to. */
export const BLANK_EXTRA = digest([0, null, null])
/** What no reminders come to. */
export const NO_REMINDERS = digest([])

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}

/** 53 bits that stand for a value. Compared only with those of the same conversation, a moment before. */
function digest(value: unknown): number {
  const text = JSON.stringify(value)
  // cyrb53: two runs of 32 bits, mixed.
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x9e3779b1)
    b = Math.imul(b ^ code, 0x5f356495)
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return 2 ** 32 * (b & 0x1fffff) + (a >>> 0)
}
