import { createStore, type Store } from '@parley/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as sdk from 'wukongimjssdk/lib/sdk.js'
import { type InstalledProviders, installProviders } from '../../src/index.js'
import { g1, u1, u9, wireMessage } from '../support/app.js'

// The JavaScript SDK's page on conversations: each test is one snippet of it, with its names kept, run by the npm package
// over installed providers. What a snippet does to a page's elements is left out.

const { WKSDK, Channel, ConversationAction } = sdk

/** The SDK's manager, with the names that only its documentation has. */
type DocumentedManager = sdk.ConversationManager & {
  getConversations: () => DocumentedConversation[]
  updateConversation: (conversation: DocumentedConversation) => void
}
type DocumentedConversation = sdk.Conversation & { unreadCount: number }

const conversationManager = (): DocumentedManager => WKSDK.shared().conversationManager as DocumentedManager

let store: Store
let installed: InstalledProviders

beforeEach(() => {
  store = createStore({ userId: 'me' })
  for (const [channel, seq] of [
    [u1, 2],
    [g1, 3],
  ] as const) {
    for (let at = 1; at <= seq; at++)
      store.receive({
        channel,
        messageSeq: at,
        fromUid: 'peer',
        timestamp: at * 1000,
        payload: { type: 1, content: `m${at} in ${channel.channelId}` },
      })
  }
  WKSDK.shared().config.uid = 'me'
  conversationManager().conversations = []
  installed = installProviders(sdk, store)
})

afterEach(() => installed.close())

function arrives(channel: typeof u1, seq: number): void {
  const json = wireMessage(channel, seq) as { payload: { content: string } }
  const message = new sdk.Message()
  message.header.reddot = true
  message.messageSeq = seq
  message.fromUID = channel.channelType === 1 ? channel.channelId : 'peer'
  message.channel = new Channel(channel.channelId, channel.channelType)
  message.timestamp = 1000 + seq
  message.content = new sdk.MessageText(json.payload.content)
  WKSDK.shared().chatManager.notifyMessageListeners(message)
}

describe('the page', () => {
  it('[SDK7] initializeConversations: sync with a filter, sorted by timestamp, and getAllUnreadCount', async () => {
    const conversations = (await conversationManager().sync({ version: 0, limit: 100 })) || []
    const sortedConversations = conversations.sort((a, b) => b.timestamp - a.timestamp)
    expect(sortedConversations.map(({ channel }) => channel.channelID)).toEqual(['g1', 'u1'])
    expect(WKSDK.shared().conversationManager.getAllUnreadCount()).toBe(5)
  })

  it('[SDK12] createConversationElement reads unreadCount, lastMessage.content and timestamp', async () => {
    const [conversation] = (await conversationManager().sync({})) as DocumentedConversation[]
    expect([conversation?.unreadCount, conversation?.timestamp]).toEqual([3, 3])
    expect(conversation?.lastMessage?.content.conversationDigest).toBe('m3 in g1')
  })

  it('[SDK2] listen: add, update and remove reach ConversationListManager', async () => {
    await conversationManager().sync({})
    class ConversationListManager {
      readonly conversations = new Map<string, number>()
      readonly actions: string[] = []
      readonly conversationListener = (
        conversation: sdk.Conversation,
        action: sdk.ConversationAction,
      ): void => {
        const channelKey = `${conversation.channel.channelID}_${conversation.channel.channelType}`
        this.actions.push(`${ConversationAction[action]} ${channelKey}`)
        switch (action) {
          case ConversationAction.add:
          case ConversationAction.update:
            this.conversations.set(channelKey, conversation.unread)
            break
          case ConversationAction.remove:
            this.conversations.delete(channelKey)
            break
        }
      }
      setupConversationListener(): void {
        WKSDK.shared().conversationManager.addConversationListener(this.conversationListener)
      }
      cleanup(): void {
        WKSDK.shared().conversationManager.removeConversationListener(this.conversationListener)
      }
    }
    const manager = new ConversationListManager()
    manager.setupConversationListener()
    arrives(u9, 1)
    arrives(u1, 3)
    store.conversation(u1).archive()
    manager.cleanup()
    arrives(g1, 4)
    expect(manager.actions).toEqual(['add u9_1', 'update u1_1', 'remove u1_1'])
    expect([...manager.conversations]).toEqual([['u9_1', 1]])
  })

  it('[SDK4] findConversation, removeConversation and createEmptyConversation', async () => {
    await conversationManager().sync({})
    const channel = new Channel('u1', 1)
    expect(WKSDK.shared().conversationManager.findConversation(channel)?.unread).toBe(2)
    WKSDK.shared().conversationManager.removeConversation(channel)
    expect(WKSDK.shared().conversationManager.findConversation(channel)).toBeUndefined()
    expect(store.conversation(u1).getSnapshot().hidden).toBe(true)
    const empty = WKSDK.shared().conversationManager.createEmptyConversation(new Channel('u9', 1))
    expect([empty.unread, WKSDK.shared().conversationManager.getAllUnreadCount()]).toEqual([0, 3])
  })

  it('[SDK12] clearUnreadCount: unreadCount = 0 and updateConversation read the conversation on all devices', async () => {
    await conversationManager().sync({})
    const clearUnreadCount = (channel: sdk.Channel): void => {
      const conversation = conversationManager().findConversation(channel) as DocumentedConversation
      if (conversation && conversation.unreadCount > 0) {
        conversation.unreadCount = 0
        conversationManager().updateConversation(conversation)
      }
    }
    clearUnreadCount(new Channel('g1', 2))
    expect(store.conversation(g1).getSnapshot().unread).toBe(0)
  })

  it('[SDK12] getConversationsByType, searchConversations and getUnreadStats go by getConversations', async () => {
    await conversationManager().sync({})
    const allConversations = conversationManager().getConversations()
    const byType = allConversations.filter((conv) => conv.channel.channelType === 2)
    expect(byType.map(({ channel }) => channel.channelID)).toEqual(['g1'])
    const found = allConversations.filter((conv) =>
      conv.lastMessage?.content.conversationDigest.toLowerCase().includes('in u1'),
    )
    expect(found.map(({ channel }) => channel.channelID)).toEqual(['u1'])
    let totalUnread = 0
    let unreadConversationCount = 0
    allConversations.forEach((conv) => {
      if (conv.unreadCount > 0) {
        totalUnread += conv.unreadCount
        unreadConversationCount++
      }
    })
    expect({ totalUnread, unreadConversationCount, totalConversations: allConversations.length }).toEqual({
      totalUnread: 5,
      unreadConversationCount: 2,
      totalConversations: 2,
    })
  })
})
