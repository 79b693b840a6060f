import { parseChannelKey } from '../conversation/channel.js'
import type { Conversation, ConversationRow } from '../conversation/conversation.js'
import { createEmitter } from '../emitter.js'
import { type RowChange, updateRows } from './order.js'

/** Which conversations a list shows. What is left out does not restrict it. */
export interface ListFilter {
  /** Archived ones, the others (the default), or both. */
  readonly archived?: boolean | 'any'
  readonly unread?: boolean
  readonly pinned?: boolean
  readonly muted?: boolean
  readonly channelTypes?: readonly number[]
  /** Any test of the app's own, such as a search by name. Must depend on the conversation only. */
  readonly match?: (conversation: Conversation) => boolean
}

/** The part of a list that is looked at. */
export interface ListWindow {
  readonly offset: number
  readonly limit: number
}

/** What a list shows now. Immutable; the same object as long as nothing in it changed. */
export interface ListSnapshot {
  /** The conversations of the window, in order: pinned ones first, then the newest activity first. */
  readonly conversations: readonly Conversation[]
  readonly offset: number
  /** How many conversations the filter lets through. */
  readonly total: number
}

/** An ordered, filtered and windowed view of the conversations. */
export interface ListView {
  /** Calls `listener` after each change of the snapshot until the returned function is called. */
  subscribe: (listener: () => void) => () => void
  getSnapshot: () => ListSnapshot
  setWindow: (window: ListWindow) => void
  setFilter: (filter: ListFilter) => void
  /** Stops following the store. */
  close: () => void
}

/** What a list view needs of the store's conversations. */
export interface ListSource {
  rows: () => readonly ConversationRow[]
  get: (row: ConversationRow) => Conversation
  onRowChanges: (listener: (changes: readonly RowChange[]) => void) => () => void
  onRowsSettled: (listener: () => void) => () => void
  reportError: (error: unknown) => void
}

/** Creates a {@link ListView}. */
export function createListView(
  source: ListSource,
  initialFilter: ListFilter,
  initialWindow: ListWindow,
): ListView {
  const changed = createEmitter<void>(source.reportError)
  let filter = initialFilter
  let window = initialWindow
  let rows: ConversationRow[] | null = null
  let snapshot: ListSnapshot | null = null

  const accepts = (row: ConversationRow): boolean =>
    passes(row, filter) && (filter.match?.(source.get(row)) ?? true)
  const filtered = (): ConversationRow[] => {
    rows ??= source.rows().filter(accepts)
    return rows
  }
  const read = (): ListSnapshot => {
    const all = filtered()
    const conversations = all.slice(window.offset, window.offset + window.limit).map(source.get)
    const previous = snapshot
    if (
      previous &&
      previous.total === all.length &&
      previous.offset === window.offset &&
      sameElements(previous.conversations, conversations)
    ) {
      return previous
    }
    return { conversations, offset: window.offset, total: all.length }
  }
  const refresh = (): void => {
    const next = read()
    if (next === snapshot) return
    snapshot = next
    changed.emit()
  }
  const stopFollowing = source.onRowChanges((changes) => {
    if (!rows) return
    const accepted = rows
    // Filtered anew if the app's own test throws.
    rows = null
    updateRows(
      accepted,
      changes.map(({ before, after }) => ({
        before,
        after: after && accepts(after) ? after : null,
      })),
    )
    rows = accepted
  })
  const stopTelling = source.onRowsSettled(() => {
    if (snapshot) refresh()
  })

  return {
    subscribe: (listener) => {
      // Nothing is compared with before somebody has looked.
      snapshot ??= read()
      return changed.subscribe(listener)
    },
    getSnapshot: () => {
      snapshot ??= read()
      return snapshot
    },
    setWindow(next) {
      if (next.offset === window.offset && next.limit === window.limit) return
      window = next
      if (snapshot) refresh()
    },
    setFilter(next) {
      filter = next
      rows = null
      if (snapshot) refresh()
    },
    close() {
      stopFollowing()
      stopTelling()
    },
  }
}

function passes(
  row: ConversationRow,
  { archived = false, unread, pinned, muted, channelTypes }: ListFilter,
): boolean {
  if (!row.listed) return false
  if (archived !== 'any' && row.archived !== archived) return false
  if (unread !== undefined && row.unread > 0 !== unread) return false
  if (pinned !== undefined && (row.pin !== null) !== pinned) return false
  if (muted !== undefined && row.muted !== muted) return false
  return !channelTypes || channelTypes.includes(parseChannelKey(row.key).channelType)
}

function sameElements(a: readonly Conversation[], b: readonly Conversation[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index])
}
