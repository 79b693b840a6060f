import {
  type Channel,
  type ChannelKey,
  type Conversation,
  channelKey,
  parseChannelKey,
  type Store,
} from '@parley/core'
import { versionDigits, versionNumber } from '../json/fields.js'
import { isBlankExtra } from '../wire/extra.js'
import { readSyncAnswer } from '../wire/readAnswer.js'
import { readConversation } from '../wire/readConversation.js'
import { readMessage } from '../wire/readMessage.js'
import { callProvider, providerFailed } from './callProvider.js'
import { type ConversationDelegate, createDelegates } from './delegates.js'
import { createExtraSync } from './extraSync.js'
import { listHeld } from './held.js'
import { mergeAnswer } from './mergeAnswer.js'
import {
  isRow,
  toWukongConversation,
  toWukongExtra,
  type WukongConversation,
  type WukongConversationExtra,
} from './model.js'
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
  /** All conversations that have messages, in order: pinned ones first, then the newest activity. */
  getConversationList: () => readonly WukongConversation[]
  /** Takes in a conversation, in any shape of the wire or of the SDKs; one without messages is in no list. */
  addConversation: (conversation: unknown) => void
  /** Returns `null` for a conversation that is deleted or has no messages. */
  getConversation: (channel: Channel) => WukongConversation | null
  /** Those of several channels that there are. */
  getConversations: (channels: readonly Channel[]) => readonly WukongConversation[]
  clearConversationUnreadCount: (channel: Channel) => void
  /** The same as `clearConversationUnreadCount`; the documentation of the SDK calls it so. */
  clearUnreadCount: (channel: Channel) => void
  /** Leaves the newest `count` messages unread; for more than are, a mark is put on. Delegates hear what it came to. */
  setConversationUnreadCount: (channel: Channel, count: number) => void
  deleteConversation: (channel: Channel) => void
  deleteAllConversations: () => void
  /** Takes the last deletion back. */
  recoveryConversation: (channel: Channel) => void
  /** Takes in messages, in any shape of the wire or of the SDKs; those that change no conversation are passed over. */
  receive: (messages: unknown) => void
  /**
   * Saves an extra, calls `onConversationUpdate`, and sends the extra to the provider, at once or when the provider can be
   * reached. For a channel without messages it saves the extra only: no row, no call. The provider gets it with the first
   * message.
   */
  updateOrAddExtra: (extra: ExtraUpdate | null | undefined) => void
  /** Returns the extra of a channel, whether or not it has messages; `null` if nothing was saved. */
  getConversationExtra: (channel: Channel) => WukongConversationExtra | null
  /** Merges extras that the app fetched itself, as `syncExtra` does with those of its provider. */
  saveSyncExtras: (extras: readonly unknown[]) => void
  /** The greatest version of the extras that were merged; beyond 2^53 rounded down. */
  readonly extraVersion: number
  /** Fetches extras, and sends those that changed here. Rejects where the provider fails. */
  syncExtra: () => Promise<void>
  getAllConversationUnreadCount: () => number
  addDelegate: (delegate: ConversationDelegate) => void
  removeDelegate: (delegate: ConversationDelegate) => void
  /** Calls `onConversationUpdate` of every delegate with one conversation, and changes nothing. */
  callOnConversationUpdateDelegate: (conversation: WukongConversation) => void
  /** Calls `onConversationUnreadCountUpdate` of every delegate, and changes nothing. */
  callOnConversationUnreadCountUpdateDelegate: (channel: Channel, unreadCount: number) => void
  /** What `setSyncConversationProviderAndAck` set; `null` before. */
  readonly syncConversationProvider: SyncConversationProvider | null
  /** What `setSyncConversationProviderAndAck` set; `null` before. */
  readonly syncConversationAck: SyncConversationAck | null
  /** What `setSyncConversationExtraProvider` set. May be assigned, as the SDK's property. */
  syncConversationExtraProvider: SyncConversationExtraProvider | null
  /** What `setUpdateConversationExtraProvider` set. May be assigned, as the SDK's property. */
  updateConversationExtraProvider: UpdateConversationExtraProvider | null
  setSyncConversationProviderAndAck: (
    provider: SyncConversationProvider | null,
    ack?: SyncConversationAck | null,
  ) => void
  setSyncConversationExtraProvider: (provider: SyncConversationExtraProvider | null) => void
  setUpdateConversationExtraProvider: (provider: UpdateConversationExtraProvider | null) => void
  /** Call it after every connect and reconnect: syncs, and again after a while where that fails. */
  connected: () => Promise<SyncOutcome>
  /** The same as `connected`; the documentation of the SDK calls it so. */
  syncConversations: () => Promise<SyncOutcome>
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
  const delegates = createDelegates(store, environment.reportError)
  const extras = createExtraSync(store, context, delegates)
  const list = store.list()
  let sync: SyncConversationProvider | null = null
  let acknowledge: SyncConversationAck | null = null
  let beginsAnew = false

  const stopFollowing = store.onChange((batch) => {
    delegates.take(batch)
    const touched = batch.changes.flatMap((change): ChannelKey[] => {
      if (change.type === 'removed') return []
      const { key } = change.conversation
      const isExtra = change.type === 'added' || change.fields.some((field) => EXTRA_FIELDS.has(field))
      // What was saved before the first message waits for it.
      const isFirst =
        change.type !== 'added' && change.fields.includes('lastMessage') && extras.hasUnsent(key)
      return isExtra || isFirst ? [key] : []
    })
    extras.pushSoon(touched)
  })

  const inBackground = (step: () => Promise<unknown>): void => void step().catch(environment.reportError)

  const attempt = async (isCurrent: () => boolean): Promise<'synced' | 'no-provider'> => {
    const call = sync
    if (!call) return 'no-provider'
    const version = beginsAnew ? 0 : store.cursors.get(provider)
    const held = beginsAnew ? '' : listHeld(store, context)
    const { result, version: given } = await callProvider<unknown>(
      call,
      2,
      (callback) => call(versionNumber(version), held, callback, { version: versionDigits(version) }),
      { name: 'The provider that syncs conversations', timeoutMs, environment },
    )
    if (!isCurrent()) return 'synced'
    const answer = readSyncAnswer(result, { me: store.userId, onBadItem: environment.reportError })
    if (answer.uid !== undefined && answer.uid !== '' && answer.uid !== store.userId) {
      throw new Error(`The answer is for ${answer.uid}, and this store is ${store.userId}'s`)
    }
    mergeAnswer(store, { ...answer, version: given }, context, delegates, extras)
    beginsAnew = false
    await context.whenStored()
    if (!isCurrent()) return 'synced'
    // None of these waits for another, and none makes the sync fail.
    const ack = acknowledge
    if (ack) runAck(ack)
    const { reminders } = context
    if (reminders) inBackground(() => reminders.sync())
    inBackground(() => extras.sync())
    return 'synced'
  }
  const runAck = (ack: SyncConversationAck): void => {
    const report = (error: unknown): void =>
      environment.reportError(providerFailed('The ack of the sync', error))
    void (async () => ack(LEGACY_CMD_VERSION, (error) => error && report(error)))().catch(report)
  }
  const loop = createSyncLoop({ ...context, attempt })

  const setUnread = (channel: Channel, count: number): void => {
    const handle = store.conversation(channel)
    delegates.quietly(() => {
      if (count === 0) handle.markRead()
      else if (!handle.getSnapshot().hidden) handle.leaveUnread(count, { told: true })
    })
    const { unread } = handle.getSnapshot()
    callUnreadDelegates(handle.channel, unread)
  }
  const callUnreadDelegates = (channel: Channel, unread: number): void =>
    delegates.tell((delegate) => delegate.onConversationUnreadCountUpdate?.(channel, unread))
  const toModel = (conversation: Conversation): WukongConversation =>
    toWukongConversation(conversation, store.userId)

  return {
    getConversationList: () => list.getSnapshot().conversations.filter(isRow).map(toModel),
    addConversation: (conversation) =>
      store.provide([
        readConversation(conversation, { me: store.userId, onBadMessage: environment.reportError }),
      ]),
    getConversation(channel) {
      const conversation = store.conversation(channel).getSnapshot()
      return isRow(conversation) ? toModel(conversation) : null
    },
    getConversations: (channels) =>
      channels
        .map((channel) => store.conversation(channel).getSnapshot())
        .filter(isRow)
        .map(toModel),
    clearConversationUnreadCount: (channel) => setUnread(channel, 0),
    clearUnreadCount: (channel) => setUnread(channel, 0),
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
      // Without a provider the SDK saves the extra and calls no delegate.
      if (extras.updateProvider) delegates.together([key], () => saveExtra(store, extra))
      else delegates.quietly(() => saveExtra(store, extra))
      inBackground(() => extras.push(key).catch(() => {}))
    },
    getConversationExtra(channel) {
      const extra = toWukongExtra(store.conversation(channel).getSnapshot())
      return isBlankExtra(extra) && Object.keys(extra.extraData).length === 0 ? null : extra
    },
    saveSyncExtras: (values) => extras.save(values),
    get extraVersion() {
      return versionNumber(extras.version)
    },
    syncExtra: () => extras.sync(),
    getAllConversationUnreadCount() {
      const { unread, mutedUnread } = store.totals.getSnapshot()
      return emulate === 'ios' ? unread + mutedUnread : unread
    },
    addDelegate: delegates.add,
    removeDelegate: delegates.remove,
    callOnConversationUpdateDelegate: (conversation) =>
      delegates.tell((delegate) => delegate.onConversationUpdate?.([conversation])),
    callOnConversationUnreadCountUpdateDelegate: callUnreadDelegates,
    get syncConversationProvider() {
      return sync
    },
    get syncConversationAck() {
      return acknowledge
    },
    get syncConversationExtraProvider() {
      return extras.syncProvider
    },
    set syncConversationExtraProvider(next) {
      extras.syncProvider = next
    },
    get updateConversationExtraProvider() {
      return extras.updateProvider
    },
    set updateConversationExtraProvider(next) {
      extras.updateProvider = next
    },
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
    syncConversations: () => loop.request(),
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
