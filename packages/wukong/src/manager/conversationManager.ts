import {
  type Channel,
  type ChannelKey,
  type Conversation,
  channelKey,
  parseChannelKey,
  type Store,
} from '@parley/core'
import { versionDigits, versionNumber } from '../json/fields.js'
import { readSyncAnswer } from '../wire/readAnswer.js'
import { readConversation } from '../wire/readConversation.js'
import { readMessage } from '../wire/readMessage.js'
import { callProvider } from './callProvider.js'
import { type ConversationDelegate, createDelegates } from './delegates.js'
import { createExtraSync } from './extraSync.js'
import { listHeld } from './held.js'
import { mergeAnswer } from './mergeAnswer.js'
import { toWukongConversation, type WukongConversation } from './model.js'
import { type ManagerOptions, resolveOptions } from './options.js'
import type {
  SyncConversationAck,
  SyncConversationExtraProvider,
  SyncConversationProvider,
  UpdateConversationExtraProvider,
} from './providers.js'
import { type ExtraUpdate, saveExtra } from './saveExtra.js'
import { createSyncLoop, type SyncOutcome } from './syncLoop.js'

/** The conversations of a store with the API of the iOS SDK's `WKConversationManager`. */
export interface ConversationManager {
  /** All conversations in order: pinned ones first, then the newest activity. */
  getConversationList: () => readonly WukongConversation[]
  /** Takes in a conversation, in any shape of the wire or of the SDKs; one without messages is in no list. */
  addConversation: (conversation: unknown) => void
  /** `null` for one that is deleted, or of which nothing is known. */
  getConversation: (channel: Channel) => WukongConversation | null
  /** Those of several channels that there are. */
  getConversations: (channels: readonly Channel[]) => readonly WukongConversation[]
  clearConversationUnreadCount: (channel: Channel) => void
  /** Leaves the newest `count` messages unread; for more than are, a mark is put on. Delegates hear what it came to. */
  setConversationUnreadCount: (channel: Channel, count: number) => void
  deleteConversation: (channel: Channel) => void
  deleteAllConversations: () => void
  /** Takes the last deletion back. */
  recoveryConversation: (channel: Channel) => void
  /** Takes in messages, in any shape of the wire or of the SDKs; those that change no conversation are passed over. */
  receive: (messages: unknown) => void
  /** Saves an extra here, tells the delegates, and sends it to the provider, now or when it can be reached. */
  updateOrAddExtra: (extra: ExtraUpdate | null | undefined) => void
  /** Fetches extras, and sends those that changed here. Rejects where the provider fails. */
  syncExtra: () => Promise<void>
  getAllConversationUnreadCount: () => number
  addDelegate: (delegate: ConversationDelegate) => void
  removeDelegate: (delegate: ConversationDelegate) => void
  setSyncConversationProviderAndAck: (
    provider: SyncConversationProvider | null,
    ack?: SyncConversationAck | null,
  ) => void
  setSyncConversationExtraProvider: (provider: SyncConversationExtraProvider | null) => void
  setUpdateConversationExtraProvider: (provider: UpdateConversationExtraProvider | null) => void
  /** Call it after every connect and reconnect: syncs, and again after a while where that fails. */
  connected: () => Promise<SyncOutcome>
  /** Call it when the connection is lost: stops asking again. */
  disconnected: () => void
  /** True from the request until it is answered or given up. */
  readonly isSyncing: boolean
  close: () => void
}

/**
 * Creates the conversation manager of a store: what an app built on WuKongIM calls, over data that several devices share.
 *
 * @example
 * ```ts
 * import { createStore } from '@parley/core'
 * import { createConversationManager } from '@parley/wukong'
 *
 * const store = createStore({ userId: 'alice' })
 * const manager = createConversationManager(store)
 * manager.setSyncConversationProviderAndAck(async (version, lastMsgSeqs) => [
 *   { channel_id: 'bob', channel_type: 1, unread: 1, last_msg_seq: 1, version: 7, recents: [
 *     { message_seq: 1, from_uid: 'bob', channel_id: 'bob', channel_type: 1, timestamp: 1204353600, payload: { type: 1, content: 'Hi' } },
 *   ] },
 * ])
 * await manager.connected() // 'synced'
 * manager.getConversationList()[0]?.unreadCount // 1
 * ```
 */
