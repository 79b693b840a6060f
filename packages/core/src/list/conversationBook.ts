import { type ChannelKey, isChannelKey } from '../conversation/channel.js'
import {
  type Conversation,
  type ConversationField,
  type ConversationRow,
  changedFields,
  deriveConversation,
  deriveRow,
} from '../conversation/conversation.js'
import { type ChannelFacts, readFacts } from '../conversation/facts.js'
import type { EntryIndex } from '../document/entryIndex.js'
import type { DraftBook } from '../drafts/draftBook.js'
import { createEmitter } from '../emitter.js'
import type { Environment } from '../environment.js'
import { splitRegister } from '../lattice/registers.js'
import type { ChangeBatch, ConversationChange } from './changes.js'
import { compareRows, findPlace, type RowChange, updateRows } from './order.js'
import { addToTotals, NO_TOTALS, type Totals } from './totals.js'

/** The conversations of a document as plain objects, updated from what a transaction changed and never rebuilt. */
export interface ConversationBook {
  /** The conversation of a channel, hidden and empty if nothing is known of it. */
  get: (key: ChannelKey) => Conversation
  facts: (key: ChannelKey) => ChannelFacts
  /** All that are not hidden, in order. */
  rows: () => readonly ConversationRow[]
  totals: () => Totals
  /** True once somebody has asked for anything: from then on it must be kept up to date. */
  readonly isWatched: boolean
  /** Brings conversations up to date and tells who listens: the channels, each with the registers that changed. */
  refresh: (changed: ChangedChannels, source: ChangeBatch['source']) => void
  onBatch: (listener: (batch: ChangeBatch) => void) => () => void
  /** Tells list views which rows changed, before anybody is told anything: the app's own code is not called yet. */
  onRowChanges: (listener: (changes: readonly RowChange[]) => void) => () => void
  /** Tells list views that all of them have the changed rows now. */
  onRowsSettled: (listener: () => void) => () => void
  onTotals: (listener: () => void) => () => void
  onConversation: (key: ChannelKey, listener: () => void) => () => void
  close: () => void
}

/** Channels and which of their registers changed; drafts, which lie elsewhere, as `drafts`. */
export type ChangedChannels = ReadonlyMap<ChannelKey, readonly string[]>

/** What happened to one conversation, while the others are still being looked at. */
interface Touched {
  readonly key: ChannelKey
  readonly registers: readonly string[]
  readonly before: Conversation | null
  readonly row: RowChange
  readonly from: number
}

const NOTHING: readonly string[] = []

