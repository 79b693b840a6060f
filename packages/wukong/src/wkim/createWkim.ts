import { type Channel, defaultEnvironment, parseChannelKey, type Store } from '@parley/core'
import { type ConversationManager, createConversationManager } from '../manager/conversationManager.js'
import type { ManagerOptions } from '../manager/options.js'
import type { ResultCallback } from '../manager/providers.js'
import { createReminderManager, type ReminderManager } from '../manager/reminderManager.js'
import { createKeyedListeners, type ListenerOf, methodOf } from './listeners.js'
import {
  toMsgExtra,
  toUIConversationMsg,
  toWKReminder,
  type WKConversationMsgExtra,
  type WKReminder,
  type WKUIConversationMsg,
} from './models.js'

type OnRefresh = (wkUIConversationMsg: WKUIConversationMsg, isEnd: boolean) => void
type OnRefreshList = (list: readonly WKUIConversationMsg[]) => void
type OnDelete = (channelID: string, channelType: number) => void
type OnNewReminder = (list: readonly WKReminder[]) => void
type SyncConversationChat = (
  lastMsgSeqs: string,
  msgCount: number,
  version: number,
  back: ResultCallback & { readonly onBack: ResultCallback },
) => unknown

/** An extra that an Android app saves; what is left out stays as it is. */
export type MsgExtraUpdate = Pick<WKConversationMsgExtra, 'channelID' | 'channelType'> &
  Partial<WKConversationMsgExtra>

/** `WKIM.getInstance().getConversationManager()` of Android, `WKIM.shared.conversationManager` of Flutter. */
export interface WkimConversationManager {
  getAll: () => readonly WKUIConversationMsg[]
  /** Returns `null` for a conversation that is deleted or has no messages. */
  getWithChannel: (channelID: string, channelType: number) => WKUIConversationMsg | null
  /** Deletes a conversation on all devices. Returns false if there is none. */
  deleteWitchChannel: (channelID: string, channelType: number) => boolean
  /** The same as `deleteWitchChannel`, under Flutter's name. */
  deleteMsg: (channelID: string, channelType: number) => boolean
  /** Deletes all conversations. As in the SDKs, no listener is called. */
  clearAll: () => void
  /** Sets the count of a conversation; more than are unread is an unread mark. */
  updateRedDot: (channelID: string, channelType: number, redDot: number) => void
  getAllUnreadCount: () => number
  /** `isEnd` is true for the last of the conversations that changed at once. */
  addOnRefreshMsgListener: (key: string, listener: ListenerOf<'onRefreshConversationMsg', OnRefresh>) => void
  removeOnRefreshMsgListener: (key: string) => void
  /** The same as `removeOnRefreshMsgListener`, under Flutter's name. */
  removeOnRefreshMsg: (key: string) => void
  addOnRefreshMsgListListener: (key: string, listener: ListenerOf<'onRefresh', OnRefreshList>) => void
  removeOnRefreshMsgListListener: (key: string) => void
  addOnDeleteMsgListener: (key: string, listener: ListenerOf<'onDelete', OnDelete>) => void
  removeOnDeleteMsgListener: (key: string) => void
  /** Sets the provider of conversations. `back(null)` is an answer without conversations, as in the SDKs. */
  addOnSyncConversationListener: (listener: ListenerOf<'syncConversationChat', SyncConversationChat>) => void
  getMsgExtraWithChannel: (channelID: string, channelType: number) => WKConversationMsgExtra | null
  updateMsgExtra: (extra: MsgExtraUpdate) => void
  getMsgExtraMaxVersion: () => number
  /** The same as `getMsgExtraMaxVersion`, under Flutter's name. */
  getExtraMaxVersion: () => number
  /** Merges extras as `POST /conversation/extra/sync` answers them. */
  saveSyncMsgExtras: (list: readonly unknown[]) => void
}

