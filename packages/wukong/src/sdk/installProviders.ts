import {
  type Channel,
  type ChannelKey,
  type Conversation,
  channelKey,
  defaultEnvironment,
  type Environment,
  type Message,
  parseChannelKey,
  type Store,
} from '@parley/core'
import { selectExtras, selectReminders } from '../versions/select.js'
import { rebuildVersionIndex } from '../versions/versionIndex.js'
import { extraOf } from '../wire/extra.js'
import { fromReminder } from '../wire/reminder.js'
import { addDocumentedNames } from './documentedNames.js'
import { override } from './override.js'
import { readReceived, toChannel } from './readReceived.js'
import { createSdkFactory } from './toSdk.js'
import {
  ACTIONS,
  type SdkChannel,
  type SdkConversation,
  type SdkMessage,
  type SdkModule,
  type SdkSendAck,
} from './types.js'

/** What binds an SDK to a store until it is closed. */
export interface InstalledProviders {
  /** Removes the bindings; the SDK keeps the conversations it has. */
  close: () => void
}

/** How providers are installed. */
export interface InstallOptions {
  /** Takes what went wrong with a message that the SDK received; written to the console by default. */
  readonly environment?: Partial<Pick<Environment, 'reportError'>>
}

/** `ReasonCode` of the package for a message that the IM server accepted. */
const ACCEPTED = 1

/**
 * Makes a store the server of the npm package wukongimjssdk: its conversation list, extras and reminders come from the store,
 * with instances of its own classes, and its listeners are called for what other devices do. Messages it receives or sends
 * go into the store, which decides count, order and newest message.
 *
 * An app clears or sets a count in the SDK's way: it assigns `conversation.unread` and calls `notifyConversationListeners`.
 *
 * @param sdk the module: `import * as sdk from 'wukongimjssdk/lib/sdk'`
 */
