import type { Winner } from '../document/registerTable.js'
import type { ConversationDrafts } from '../drafts/draftBook.js'
import type { DraftView, PlaceDrafts } from '../drafts/draftView.js'
import type { Json } from '../json/json.js'
import { parseValue } from '../lattice/entry.js'
import { splitRegister } from '../lattice/registers.js'
import { compareStamps, type Stamp } from '../lattice/stamp.js'
import type { Version } from '../lattice/version.js'
import { type Channel, type ChannelKey, parseChannelKey } from './channel.js'
import { asObject, type ChannelFacts } from './facts.js'
import type { LastMessage } from './message.js'
import { countMentions, countUnread } from './unread.js'

/** Something that asks for the user's attention in a conversation: a mention, a request to join. */
export interface Reminder {
  readonly reminderId: string
  readonly done: boolean
  /** The version its server gave it. */
  readonly version: Version
  /** What the app or its server says of it. */
  readonly data: Json
}

/** Where the user was when a conversation was left. */
export interface KeptPosition {
  readonly messageSeq: number
  /** Pixels from the top of that message; may be negative. */
  readonly offsetY: number
}

/** A conversation as it is now. Immutable: a change gives another object, and what did not change stays identical. */
export interface Conversation {
  readonly key: ChannelKey
  readonly channel: Channel
  /** The newest message with a number, `null` before the first one. A recalled one has `removed`. */
  readonly lastMessage: LastMessage | null
  /**
   * What the list is sorted by, in milliseconds since 1970: the newest message, or the first one while it is on its way;
   * when a draft was left; when the conversation was created.
   */
  readonly activeAt: number
  /** Messages that raise the badge, at least 1 while marked as unread. */
  readonly unread: number
  readonly markedUnread: boolean
  /** Unread messages that mention the user. */
  readonly mentions: number
  /** Everything up to this sequence number was read on some device. */
  readonly readSeq: number
  readonly browseTo: number
  readonly pinned: boolean
  /** Until when notifications are off, in milliseconds since 1970; 0 if they are on. */
  readonly mutedUntil: number
  readonly muted: boolean
  readonly archived: boolean
  /**
   * True while it is not in any list: deleted without a newer message, draft or creation, or nothing was ever said. What is
   * unfinished in it is still in `store.drafts`.
   */
  readonly hidden: boolean
  readonly keptPosition: KeptPosition | null
  /** The app's own attributes. */
  readonly attributes: Readonly<Record<string, Json>>
  readonly reminders: readonly Reminder[]
  readonly drafts: DraftView
}

/** The members of a {@link Conversation} that can change. */
export type ConversationField = Exclude<keyof Conversation, 'key' | 'channel'>

/** What lists and totals need of a conversation, without reading its message. */
export interface ConversationRow {
  readonly key: ChannelKey
  readonly listed: boolean
  readonly archived: boolean
  /** The fractional index of a pinned conversation. */
  readonly pin: string | null
  readonly activeAt: number
  readonly unread: number
  readonly mutedUntil: number
  /** Whether the mute stood when the row was derived; a row whose mute ends is derived anew. */
  readonly muted: boolean
  readonly mentions: number
}

/** Derives the row of a conversation from its registers and drafts. */
export function deriveRow(
  key: ChannelKey,
  facts: ChannelFacts,
  { drafts, now }: { drafts: ConversationDrafts; now: number },
): ConversationRow {
  const { head, headSeq, deleted, archived, pin, muteUntil, created, createdAt } = facts
  return {
    key,
    listed: headSeq > Math.max(deleted.seq, 0) || outlasts(facts, drafts.newest) || outlasts(facts, created),
    archived: headSeq <= archived.seq,
    pin,
    activeAt: Math.max(head ? headTimestamp(head) : firstSentAt(drafts.view), drafts.leftAt, createdAt),
    unread: countUnread(facts),
    mutedUntil: muteUntil,
    muted: muteUntil > now,
    mentions: countMentions(facts),
  }
}

/**
 * True if what was done at a time is not undone by a deletion. Whole stamps are compared: a device whose clock was moved ahead
 * by another's counts on within one millisecond. At the same place of two clocks what the user wrote stays.
 */
function outlasts({ deleted }: ChannelFacts, stamp: Stamp | null): boolean {
  if (!stamp) return false
  const time = stamp.slice(0, 2)
  return deleted.acts.every((act) => compareStamps(time, act.stamp.slice(0, 2)) >= 0)
}

/** When the first message of a conversation was sent, while it is on its way. */
function firstSentAt({ sending }: DraftView): number {
  return sending.at(-1)?.sentAt ?? 0
}

/** Derives all of a conversation; `previous` lends what did not change, so that it stays identical. */
export function deriveConversation(
  row: ConversationRow,
  facts: ChannelFacts,
  drafts: DraftView,
  previous: Conversation | null,
): Conversation {
  const next: Conversation = {
    key: row.key,
    channel: previous?.channel ?? parseChannelKey(row.key),
    lastMessage: facts.head ? readLastMessage(facts.head, previous?.lastMessage) : null,
    activeAt: row.activeAt,
    unread: row.unread,
    markedUnread: facts.marks.length > 0,
    mentions: row.mentions,
    readSeq: facts.readSeq,
    browseTo: facts.browseTo,
    pinned: row.pin !== null,
    mutedUntil: row.mutedUntil,
    muted: row.muted,
    archived: row.archived,
    hidden: !row.listed,
    keptPosition: keep(previous?.keptPosition, readKeptPosition(facts.keep)),
    attributes: readList(previous?.attributes, facts.attributes, readAttributes),
    reminders: readList(previous?.reminders, facts.reminders, readReminders),
    drafts: keepDrafts(previous?.drafts, drafts),
  }
  return previous && changedFields(previous, next).length === 0 ? previous : next
}