/** Creates the {@link ConversationBook} of a document; nothing is derived before somebody asks. */
export function createConversationBook(
  index: EntryIndex,
  drafts: DraftBook,
  environment: Pick<Environment, 'now' | 'schedule' | 'reportError'>,
): ConversationBook {
  const { now, reportError } = environment
  const batches = createEmitter<ChangeBatch>(reportError)
  const rowChanges = createEmitter<readonly RowChange[]>(reportError)
  const rowsSettled = createEmitter<void>(reportError)
  const totalsChanges = createEmitter<void>(reportError)
  const listeners = new Map<ChannelKey, ReturnType<typeof createEmitter<void>>>()
  const rows = new Map<ChannelKey, ConversationRow>()
  const snapshots = new Map<ChannelKey, Conversation>()
  const muted = new Set<ChannelKey>()
  let ordered: ConversationRow[] | null = null
  let totals = NO_TOTALS
  let cancelTimer = (): void => {}
  let mutesChanged = false
  let closed = false
  const notices: Array<() => void> = []
  let isNotifying = false

  /** Calls listeners. What happens because of what they do is told to all of them later. */
  const notify = (notice: () => void): void => {
    notices.push(notice)
    if (isNotifying) return
    isNotifying = true
    try {
      for (let next = notices.shift(); next; next = notices.shift()) next()
    } finally {
      isNotifying = false
    }
  }

  const factsOf = (key: ChannelKey): ChannelFacts => readFacts(index.registers(key))

  const deriveNow = (key: ChannelKey, facts: ChannelFacts): ConversationRow => {
    return deriveRow(key, facts, { drafts: drafts.conversation(key), now: now() })
  }

  /** Derives a row again; the same object if nothing in it changed. */
  const updateRow = (key: ChannelKey, facts: ChannelFacts): ConversationRow => {
    const previous = rows.get(key)
    const next = deriveNow(key, facts)
    const row = previous && sameMembers(previous, next) ? previous : next
    rows.set(key, row)
    mutesChanged ||= row.muted ? row.mutedUntil !== previous?.mutedUntil : muted.has(key)
    if (row.muted) muted.add(key)
    else muted.delete(key)
    return row
  }

  const snapshot = (key: ChannelKey): Conversation => {
    const known = snapshots.get(key)
    if (known) return known
    const conversation = updateSnapshot(key, factsOf(key))
    watchMutes()
    return conversation
  }

  const updateSnapshot = (key: ChannelKey, facts: ChannelFacts): Conversation => {
    const row = rows.get(key) ?? updateRow(key, facts)
    const conversation = deriveConversation(
      row,
      facts,
      drafts.conversation(key).view,
      snapshots.get(key) ?? null,
    )
    snapshots.set(key, conversation)
    return conversation
  }

  const order = (): ConversationRow[] => {
    if (ordered) return ordered
    const derive = (key: ChannelKey): void => {
      if (!rows.has(key)) updateRow(key, factsOf(key))
    }
    for (const subject of index.subjects) if (isChannelKey(subject)) derive(subject)
    for (const key of drafts.channels) derive(key)
    ordered = []
    for (const row of rows.values()) if (row.listed) ordered.push(row)
    ordered.sort(compareRows)
    totals = ordered.reduce((sum, row) => addToTotals(sum, row, 1), NO_TOTALS)
    watchMutes()
    return ordered
  }

  /** Wakes up when the first mute ends: that changes badges though nobody writes anything. */
  const watchMutes = (): void => {
    if (!mutesChanged || closed) return
    mutesChanged = false
    cancelTimer()
    let first = Number.POSITIVE_INFINITY
    for (const key of muted) first = Math.min(first, rows.get(key)?.mutedUntil ?? first)
    if (first === Number.POSITIVE_INFINITY) {
      cancelTimer = () => {}
      return
    }
    cancelTimer = environment.schedule(
      () => {
        const ended = [...muted].filter((key) => (rows.get(key)?.mutedUntil ?? 0) <= now())
        mutesChanged = true
        if (ended.length > 0) refresh(new Map(ended.map((key) => [key, NOTHING])), 'time')
        else watchMutes()
      },
      Math.max(0, first - now()),
    )
  }

  const refresh = (changed: ChangedChannels, source: ChangeBatch['source']): void => {
    if (!ordered) {
      // Nobody has looked at the list: what was derived for single conversations is derived again.
      for (const key of changed.keys()) refreshUnlisted(key)
      watchMutes()
      return
    }
    const list = ordered
    const touched: Touched[] = []
    for (const [key, registers] of changed) {
      const before = rows.get(key) ?? null
      const facts = factsOf(key)
      const after = updateRow(key, facts)
      const conversation = snapshots.get(key) ?? null
      if (conversation) updateSnapshot(key, facts)
      const row = { before: before?.listed ? before : null, after: after.listed ? after : null }
      const from = row.before ? findPlace(list, row.before) : -1
      touched.push({ key, registers, before: conversation, row, from })
    }
    const changedRows = touched.map(({ row }) => row).filter(({ before, after }) => before !== after)
    const totalsBefore = totals
    for (const { before, after } of changedRows) {
      totals = addToTotals(addToTotals(totals, before, -1), after, 1)
    }
    if (sameMembers(totalsBefore, totals)) totals = totalsBefore
    updateRows(list, changedRows)
    watchMutes()
    rowChanges.emit(touched.map(({ row }) => row))
    const batch = batches.size > 0 ? batchOf(list, touched, source) : null
    const totalsChanged = totals !== totalsBefore
    const changedKeys = touched
      .filter(({ key, before }) => before === null || before !== snapshots.get(key))
      .map(({ key }) => key)
    notify(() => {
      rowsSettled.emit()
      if (batch) batches.emit(batch)
      if (totalsChanged) totalsChanges.emit()
      for (const key of changedKeys) listeners.get(key)?.emit()
    })
  }

  const refreshUnlisted = (key: ChannelKey): void => {
    if (!rows.has(key)) return
    const before = snapshots.get(key)
    const facts = factsOf(key)
    updateRow(key, facts)
    if (before && updateSnapshot(key, facts) !== before) notify(() => listeners.get(key)?.emit())
  }

  const batchOf = (
    list: readonly ConversationRow[],
    touched: readonly Touched[],
    source: ChangeBatch['source'],
  ): ChangeBatch | null => {
    const changes: ConversationChange[] = []
    // Where several change places, one may pass another and still have its number.
    const areSeveral = touched.filter(({ row }) => changesPlace(row)).length > 1
    for (const { key, registers, before, row, from } of touched) {
      if (!row.after) {
        if (row.before) changes.push({ type: 'removed', key, from })
        continue
      }
      const conversation = snapshot(key)
      const to = findPlace(list, row.after)
      if (!row.before) {
        changes.push({ type: 'added', conversation, to })
        continue
      }
      const fields = before
        ? changedFields(before, conversation)
        : unseenFields(row.before, row.after, registers)
      if (changesPlace(row) && (areSeveral || from !== to)) {
        changes.push({ type: 'moved', conversation, fields, from, to })
      } else if (fields.length > 0) changes.push({ type: 'updated', conversation, fields })
    }
    return changes.length > 0 ? { source, changes } : null
  }

  return {
    get: snapshot,
    facts: factsOf,
    rows: order,
    totals() {
      order()
      return totals
    },
    get isWatched() {
      return rows.size > 0 || ordered !== null
    },
    refresh,
    onBatch(listener) {
      order()
      return batches.subscribe(listener)
    },
    onRowChanges: (listener) => rowChanges.subscribe(listener),
    onRowsSettled: (listener) => rowsSettled.subscribe(listener),
    onTotals(listener) {
      order()
      return totalsChanges.subscribe(listener)
    },
    onConversation(key, listener) {
      snapshot(key)
      const emitter = listeners.get(key) ?? createEmitter<void>(reportError)
      listeners.set(key, emitter)
      const unsubscribe = emitter.subscribe(listener)
      return () => {
        unsubscribe()
        if (listeners.get(key)?.size === 0) listeners.delete(key)
      }
    },
    close() {
      closed = true
      cancelTimer()
    },
  }
}

