import { createStore, type Store } from '@parley/core'
import { beforeEach, describe, expect, it } from 'vitest'
import * as sdk from 'wukongimjssdk/lib/sdk.js'
import * as Y from 'yjs'
import { type InstalledProviders, installProviders } from '../src/index.js'
import { g1, u1, u9 } from './support/app.js'

// The npm package itself, version 1.0.4.

const shared = sdk.WKSDK.shared()
const { conversationManager, reminderManager, chatManager } = shared
const { add, update, remove } = sdk.ConversationAction

let store: Store
let installed: InstalledProviders | undefined
let heard: Array<[string, number, number]> = []
const listener = (conversation: sdk.Conversation, action: sdk.ConversationAction): void => {
  heard.push([conversation.channel.channelID, action, conversation.unread])
}

beforeEach(async () => {
  installed?.close()
  conversationManager.removeConversationListener(listener)
  conversationManager.conversations = []
  conversationManager.maxExtraVersion = 0
  delete conversationManager.openConversation
  reminderManager.reminders = []
  shared.config.uid = 'me'
  store = createStore({ userId: 'me' })
  for (const [channel, last] of [
    [u1, 5],
    [g1, 9],
  ] as const) {
    for (let seq = last - 1; seq <= last; seq++)
      store.receive({
        channel,
        messageSeq: seq,
        fromUid: 'peer',
        timestamp: seq * 1000,
        payload: { type: 1, content: `m${seq}` },
      })
    store.conversation(channel).markRead(last - 1)
  }
  installed = installProviders(sdk, store)
  conversationManager.addConversationListener(listener)
  await conversationManager.sync()
  heard = []
})

function received(
  channelID: string,
  channelType: number,
  seq: number,
  fromUID = channelType === 1 ? channelID : 'peer',
): sdk.Message {
  const message = new sdk.Message()
  message.header.reddot = true
  message.messageSeq = seq
  message.messageID = `${channelID}${seq}`
  message.clientMsgNo = `c${channelID}${seq}`
  message.fromUID = fromUID
  message.channel = new sdk.Channel(channelID, channelType)
  message.timestamp = seq
  message.content = new sdk.MessageText(`m${seq}`)
  return message
}