/** `WKIM.getInstance().getReminderManager()` of Android, `WKIM.shared.reminderManager` of Flutter. */
export interface WkimReminderManager {
  /** The open reminders of a channel. */
  getReminders: (channelID: string, channelType: number) => readonly WKReminder[]
  getRemindersWithType: (channelID: string, channelType: number, type: number) => readonly WKReminder[]
  /** The reminders of a channel; only open ones (0) or done ones (1) if `done` is given. */
  getWithChannel: (channelID: string, channelType: number, done?: number) => readonly WKReminder[]
  saveOrUpdateReminders: (list: readonly unknown[]) => void
  addOnNewReminderListener: (key: string, listener: ListenerOf<'newReminder', OnNewReminder>) => void
  removeNewReminderListener: (key: string) => void
  /** The same as `removeNewReminderListener`, under Flutter's name. */
  removeOnNewReminderListener: (key: string) => void
  /** The greatest version of all reminders. */
  getMaxVersion: () => number
}

/** The managers of Android's and Flutter's SDK over a store. */
export interface Wkim {
  readonly conversationManager: WkimConversationManager
  readonly reminderManager: WkimReminderManager
  /** `conversationManager`, in Java's way. */
  getConversationManager: () => WkimConversationManager
  /** `reminderManager`, in Java's way. */
  getReminderManager: () => WkimReminderManager
  /** The managers underneath: `connected()`, `receive(messages)`, the providers of the iOS SDK. */
  readonly conversations: ConversationManager
  readonly reminders: ReminderManager
  close: () => void
}

/** How the managers work. */
export interface WkimOptions extends Omit<ManagerOptions, 'emulate' | 'reminders'> {
  /** The SDK whose ways are followed where the two differ; `android` by default. */
  readonly emulate?: 'android' | 'flutter'
}

/** How many messages per conversation the SDKs request. */
const MSG_COUNTS = { android: 10, flutter: 200 } as const

/**
 * Creates the managers of Android's and Flutter's SDK over a store, with their names, for apps and tests that were written
 * for those.
 *
 * @example
 * ```ts
 * import { createStore } from '@parley/core'
 * import { createWkim } from '@parley/wukong'
 *
 * const WKIM = createWkim(createStore({ userId: 'alice' }))
 * WKIM.conversationManager.addOnRefreshMsgListener('list', (conversation, isEnd) => {
 *   if (isEnd) conversation.unreadCount // 1
 * })
 * WKIM.conversations.receive({ message_seq: 1, from_uid: 'bob', channel_id: 'bob', channel_type: 1, timestamp: 1204353600, payload: { type: 1, content: 'Hi' } })
 * WKIM.conversationManager.getAll().length // 1
 * ```
 */
export function createWkim(store: Store, { emulate = 'android', ...options }: WkimOptions = {}): Wkim {
  const { reportError } = { ...defaultEnvironment, ...options.environment }
  const reminders = createReminderManager(store, options)
  const conversations = createConversationManager(store, { ...options, emulate, reminders })
  const conversationManager = createConversations(conversations, MSG_COUNTS[emulate], reportError)
  const reminderManager = createReminders(store, reminders, reportError)
  return {
    conversationManager,
    reminderManager,
    getConversationManager: () => conversationManager,
    getReminderManager: () => reminderManager,
    conversations,
    reminders,
    close() {
      conversations.close()
      reminders.close()
    },
  }
}

