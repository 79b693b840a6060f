import {
  type ChangeBatch,
  type Channel,
  type ChannelKey,
  type Conversation,
  type ConversationChange,
  type ConversationField,
  createEmitter,
  parseChannelKey,
  type Store,
} from '@parley/core'
import { isRow, toWukongConversation, type WukongConversation } from './model.js'

/** What an app implements to hear of changes, whoever made them. Every member may be left out. */
export interface ConversationDelegate {
  /**
   * One conversation that was not in the list before, as the SDK's documentation has it. The SDK itself never calls it, so
   * {@link ConversationDelegate.onConversationUpdate} follows with the same conversation.
   */
  readonly onConversationAdd?: (conversation: WukongConversation) => void
  /** Rows that are new or changed. */
  readonly onConversationUpdate?: (conversations: readonly WukongConversation[]) => void
  readonly onConversationUnreadCountUpdate?: (channel: Channel, unreadCount: number) => void
  readonly onConversationDelete?: (channel: Channel) => void
  readonly onConversationAllDelete?: () => void
}

/** What the delegates of a manager are told, and when. */
export interface Delegates {
  add: (delegate: ConversationDelegate) => void
  remove: (delegate: ConversationDelegate) => void
  /** Calls one callback of each. */
  tell: (call: (delegate: ConversationDelegate) => void) => void
  /** Takes in what a transaction changed. */
  take: (batch: ChangeBatch) => void
  /** Does something without telling of the changes it makes. */
  quietly: (action: () => void) => void
  /** Does something that takes several transactions, and tells of it once, in the order of `keys`. */
  together: (keys: readonly ChannelKey[], action: () => void) => void
}

/** What reading does to a conversation, and nothing else. */
const READING: ReadonlySet<ConversationField> = new Set(['unread', 'readSeq', 'markedUnread', 'mentions'])

interface Pending {
  readonly added: Map<ChannelKey, Conversation>
  readonly changed: Map<ChannelKey, Conversation>
  readonly removed: Set<ChannelKey>
  readonly read: Map<ChannelKey, Conversation>
}

/** Creates the {@link Delegates} of a manager. */
export function createDelegates(store: Store, reportError: (error: unknown) => void): Delegates {
  const toModel = (conversation: Conversation): WukongConversation =>
    toWukongConversation(conversation, store.userId)
  const subscriptions = new Map<ConversationDelegate, () => void>()
  const emitter = createEmitter<(delegate: ConversationDelegate) => void>(reportError)
  /** Conversations that have a draft and no message: the store lists them, the SDKs do not. */
  const draftsOnly = new Set<ChannelKey>()
  let isQuiet = false
  let collected: Pending | null = null

  const tell = (call: (delegate: ConversationDelegate) => void): void => emitter.emit(call)

  const noteDraftsOnly = (): void => {
    for (const key of store.keys()) {
      const { hidden, lastMessage } = store.conversation(parseChannelKey(key)).getSnapshot()
      if (!hidden && lastMessage === null) draftsOnly.add(key)
    }
  }

  /** What a batch changed in the list as the SDKs have it. */
  const changesOfRows = ({ changes }: ChangeBatch): ConversationChange[] =>
    changes.flatMap((change): ConversationChange[] => {
      if (change.type === 'removed') {
        draftsOnly.delete(change.key)
        const { lastMessage } = store.conversation(parseChannelKey(change.key)).getSnapshot()
        return lastMessage === null ? [] : [change]
      }
      const { conversation } = change
      if (!isRow(conversation)) {
        draftsOnly.add(conversation.key)
        return []
      }
      return draftsOnly.delete(conversation.key) ? [{ type: 'added', conversation, to: 0 }] : [change]
    })

  const note = (
    pending: Pending,
    changes: readonly ConversationChange[],
    source: ChangeBatch['source'],
  ): void => {
    for (const change of changes) {
      if (change.type === 'removed') {
        pending.changed.delete(change.key)
        // What came and went within one answer was never seen.
        if (!pending.added.delete(change.key)) pending.removed.add(change.key)
        continue
      }
      const { conversation } = change
      pending.changed.set(conversation.key, conversation)
      if (change.type === 'added') {
        if (!pending.removed.delete(conversation.key)) pending.added.set(conversation.key, conversation)
      } else if (
        source === 'remote' &&
        change.fields.includes('unread') &&
        change.fields.every((f) => READING.has(f))
      ) {
        pending.read.set(conversation.key, conversation)
      }
    }
  }

  const flush = ({ added, changed, removed, read }: Pending, order: readonly ChannelKey[] = []): void => {
    const places = new Map(order.map((key, place) => [key, place]))
    const placeOf = ({ key }: Conversation): number => places.get(key) ?? order.length
    const rows = [...changed.values()].sort((a, b) => placeOf(a) - placeOf(b))
    const models = rows.map(toModel)
    const fresh = rows.filter(({ key }) => added.has(key)).map(toModel)
    for (const model of fresh) tell((delegate) => delegate.onConversationAdd?.(model))
    if (models.length > 0) tell((delegate) => delegate.onConversationUpdate?.(models))
    for (const { channel, unread } of read.values()) {
      tell((delegate) => delegate.onConversationUnreadCountUpdate?.(channel, unread))
    }
    for (const key of removed) tell((delegate) => delegate.onConversationDelete?.(parseChannelKey(key)))
  }

  return {
    add(delegate) {
      // Only who is called for additions needs to know which conversations were listed without a message.
      if (delegate.onConversationAdd) noteDraftsOnly()
      if (!subscriptions.has(delegate))
        subscriptions.set(
          delegate,
          emitter.subscribe((call) => call(delegate)),
        )
    },
    remove(delegate) {
      subscriptions.get(delegate)?.()
      subscriptions.delete(delegate)
    },
    tell,
    take(batch) {
      const changes = changesOfRows(batch)
      if (isQuiet || changes.length === 0) return
      const pending = collected ?? newPending()
      note(pending, changes, batch.source)
      if (!collected) flush(pending)
    },
    quietly(action) {
      const before = isQuiet
      isQuiet = true
      try {
        action()
      } finally {
        isQuiet = before
      }
    },
    together(keys, action) {
      if (collected) return action()
      const pending = newPending()
      collected = pending
      try {
        action()
      } finally {
        collected = null
        flush(pending, keys)
      }
    },
  }
}

function newPending(): Pending {
  return { added: new Map(), changed: new Map(), removed: new Set(), read: new Map() }
}
