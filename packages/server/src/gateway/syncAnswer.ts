import { type Channel, type Message, parseChannelKey } from '@parley/core'
import {
  isUnlisted,
  parseLastMsgSeqs,
  type SelectedConversation,
  type Shape,
  selectConversations,
} from '@parley/wukong'
import type { Projection } from './projection.js'
import type { Recents } from './recents.js'
import { type WrittenItem, writeItem } from './writtenItem.js'

/** What `/conversation/sync` asks for. */
export interface SyncQuestion {
  readonly version: number
  readonly lastMsgSeqs: string
  readonly msgCount: number
  readonly onlyUnread: boolean
  readonly excludeTypes: readonly number[]
  readonly shape: Shape
  /** True for clients that take an item whose newest message is marked as deleted for the deletion of the conversation. */
  readonly tellsDeletions: boolean
}

export interface SyncAnswer {
  readonly items: readonly WrittenItem[]
  /** What the user deleted, for clients that read a list of it. */
  readonly deletes: readonly Channel[]
}

const PERSON = 1
/** Its messages are for the app; no client shows a conversation with it. */
const SYSTEM_UID = '____system'

/** Answers a sync: what a client lacks to have what one that begins anew would have. */
export async function answerSync(
  user: Projection,
  recents: Recents,
  question: SyncQuestion,
): Promise<SyncAnswer> {
  const { index } = user
  const held = parseLastMsgSeqs(question.lastMsgSeqs, { isKnown: (key) => index.get(key) !== undefined })
  const { items } = selectConversations(index, { ...question, version: Math.max(0, question.version), held })
  const listed = items.filter(({ key }) => isListed(parseChannelKey(key)))
  const shown = listed.filter(({ deleted }) => !deleted || question.tellsDeletions)
  // Looked at before the wait: an answer is of one moment, and none of it may be newer than its versions say.
  const conversations = new Map(shown.map(({ key }) => [key, user.conversation(key)]))
  const floors = new Map(shown.map(({ key }) => [key, user.deletedTo(key)]))
  const kept = await recents.read(
    user.uid,
    shown.filter(({ deleted }) => !deleted).map(({ key }) => key),
    question.msgCount,
  )
  const write = ({ key, version, deleted }: SelectedConversation): WrittenItem[] => {
    const conversation = conversations.get(key)
    if (!conversation) return []
    const { lastMessage, unread } = conversation
    const readTo = (lastMessage?.messageSeq ?? 0) - unread
    const from = firstWanted(question, held.get(key) ?? 0, readTo)
    const messages = (kept.get(key) ?? []).filter(
      ({ messageSeq }: Message) => messageSeq >= from && messageSeq > (floors.get(key) ?? 0),
    )
    const written = writeItem(conversation, {
      shape: question.shape,
      version,
      recents: messages,
      msgCount: question.msgCount,
      deleted,
    })
    if (!written) return []
    if (question.shape === 'tsdd') user.told.noteDraft(key, written.draft)
    return [written]
  }
  return {
    items: shown.flatMap(write),
    deletes: listed.filter(({ deleted }) => deleted).map(({ key }) => parseChannelKey(key)),
  }
}

/** True for what clients keep a conversation of. */
export function isListed(channel: Channel): boolean {
  return !isUnlisted(channel) && !(channel.channelType === PERSON && channel.channelId === SYSTEM_UID)
}

/** The first message a client wants, beside the newest one: it has those it lists, and those that were read before. */
function firstWanted({ version, onlyUnread }: SyncQuestion, heldSeq: number, readTo: number): number {
  if (heldSeq > 0) return heldSeq + 1
  return version > 0 || onlyUnread ? readTo + 1 : 0
}

/** A channel as a list of deletions names it. */
export function writeChannel({ channelId, channelType }: Channel): object {
  return { channel_id: channelId, channel_type: channelType }
}

/** The conversations of an answer as JSON, without the brackets around them. */
export function textsOf({ items }: SyncAnswer): string {
  return items.map(({ text }) => text).join(',')
}
