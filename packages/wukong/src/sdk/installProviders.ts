import { type Channel, type ChannelKey, channelKey, parseChannelKey, type Store } from '@parley/core'
import { selectExtras, selectReminders } from '../versions/select.js'
import { rebuildVersionIndex } from '../versions/versionIndex.js'
import { extraOf } from '../wire/extra.js'
import { readMessage } from '../wire/readMessage.js'
import { fromReminder } from '../wire/reminder.js'
import { createSdkFactory } from './toSdk.js'
import { ACTIONS, type SdkChannel, type SdkConversation, type SdkMessage, type SdkModule } from './types.js'

/** What binds an SDK to a store until it is closed. */
export interface InstalledProviders {
  /** Takes the bindings off; the SDK keeps the conversations it has. */
  close: () => void
}

/**
 * Makes a store the server of the npm package wukongimjssdk: its conversation list, extras and reminders come from the store,
 * with instances of its own classes; messages it receives go into the store; its listeners hear of what other devices do.
 * Setting `unread` to 0 and notifying, as its apps do to clear a count, reads the conversation on all devices.
 *
 * @param sdk the module: `import * as sdk from 'wukongimjssdk/lib/sdk'`
 */
export function installProviders(sdk: SdkModule, store: Store): InstalledProviders {
  const shared = sdk.WKSDK.shared()
  const { conversationManager, chatManager, config } = shared
  const { provider } = config
  const make = createSdkFactory(sdk)
  const snapshot = (key: ChannelKey) => store.conversation(parseChannelKey(key)).getSnapshot()
  // Versions of this page's own: the SDK forgets its cursors with the page.
  const index = rebuildVersionIndex(1, store.keys().map(snapshot))
  let isOurs = false

  const notify = (conversation: SdkConversation, action: number): void => {
    isOurs = true
    try {
      conversationManager.notifyConversationListeners(conversation, action)
    } finally {
      isOurs = false
    }
  }

  const stopIndexing = store.onTouch((keys) => {
    index.integrate(index.head + 1, [...keys].map(snapshot))
  })
  const list = store.list()
  const stopFollowing = store.onChange(({ changes }) => {
    for (const change of changes) {
      if (change.type === 'removed') {
        const channel = make.channel(parseChannelKey(change.key))
        isOurs = true
        conversationManager.removeConversation(channel)
        isOurs = false
        continue
      }
      const { conversation } = change
      // Its lists hold conversations with messages; drafts elsewhere come as extras.
      if (!conversation.lastMessage || conversation.archived) continue
      const known = conversationManager.findConversation(make.channel(conversation.channel))
      const next = make.conversation(conversation, known)
      if (!known) conversationManager.conversations = [next, ...conversationManager.conversations]
      notify(next, known ? ACTIONS.update : ACTIONS.add)
    }
  })

  const onConversation = (conversation: SdkConversation, action: number): void => {
    if (isOurs) return
    const channel = toChannel(conversation.channel)
    if (channel === null) return
    const handle = store.conversation(channel)
    if (action === ACTIONS.remove) handle.delete()
    else if (conversation.unread === 0 && handle.getSnapshot().unread > 0) handle.markRead()
  }

  /** Puts right what the SDK made of a message by itself: it moves back for one that is late, and tells '2' from 2. */
  const repair = (channel: Channel): void => {
    conversationManager.conversations = conversationManager.conversations.filter(
      (other) => typeof other.channel.channelType === 'number',
    )
    const known = conversationManager.findConversation(make.channel(channel))
    const { lastMessage, unread } = store.conversation(channel).getSnapshot()
    if (!known || !lastMessage) return
    if (known.unread === unread && known.lastMessage?.messageSeq === lastMessage.messageSeq) return
    notify(make.conversation(store.conversation(channel).getSnapshot(), known), ACTIONS.update)
  }

  const onMessage = (message: SdkMessage): void => {
    // One's own, on its way: it has no number yet.
    if (!message.messageSeq) return
    const { content, contentType } = message
    const payload = content.contentObj ?? { ...content.encodeJSON(), type: contentType }
    const read = readMessage({ ...message, content: undefined, payload }, { me: store.userId })
    if (typeof read === 'string') return
    const open = conversationManager.openConversation
    store.transact(() => {
      store.receive(read)
      // What comes in while it is looked at raises no badge.
      if (open && channelKeyOf(open.channel) === channelKey(read.channel)) {
        store.conversation(read.channel).markRead(read.messageSeq)
      }
    })
    repair(read.channel)
  }

  const before = { ...provider }
  provider.syncConversationsCallback = async () =>
    list
      .getSnapshot()
      .conversations.filter(({ lastMessage }) => lastMessage !== null)
      .map((conversation) => make.conversation(conversation))
  provider.syncConversationExtrasCallback = async (version) =>
    selectExtras(index, version).map((item) => make.extra(extraOf(snapshot(item.key), item.version)))
  provider.syncRemindersCallback = async (version) =>
    selectReminders(index, version).flatMap((item) => {
      const { reminders, channel } = snapshot(item.key)
      return (
        reminders
          // One that begins anew gets the open ones, as from TangSengDaoDao's server.
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
  chatManager.addMessageListener(onMessage)
  conversationManager.addConversationListener(onConversation)

  return {
    close() {
      Object.assign(provider, before)
      chatManager.removeMessageListener(onMessage)
      conversationManager.removeConversationListener(onConversation)
      stopIndexing()
      stopFollowing()
      list.close()
    },
  }
}

/** The channel of an SDK's object; `null` for one that no conversation can have. */
function toChannel({ channelID, channelType }: SdkChannel): Channel | null {
  const channel = { channelId: channelID, channelType: Number(channelType) }
  try {
    channelKey(channel)
    return channel
  } catch {
    return null
  }
}

function channelKeyOf(channel: SdkChannel): ChannelKey | null {
  const known = toChannel(channel)
  return known && channelKey(known)
}