describe('wukongimjssdk 1.0.4', () => {
  it('[A1] lists, counts and finds what the store has, as its own classes', () => {
    expect(conversationManager.conversations.map(({ channel }) => channel.channelID)).toEqual(['g1', 'u1'])
    expect(conversationManager.getAllUnreadCount()).toBe(2)
    const found = conversationManager.findConversation(new sdk.Channel('u1', 1))
    expect(found).toBeInstanceOf(sdk.Conversation)
    expect(found?.lastMessage).toBeInstanceOf(sdk.Message)
    expect(found?.lastMessage?.content).toBeInstanceOf(sdk.MessageText)
    expect(found?.lastMessage?.content.conversationDigest).toBe('m5')
    expect([found?.timestamp, found?.remoteExtra.version]).toEqual([5, 0])
  })

  it('[A2] what another device does reaches its listeners and its objects', () => {
    const other = createStore({ userId: 'me' })
    Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(store.doc))
    const before = conversationManager.findConversation(new sdk.Channel('u1', 1))
    other.conversation(u1).markRead()
    other.conversation(u1).pin()
    other.receive({ channel: u9, messageSeq: 1, fromUid: 'u9', timestamp: 1000 })
    other.conversation(g1).delete()
    store.applyUpdate(Y.encodeStateAsUpdate(other.doc))
    expect(new Set(heard)).toEqual(
      new Set([
        ['u1', update, 0],
        ['u9', add, 1],
        ['g1', remove, 1],
      ]),
    )
    expect(conversationManager.findConversation(new sdk.Channel('u1', 1))).toBe(before)
    expect(before?.extra).toMatchObject({ top: 1 })
    expect(conversationManager.getAllUnreadCount()).toBe(1)
  })

  it('[A3] received messages go into the store, which decides the count', () => {
    chatManager.notifyMessageListeners(received('u1', 1, 6))
    expect(store.conversation(u1).getSnapshot()).toMatchObject({
      unread: 2,
      lastMessage: { messageSeq: 6, payload: { type: 1, content: 'm6' } },
    })
    expect(conversationManager.findConversation(new sdk.Channel('u1', 1))?.unread).toBe(2)
  })

  it('[A3] [J-98] keep: a new peer is added once; [J-99] keep: own messages and the open conversation raise nothing', () => {
    chatManager.notifyMessageListeners(received('u9', 1, 1))
    expect(heard.filter(([, action]) => action === add)).toEqual([['u9', add, 1]])
    expect(
      conversationManager.conversations.filter(({ channel }) => channel.channelID === 'u9'),
    ).toHaveLength(1)
    chatManager.notifyMessageListeners(received('u9', 1, 2, 'me'))
    conversationManager.openConversation = conversationManager.findConversation(new sdk.Channel('g1', 2))!
    chatManager.notifyMessageListeners(received('g1', 2, 10))
    expect(store.conversation(u9).getSnapshot().unread).toBe(0)
    expect(conversationManager.openConversation.unread).toBe(0)
  })

  it('[A3] [J-100] fix: an older message moves nothing back; [J-104] fix: a type in letters is the same channel', () => {
    chatManager.notifyMessageListeners(received('u1', 1, 2))
    expect(conversationManager.findConversation(new sdk.Channel('u1', 1))).toMatchObject({
      timestamp: 5,
      unread: 1,
    })
    expect(conversationManager.findConversation(new sdk.Channel('u1', 1))?.lastMessage?.messageSeq).toBe(5)
    chatManager.notifyMessageListeners(received('g1', '2' as unknown as number, 10))
    expect(store.conversation(g1).getSnapshot().lastMessage?.messageSeq).toBe(10)
    expect(conversationManager.conversations.map(({ channel }) => channel.channelID)).toEqual(['g1', 'u1'])
  })

  it('[A4] clearing and removing as its apps do reads and deletes everywhere', () => {
    const conversation = conversationManager.findConversation(new sdk.Channel('u1', 1))!
    conversation.unread = 0
    conversationManager.notifyConversationListeners(conversation, update)
    expect(store.conversation(u1).getSnapshot().unread).toBe(0)
    conversationManager.removeConversation(new sdk.Channel('g1', 2))
    expect(store.conversation(g1).getSnapshot().hidden).toBe(true)
    expect(heard.filter(([id, action]) => id === 'g1' && action === remove)).toHaveLength(1)
  })

  it('[A5] [J-49] [J-50] keep: extras come by version', async () => {
    store.conversation(u1).draft.set('x')
    store.conversation(u9).draft.set('only a draft')
    const extras = await conversationManager.syncExtra()
    expect(extras?.map(({ draft }) => draft)).toEqual(['x', 'only a draft'])
    expect(conversationManager.findConversation(new sdk.Channel('u1', 1))?.remoteExtra.draft).toBe('x')
    expect(await conversationManager.syncExtra()).toEqual([])
    store.conversation(u1).draft.set('xy')
    expect((await conversationManager.syncExtra())?.map(({ draft }) => draft)).toEqual(['xy'])
  })

  it('[A6] [J-106] keep: reminders come by version, and done ones are done everywhere', async () => {
    for (const reminderId of ['1', '2'])
      store.conversation(g1).setReminder({ reminderId, version: 1, data: { reminderType: 1 } })
    await reminderManager.sync()
    await reminderManager.done([1])
    await reminderManager.sync()
    expect(store.conversation(g1).getSnapshot().reminders).toMatchObject([{ done: true }, { done: false }])
    const conversation = conversationManager.findConversation(new sdk.Channel('g1', 2))
    expect(conversation?.simpleReminders.map(({ reminderID }) => reminderID)).toEqual([2])
  })

  it('[J-56] keep: what was looked at decides the count where it can', () => {
    const conversation = conversationManager.findConversation(new sdk.Channel('u1', 1))!
    conversation.unread = 4
    const at = (browseTo: number): number => {
      conversation.remoteExtra.browseTo = browseTo
      return conversation.logicUnread
    }
    expect([at(2), at(9), at(0)]).toEqual([3, 4, 4])
  })

  it('[A7] [J-93] keep: a sync replaces the list by what the store has and tells no listener', async () => {
    const listed = await conversationManager.sync({ x: 1 })
    expect([conversationManager.conversations === listed, heard]).toEqual([true, []])
  })

  it('[A8] closed, it leaves the SDK alone', () => {
    installed?.close()
    store.receive({ channel: u9, messageSeq: 1, fromUid: 'u9', timestamp: 1 })
    chatManager.notifyMessageListeners(received('u1', 1, 6))
    expect(store.conversation(u1).getSnapshot().lastMessage?.messageSeq).toBe(5)
    expect(conversationManager.findConversation(new sdk.Channel('u9', 1))).toBeUndefined()
  })
})