function createConversations(
  manager: ConversationManager,
  msgCount: number,
  reportError: (error: unknown) => void,
): WkimConversationManager {
  const refreshes = createKeyedListeners<'onRefreshConversationMsg', OnRefresh>(
    'onRefreshConversationMsg',
    reportError,
  )
  const lists = createKeyedListeners<'onRefresh', OnRefreshList>('onRefresh', reportError)
  const deletions = createKeyedListeners<'onDelete', OnDelete>('onDelete', reportError)

  const refresh = (list: readonly WKUIConversationMsg[]): void => {
    list.forEach((conversation, place) => {
      refreshes.call(conversation, place === list.length - 1)
    })
    if (list.length > 0) lists.call(list)
  }
  const find = (channel: Channel): WKUIConversationMsg | null => {
    const conversation = manager.getConversation(channel)
    return conversation && toUIConversationMsg(conversation)
  }
  const refreshOne = (channel: Channel): void => {
    const conversation = find(channel)
    if (conversation) refresh([conversation])
  }
  manager.addDelegate({
    onConversationUpdate: (changed) => refresh(changed.map(toUIConversationMsg)),
    onConversationDelete: ({ channelId, channelType }) => deletions.call(channelId, channelType),
  })

  const remove = (channelId: string, channelType: number): boolean => {
    const channel = { channelId, channelType }
    if (!manager.getConversation(channel)) return false
    manager.deleteConversation(channel)
    return true
  }
  return {
    getAll: () => manager.getConversationList().map(toUIConversationMsg),
    getWithChannel: (channelId, channelType) => find({ channelId, channelType }),
    deleteWitchChannel: remove,
    deleteMsg: remove,
    clearAll: () => manager.deleteAllConversations(),
    updateRedDot(channelId, channelType, redDot) {
      manager.setConversationUnreadCount({ channelId, channelType }, redDot)
      refreshOne({ channelId, channelType })
    },
    getAllUnreadCount: () => manager.getAllConversationUnreadCount(),
    addOnRefreshMsgListener: refreshes.add,
    removeOnRefreshMsgListener: refreshes.remove,
    removeOnRefreshMsg: refreshes.remove,
    addOnRefreshMsgListListener: lists.add,
    removeOnRefreshMsgListListener: lists.remove,
    addOnDeleteMsgListener: deletions.add,
    removeOnDeleteMsgListener: deletions.remove,
    addOnSyncConversationListener(listener) {
      const sync = methodOf<'syncConversationChat', SyncConversationChat>('syncConversationChat', listener)
      manager.setSyncConversationProviderAndAck((version, lastMsgSeqs, callback) =>
        sync(lastMsgSeqs, msgCount, version, Object.assign(callback, { onBack: callback })),
      )
    },
    getMsgExtraWithChannel(channelId, channelType) {
      const channel = { channelId, channelType }
      const remoteExtra = manager.getConversationExtra(channel)
      return remoteExtra && toMsgExtra({ channel, remoteExtra })
    },
    updateMsgExtra({ channelID, channelType, ...update }) {
      const channel = { channelId: channelID, channelType }
      manager.updateOrAddExtra({ ...update, channel })
      // Without a provider for extras the manager calls no delegate, as the iOS SDK; Android's SDK calls its listeners.
      if (!manager.updateConversationExtraProvider) refreshOne(channel)
    },
    getMsgExtraMaxVersion: () => manager.extraVersion,
    getExtraMaxVersion: () => manager.extraVersion,
    saveSyncMsgExtras: (list) => manager.saveSyncExtras(list),
  }
}

function createReminders(
  store: Store,
  manager: ReminderManager,
  reportError: (error: unknown) => void,
): WkimReminderManager {
  const listeners = createKeyedListeners<'newReminder', OnNewReminder>('newReminder', reportError)
  manager.addRefreshListener((reminders) => listeners.call(reminders.map(toWKReminder)))
  const all = (channelId: string, channelType: number): WKReminder[] =>
    manager.getReminders({ channelId, channelType }).map(toWKReminder)
  const open = (channelID: string, channelType: number): WKReminder[] =>
    all(channelID, channelType).filter(({ done }) => done === 0)
  return {
    getReminders: open,
    getRemindersWithType: (channelID, channelType, type) =>
      open(channelID, channelType).filter((reminder) => reminder.type === type),
    getWithChannel: (channelID, channelType, done) =>
      all(channelID, channelType).filter((reminder) => done === undefined || reminder.done === done),
    saveOrUpdateReminders: (list) => manager.saveReminders(list),
    addOnNewReminderListener: listeners.add,
    removeNewReminderListener: listeners.remove,
    removeOnNewReminderListener: listeners.remove,
    getMaxVersion() {
      const versions = store.keys().flatMap((key) => {
        const { channelId, channelType } = parseChannelKey(key)
        return all(channelId, channelType).map(({ version }) => version)
      })
      return versions.reduce((greatest, version) => Math.max(greatest, version), 0)
    },
  }
}
