import type { ChannelFacts } from './facts.js'
import { countInRuns } from './runs.js'

/** The newest message that counts as read or hidden: everything up to it raises no badge. */
export function unreadBase({ readSeq, ownSeq, deleted, joinSeq }: ChannelFacts): number {
  return Math.max(readSeq, ownSeq, deleted.seq, joinSeq - 1, 0)
}

/**
 * The unread messages of a conversation. The number is never stored, so that no two devices can disagree about it: it is
 * the messages above the base that raise a badge; at most what a provider reported, plus the newer ones; at least 1 while
 * an unread mark stands.
 */
export function countUnread(facts: ChannelFacts): number {
  const { headSeq, quiet, provided, marks } = facts
  const base = unreadBase(facts)
  let unread = headSeq - base - countInRuns(quiet, base, headSeq)
  if (provided && provided.lastMsgSeq <= headSeq) {
    const since = headSeq - provided.lastMsgSeq - countInRuns(quiet, provided.lastMsgSeq, headSeq)
    unread = Math.min(unread, provided.unread + since)
  }
  return Math.max(0, unread, marks.length > 0 ? 1 : 0)
}

/** The least position that, read, leaves at most `count` messages that raise a badge. */
export function readSeqLeaving(facts: ChannelFacts, count: number): number {
  const { headSeq, quiet } = facts
  let below = unreadBase(facts)
  let enough = Math.max(headSeq, below)
  // Never falls as the position rises, so that halving finds it.
  while (below < enough) {
    const middle = Math.floor((below + enough) / 2)
    if (headSeq - middle - countInRuns(quiet, middle, headSeq) <= count) enough = middle
    else below = middle + 1
  }
  return enough
}

/** The unread messages that mention the user. */
export function countMentions(facts: ChannelFacts): number {
  const base = unreadBase(facts)
  return facts.mentionSeqs.filter((seq) => seq > base && seq <= facts.headSeq).length
}
