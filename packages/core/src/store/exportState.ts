import { type Channel, isChannelKey } from '../conversation/channel.js'
import {
  deriveConversation,
  deriveRow,
  type KeptPosition,
  type Reminder,
} from '../conversation/conversation.js'
import type { Provided } from '../conversation/facts.js'
import type { LastMessage } from '../conversation/message.js'
import { type Run, runsAbove } from '../conversation/runs.js'
import type { Registers } from '../document/registerTable.js'
import type { DraftView } from '../drafts/draftView.js'
import type { Json } from '../json/json.js'
import { splitRegister } from '../lattice/registers.js'
import type { Version } from '../lattice/version.js'
import type { StoreCore } from './core.js'
import { DOCUMENT_SUBJECT } from './cursors.js'

/** One conversation as `export` tells it: what its registers say, without how they say it. */
export interface ExportedConversation {
  readonly channel: Channel
  readonly lastMessage: LastMessage | null
  readonly hidden: boolean
  readonly unread: number
  readonly mentions: number
  readonly readSeq: number
  readonly ownSeq: number
  readonly joinSeq: number
  readonly browseTo: number
  /** Silent messages that are not read, as ranges. */
  readonly quiet: readonly Run[]
  /** Messages that mention the user and are not read. */
  readonly mentionSeqs: readonly number[]
  readonly provided: Provided | null
  readonly markedUnread: boolean
  /** Up to where the conversation was deleted, -1 if it never was. */
  readonly deletedTo: number
  readonly archivedTo: number
  /** When the user created it, in milliseconds since 1970; 0 if it was not. */
  readonly createdAt: number
  readonly pin: string | null
  readonly mutedUntil: number
  readonly keptPosition: KeptPosition | null
  readonly attributes: Readonly<Record<string, Json>>
  readonly reminders: readonly Reminder[]
  readonly drafts: DraftView
}

/** All that a document says. It does not depend on the time, on this device, or on how the document came about. */
export interface ExportedState {
  readonly userId: string
  /** Sorted by channel key. */
  readonly conversations: readonly ExportedConversation[]
  /** How far each provider was followed. */
  readonly cursors: Readonly<Record<string, Version>>
}

/** Exports the state of a document. */
export function exportState({ userId, log, drafts, facts }: StoreCore): ExportedState {
  const keys = new Set([...drafts.channels, ...[...log.index.subjects].filter(isChannelKey)])
  const conversations = [...keys].sort().map((key): ExportedConversation => {
    const known = facts(key)
    const settled = Math.max(known.readSeq, known.ownSeq, known.joinSeq - 1)
    // As the document has it, without what this device happens to show.
    const shared = drafts.conversation(key, 'shared')
    const row = deriveRow(key, known, { drafts: shared, now: 0 })
    const conversation = deriveConversation(row, known, shared.view, null)
    return {
      channel: conversation.channel,
      lastMessage: conversation.lastMessage,
      hidden: conversation.hidden,
      unread: conversation.unread,
      mentions: conversation.mentions,
      readSeq: known.readSeq,
      ownSeq: known.ownSeq,
      joinSeq: known.joinSeq,
      browseTo: known.browseTo,
      quiet: runsAbove(known.quiet, settled),
      mentionSeqs: known.mentionSeqs.filter((seq) => seq > settled).sort((a, b) => a - b),
      provided: known.provided,
      markedUnread: conversation.markedUnread,
      deletedTo: known.deleted.seq,
      archivedTo: known.archived.seq,
      createdAt: known.createdAt,
      pin: known.pin,
      mutedUntil: known.muteUntil,
      keptPosition: conversation.keptPosition,
      attributes: conversation.attributes,
      reminders: conversation.reminders,
      drafts: shared.view,
    }
  })
  return { userId, conversations, cursors: readCursors(log.index.registers(DOCUMENT_SUBJECT)) }
}

function readCursors(registers: Registers): Record<string, Version> {
  const cursors: Array<[string, Version]> = []
  for (const { register, stamp } of registers) {
    const [family, provider] = splitRegister(register)
    if (family === 'cursor.') cursors.push([provider, stamp[0] as Version])
  }
  return Object.fromEntries(cursors.sort(([a], [b]) => (a < b ? -1 : 1)))
}
