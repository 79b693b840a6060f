import { type Channel, type ChannelKey, type Conversation, type Message, parseChannelKey } from '@parley/core'
import { type IndexRow, isUnlisted, readHeldSeqs, type Shape, selectConversations } from '@parley/wukong'
import { createTurns } from '../turns.js'
import type { Projection } from './projection.js'
import type { Recents } from './recents.js'
import { type WrittenItem, writeItem, writtenItem } from './writtenItem.js'

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
  const { shape, msgCount, tellsDeletions } = question
  const held = readHeldSeqs(question.lastMsgSeqs, index)
  const { items } = selectConversations(index, { ...question, version: Math.max(0, question.version), held })
  const heldSeqOf = ({ channelId, channelType }: Channel): number =>
    held.length === 0 ? 0 : (held[index.placeOf(channelId, channelType) ?? -1] ?? 0)
  // Looked at before the wait: an answer is of one moment, and none of it may be newer than its versions say.
  const parts: Part[] = []
  const deletes: Channel[] = []
  for (const { key, deleted } of items) {
    const row = index.get(key)
    if (!row) continue
    const known = deleted || recents.areWanted(msgCount) ? undefined : writtenItem(shape, row)
    if (known) {
      parts.push({ key, known })
      continue
    }
    const channel = parseChannelKey(key)
    if (!isListed(channel)) continue
    if (deleted) deletes.push(channel)
    if (!deleted || tellsDeletions)
      parts.push({
        key,
        row,
        deleted,
        conversation: user.conversation(key),
        heldSeq: heldSeqOf(channel),
        floor: recents.areWanted(msgCount) ? user.deletedTo(key) : 0,
      })
  }
  const asked = parts.filter((part) => 'row' in part && !part.deleted).map(({ key }) => key)
  const kept = await recents.read(user.uid, asked, msgCount)
  const write = (part: Part): WrittenItem | null => {
    if ('known' in part) return part.known
    const { key, row, deleted, conversation, heldSeq, floor } = part
    const readTo = row.headSeq - row.unread
    const from = Math.max(firstWanted(question, heldSeq, readTo), floor + 1)
    const messages = (kept.get(key) ?? []).filter(({ messageSeq }: Message) => messageSeq >= from)
    return writeItem(conversation, row, { shape, recents: messages, msgCount, deleted })
  }
  const answered: WrittenItem[] = []
  const takeTurns = createTurns()
  for (const part of parts) {
    // What is written was looked at above, so that others may change it meanwhile.
    if (takeTurns.isOver()) await takeTurns.next()
    const item = write(part)
    if (!item) continue
    answered.push(item)
    if (shape === 'tsdd') user.told.noteDraft(part.key, item.draft)
  }
  // Newest first, as the original's. Clients go on from the greatest version of an answer, wherever it stands.
  return { items: answered.sort((a, b) => b.timestamp - a.timestamp), deletes }
}

/** A conversation to be answered: as it was written before, or as it is now. */
type Part =
  | { readonly key: ChannelKey; readonly known: WrittenItem }
  | {
      readonly key: ChannelKey
      readonly row: IndexRow
      readonly deleted: boolean
      readonly conversation: Conversation
      readonly heldSeq: number
      readonly floor: number
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

/** The conversations of an answer as JSON, with what comes before and after them. */
export function joinItems({ items }: SyncAnswer, before: string, after: string): Buffer {
  const [head, tail] = [Buffer.from(before), Buffer.from(after)]
  let length = head.byteLength + tail.byteLength + Math.max(0, items.length - 1)
  for (const { bytes } of items) length += bytes.byteLength
  const joined = Buffer.allocUnsafe(length)
  joined.set(head)
  let end = head.byteLength
  for (const [place, { bytes }] of items.entries()) {
    if (place > 0) joined[end++] = COMMA
    joined.set(bytes, end)
    end += bytes.byteLength
  }
  joined.set(tail, end)
  return joined
}

const COMMA = 0x2c