export function installProviders(
  sdk: SdkModule,
  store: Store,
  options: InstallOptions = {},
): InstalledProviders {
  const { reportError } = { ...defaultEnvironment, ...options.environment }
  const shared = sdk.WKSDK.shared()
  const { conversationManager, chatManager, config } = shared
  const { provider } = config
  const make = createSdkFactory(sdk)
  const snapshot = (key: ChannelKey) => store.conversation(parseChannelKey(key)).getSnapshot()
  // Versions of this page's own: the SDK forgets its cursors with the page.
  const index = rebuildVersionIndex(1, store.keys().map(snapshot))
  /** True while the SDK's listeners are called by this adapter or by the SDK, and not by the app. */
  let isOurs = false
  /** The conversation whose count the app is setting, and the count. */
  let setting: { readonly key: ChannelKey; readonly unread: number } | null = null
  /** The message that is being put into the store, as the SDK has it. */
  let arriving: SdkMessage | undefined
  const sending = new Map<number, SdkMessage>()

  const asOurs = <Result>(action: () => Result): Result => {
    const before = isOurs
    isOurs = true
    try {
      return action()
    } finally {
      isOurs = before
    }
  }
  const notify = (conversation: SdkConversation, action: number): void =>
    asOurs(() => conversationManager.notifyConversationListeners(conversation, action))

  const show = (conversation: Conversation): void => {
    const known = conversationManager.findConversation(make.channel(conversation.channel))
    const next = make.conversation(conversation, known, arriving)
    if (!known) conversationManager.conversations = [next, ...conversationManager.conversations]
    // The app calls the listeners itself for a count that it sets.
    const isSet = setting?.key === conversation.key && setting.unread === conversation.unread
    if (!isSet) notify(next, known ? ACTIONS.update : ACTIONS.add)
  }
  const hide = (channel: Channel): void =>
    asOurs(() => conversationManager.removeConversation(make.channel(channel)))

  const stopIndexing = store.onTouch((keys) => {
    index.integrate(index.head + 1, [...keys].map(snapshot))
  })
  const list = store.list()
  const stopFollowing = store.onChange(({ changes }) => {
    for (const change of changes) {
      if (change.type === 'removed') hide(parseChannelKey(change.key))
      // Its lists hold conversations with messages; drafts elsewhere come as extras.
      else if (isShown(change.conversation)) show(change.conversation)
      else hide(change.conversation.channel)
    }
  })

  /** Sets the count of a conversation as the app did; the store may come to another one. */
  const setUnread = (conversation: SdkConversation, channel: Channel): void => {
    const handle = store.conversation(channel)
    const { unread } = conversation
    const before = handle.getSnapshot()
    if (unread === before.unread || before.hidden) return
    setting = { key: handle.key, unread }
    try {
      if (unread === 0) handle.markRead()
      else if (Number.isSafeInteger(unread) && unread > 0) handle.leaveUnread(unread)
    } finally {
      setting = null
    }
    const after = handle.getSnapshot()
    if (after === before && isShown(after)) show(after)
  }

  const onConversation = (conversation: SdkConversation, action: number): void => {
    if (isOurs) return
    const channel = toChannel(conversation.channel)
    if (channel === null) return
    if (action === ACTIONS.remove) store.conversation(channel).delete()
    else if (action === ACTIONS.update) setUnread(conversation, channel)
  }

  const take = (message: SdkMessage, read: Message): void => {
    const open = conversationManager.openConversation
    arriving = message
    try {
      store.transact(() => {
        store.receive(read)
        // What comes in while it is looked at raises no badge.
        if (open && channelKeyOf(open.channel) === channelKey(read.channel)) {
          store.conversation(read.channel).markRead(read.messageSeq)
        }
      })
    } finally {
      arriving = undefined
    }
  }

  /** In the place of the SDK's own method, which counts by itself, moves back for a late message, and tells '2' from 2. */
  const onMessage = (message: SdkMessage): void => {
    if (!message.messageSeq) {
      // One's own, on its way: the IM server has not numbered it yet.
      if (message.clientSeq) sending.set(message.clientSeq, message)
      asOurs(() => updateOrAdd.call(conversationManager, message))
      return
    }
    try {
      const read = readReceived(message, store.userId)
      if (read) take(message, read)
    } catch (error) {
      reportError(error)
    }
  }
  const onSendAck = ({ clientSeq, messageSeq, messageID, reasonCode }: SdkSendAck): void => {
    const message = sending.get(clientSeq)
    sending.delete(clientSeq)
    if (!message || reasonCode !== ACCEPTED || !messageSeq) return
    try {
      const numbered = { messageSeq, messageID: String(messageID), contentType: message.contentType }
      const read = readReceived({ ...message, ...numbered }, store.userId)
      if (read) take(Object.assign(message, { messageSeq, messageID: String(messageID) }), read)
    } catch (error) {
      reportError(error)
    }
  }
  /** The SDK's own method leaves the count undefined, and version 1.0.4 leaves the conversation out of the list. */
  const createEmpty = (channel: SdkChannel): SdkConversation => {
    if (conversationManager.findConversation(channel)) {
      return asOurs(() => createEmptyConversation.call(conversationManager, channel))
    }
    const conversation = new sdk.Conversation()
    conversation.channel = channel
    conversation.unread = 0
    conversation.timestamp = Math.floor(Date.now() / 1000)
    conversationManager.conversations = [conversation, ...conversationManager.conversations]
    notify(conversation, ACTIONS.add)
    return conversation
  }

  const before = { ...provider }
  provider.syncConversationsCallback = async () =>
    list
      .getSnapshot()
      .conversations.filter(isShown)
      .map((conversation) => make.conversation(conversation))
  provider.syncConversationExtrasCallback = async (version) =>
    selectExtras(index, version).map((item) => make.extra(extraOf(snapshot(item.key), item.version)))
  provider.syncRemindersCallback = async (version) =>
    selectReminders(index, version).flatMap((item) => {
      const { reminders, channel } = snapshot(item.key)
      return (
        reminders
          // A request from 0 gets the open ones, as from TangSengDaoDao's server.
          .filter(({ done }) => version > 0 || !done)
          .map((reminder) => make.reminder({ ...fromReminder(reminder, channel), version: item.version }))
      )
    })
  provider.reminderDoneCallback = async (ids) => {
    const wanted = new Set(ids.map(String))
    store.transact(() => {
      for (const key of store.keys()) {
        for (const { reminderId, done } of snapshot(key).reminders) {
          if (wanted.has(reminderId) && !done)
            store.conversation(parseChannelKey(key)).completeReminder(reminderId)
        }
      }
    })
  }
  const { updateOrAddConversation: updateOrAdd, createEmptyConversation } = conversationManager
  const restoreUpdate = override(conversationManager, 'updateOrAddConversation', onMessage)
  const restoreCreate = override(conversationManager, 'createEmptyConversation', createEmpty)
  const removeNames = addDocumentedNames(sdk, conversationManager)
  chatManager.addMessageStatusListener(onSendAck)
  conversationManager.addConversationListener(onConversation)

  return {
    close() {
      Object.assign(provider, before)
      restoreUpdate()
      restoreCreate()
      removeNames()
      chatManager.removeMessageStatusListener(onSendAck)
      conversationManager.removeConversationListener(onConversation)
      stopIndexing()
      stopFollowing()
      list.close()
    },
  }
}

/** True for what belongs into the SDK's list. */
function isShown({ lastMessage, archived, hidden }: Conversation): boolean {
  return lastMessage !== null && !archived && !hidden
}

function channelKeyOf(channel: SdkChannel): ChannelKey | null {
  const known = toChannel(channel)
  return known && channelKey(known)
}