/** True if a row comes, goes, or stands elsewhere among the rows that did not change. */
function changesPlace({ before, after }: RowChange): boolean {
  return before && after ? compareRows(before, after) !== 0 : before !== after
}

function sameMembers<Members extends object>(a: Members, b: Members): boolean {
  return (Object.keys(a) as Array<keyof Members>).every((member) => a[member] === b[member])
}

/** The members that changed where nobody had looked at the conversation before, so that there is nothing to compare. */
function unseenFields(
  before: ConversationRow,
  after: ConversationRow,
  registers: readonly string[],
): ConversationField[] {
  const fields = new Set<ConversationField>()
  for (const field of ['activeAt', 'unread', 'mentions', 'mutedUntil', 'muted', 'archived'] as const) {
    if (before[field] !== after[field]) fields.add(field)
  }
  if ((before.pin === null) !== (after.pin === null)) fields.add('pinned')
  for (const register of registers) {
    const field = FIELD_OF_REGISTER[splitRegister(register)[0]]
    if (field) fields.add(field)
  }
  return [...fields]
}

/** The member that shows a register directly. */
const FIELD_OF_REGISTER: Readonly<Record<string, ConversationField | undefined>> = {
  head: 'lastMessage',
  read: 'readSeq',
  'unreadMark.': 'markedUnread',
  browseTo: 'browseTo',
  keep: 'keptPosition',
  'x.': 'attributes',
  'reminder.': 'reminders',
  drafts: 'drafts',
}