/** Names the members in which two states of a conversation differ. */
export function changedFields(before: Conversation, after: Conversation): ConversationField[] {
  return CONVERSATION_FIELDS.filter((field) => before[field] !== after[field])
}

const CONVERSATION_FIELDS: readonly ConversationField[] = [
  'lastMessage',
  'activeAt',
  'unread',
  'markedUnread',
  'mentions',
  'readSeq',
  'browseTo',
  'pinned',
  'mutedUntil',
  'muted',
  'archived',
  'hidden',
  'keptPosition',
  'attributes',
  'reminders',
  'drafts',
]

/** The timestamp of a `head` entry, read without the message: its value begins with it. */
function headTimestamp({ value }: Winner): number {
  const timestamp = Number.parseInt(value.slice(1, 18), 10)
  return Number.isNaN(timestamp) ? 0 : timestamp
}

/** The lines that messages were read from, so that a message that did not change is not read again. */
const sources = new WeakMap<LastMessage, string>()

function readLastMessage(head: Winner, previous: LastMessage | null | undefined): LastMessage {
  if (previous && sources.get(previous) === head.line) return previous
  const value = parseValue(head.value)
  const [timestamp, rest] = Array.isArray(value) ? value : []
  const message = {
    fromUid: '',
    ...asObject(rest),
    timestamp: typeof timestamp === 'number' ? timestamp : 0,
    messageSeq: head.stamp[0] as number,
    version: head.stamp[1] as Version,
  }
  sources.set(message, head.line)
  return message
}

function readKeptPosition(winner: Winner | undefined): KeptPosition | null {
  const { messageSeq, offsetY } = asObject(winner && parseValue(winner.value))
  return typeof messageSeq === 'number' && typeof offsetY === 'number' ? { messageSeq, offsetY } : null
}

/** The entries that attributes and reminders were read from: there may be thousands, and few changes are about them. */
const listSources = new WeakMap<object, readonly Winner[]>()

function readList<Value extends object>(
  previous: Value | undefined,
  winners: readonly Winner[],
  read: (winners: readonly Winner[]) => Value,
): Value {
  const source = previous && listSources.get(previous)
  if (previous && source?.length === winners.length && source.every((winner, i) => winner === winners[i])) {
    return previous
  }
  const next = keep(previous, read(winners))
  listSources.set(next, winners)
  return next
}

function readReminders(winners: readonly Winner[]): Reminder[] {
  return winners.map(readReminder).sort(byId)
}

function readAttributes(winners: readonly Winner[]): Record<string, Json> {
  const attributes: Array<[string, Json]> = []
  for (const { register, value } of winners) {
    const attribute = (parseValue(value) ?? null) as Json
    if (attribute !== null) attributes.push([splitRegister(register)[1], attribute])
  }
  // Not by assignment: an attribute may be called `__proto__`.
  return Object.fromEntries(attributes.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function readReminder({ register, stamp, value }: Winner): Reminder {
  return {
    reminderId: splitRegister(register)[1],
    done: stamp[0] === 1,
    version: stamp[1] as Version,
    data: (parseValue(value) ?? null) as Json,
  }
}

function byId(a: Reminder, b: Reminder): number {
  return a.reminderId < b.reminderId ? -1 : 1
}

function keepDrafts(previous: DraftView | undefined, next: DraftView): DraftView {
  if (!previous || previous === next) return next
  const edits = next.edits.map((edit) => {
    const before = previous.edits.find(({ messageSeq }) => messageSeq === edit.messageSeq)
    return before ? keepPlace(before, edit) : edit
  })
  return keepPlace(previous, { ...next, edits: keepList(previous.edits, edits) })
}

function keepPlace<Drafts extends PlaceDrafts>(previous: Drafts, next: Drafts): Drafts {
  const kept: Drafts = {
    ...next,
    composer: keep(previous.composer, next.composer),
    others: keepList(previous.others, next.others),
    recovered: keepList(previous.recovered, next.recovered),
    sending: keepList(previous.sending, next.sending),
  }
  const same = (Object.keys(kept) as Array<keyof Drafts>).every((member) => kept[member] === previous[member])
  return same ? previous : kept
}

function keepList<Element extends object>(
  previous: readonly Element[],
  next: readonly Element[],
): readonly Element[] {
  const kept = next.map((element, index) => keep(previous[index], element))
  return kept.length === previous.length && kept.every((element, index) => element === previous[index])
    ? previous
    : kept
}

/** Lends the previous value if the next one says the same; both were read from canonical JSON, so their texts compare. */
function keep<Value extends object | null>(previous: Value | null | undefined, next: Value): Value {
  if (previous === next || !previous || !next) return next
  return JSON.stringify(previous) === JSON.stringify(next) ? previous : next
}