export function createConversationManager(store: Store, options: ManagerOptions = {}): ConversationManager {
  const context = resolveOptions(options)
  const { provider, environment, timeoutMs, emulate } = context
  const toModel = (conversation: Conversation): WukongConversation =>
    toWukongConversation(conversation, store.userId)
  const delegates = createDelegates(toModel, environment.reportError)
  const extras = createExtraSync(store, context, delegates)
  const list = store.list()
  let sync: SyncConversationProvider | null = null
  let acknowledge: SyncConversationAck | null = null
  let beginsAnew = false

  const stopFollowing = store.onChange((batch) => {
    delegates.take(batch)
    const touched = batch.changes.flatMap((change): ChannelKey[] => {
      if (change.type === 'removed') return []
      const isExtra = change.type === 'added' || change.fields.some((field) => EXTRA_FIELDS.has(field))
      return isExtra ? [change.conversation.key] : []
    })
    extras.pushSoon(touched)
  })

  const inBackground = (step: () => Promise<unknown>): void => void step().catch(environment.reportError)

  const attempt = async (isCurrent: () => boolean): Promise<'synced' | 'no-provider'> => {
    const call = sync
    if (!call) return 'no-provider'
    const version = beginsAnew ? 0 : store.cursors.get(provider)
    const held = beginsAnew ? '' : listHeld(store, context)
    const raw = await callProvider<unknown>(
      call,
      2,
      (callback) => call(versionNumber(version), held, callback, { version: versionDigits(version) }),
      { name: 'The provider that syncs conversations', timeoutMs, environment },
    )
    if (!isCurrent()) return 'synced'
    const answer = readSyncAnswer(raw, { me: store.userId, onBadItem: environment.reportError })
    if (answer.uid !== undefined && answer.uid !== '' && answer.uid !== store.userId) {
      throw new Error(`The answer is for ${answer.uid}, and this store is ${store.userId}'s`)
    }
    mergeAnswer(store, answer, context, delegates, extras)
    beginsAnew = false
    await context.whenStored()
    if (!isCurrent()) return 'synced'
    // None of these waits for another, and none makes the sync fail.
    const ack = acknowledge
    if (ack)
      inBackground(async () => ack(LEGACY_CMD_VERSION, (error) => error && environment.reportError(error)))
    const { reminders } = context
    if (reminders) inBackground(() => reminders.sync())
    inBackground(() => extras.sync())
    return 'synced'
  }
  const loop = createSyncLoop({ ...context, attempt })

  const setUnread = (channel: Channel, count: number): void => {
    const handle = store.conversation(channel)
    delegates.quietly(() => {
      if (count === 0) handle.markRead()
      else if (!handle.getSnapshot().hidden) handle.leaveUnread(count, { told: true })
    })
    const { unread } = handle.getSnapshot()
    delegates.tell((delegate) => delegate.onConversationUnreadCountUpdate?.(handle.channel, unread))
  }

  return {
    getConversationList: () => list.getSnapshot().conversations.map(toModel),
    addConversation: (conversation) =>
      store.provide([
        readConversation(conversation, { me: store.userId, onBadMessage: environment.reportError }),
      ]),
    getConversation(channel) {
      const conversation = store.conversation(channel).getSnapshot()
      return conversation.hidden ? null : toModel(conversation)
    },
    getConversations: (channels) =>
      channels
        .map((channel) => store.conversation(channel).getSnapshot())
        .filter(({ hidden }) => !hidden)
        .map(toModel),
    clearConversationUnreadCount: (channel) => setUnread(channel, 0),
    setConversationUnreadCount: setUnread,
    deleteConversation(channel) {
      const handle = store.conversation(channel)
      delegates.quietly(() => {
        if (!handle.getSnapshot().hidden) handle.delete()
      })
      delegates.tell((delegate) => delegate.onConversationDelete?.(handle.channel))
    },
    deleteAllConversations() {
      delegates.quietly(() =>
        store.transact(() => {
          for (const key of store.keys()) {
            const handle = store.conversation(parseChannelKey(key))
            if (!handle.getSnapshot().hidden) handle.delete()
          }
        }),
      )
      beginsAnew = true
      delegates.tell((delegate) => delegate.onConversationAllDelete?.())
    },
    recoveryConversation: (channel) => store.conversation(channel).restore(),
    receive(messages) {
      const values = Array.isArray(messages) ? messages : [messages]
      const read = values.flatMap((value, index) => {
        try {
          const message = readMessage(value, { me: store.userId, field: `messages[${index}]` })
          return typeof message === 'string' ? [] : [message]
        } catch (error) {
          environment.reportError(error)
          return []
        }
      })
      if (read.length > 0) store.receive(read)
    },
    updateOrAddExtra(extra) {
      if (!extra) return
      const key = channelKey(extra.channel)
      // Without a provider the SDK keeps it and tells nobody.
      if (extras.updateProvider) delegates.together([key], () => saveExtra(store, extra))
      else delegates.quietly(() => saveExtra(store, extra))
      inBackground(() => extras.push(key).catch(() => {}))
    },
    syncExtra: () => extras.sync(),
    getAllConversationUnreadCount() {
      const { unread, mutedUnread } = store.totals.getSnapshot()
      return emulate === 'ios' ? unread + mutedUnread : unread
    },
    addDelegate: delegates.add,
    removeDelegate: delegates.remove,
    setSyncConversationProviderAndAck(next, ack = null) {
      sync = next
      acknowledge = ack
    },
    setSyncConversationExtraProvider(next) {
      extras.syncProvider = next
    },
    setUpdateConversationExtraProvider(next) {
      extras.updateProvider = next
    },
    connected: () => loop.request(),
    disconnected: () => loop.stop(),
    get isSyncing() {
      return loop.isRunning
    },
    close() {
      loop.stop()
      extras.close()
      stopFollowing()
      list.close()
    },
  }
}

/** The SDK has never sent another one. */
const LEGACY_CMD_VERSION = 0

/** The members of a conversation that a provider is sent. */
const EXTRA_FIELDS: ReadonlySet<string> = new Set(['drafts', 'keptPosition', 'browseTo'])
