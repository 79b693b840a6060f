import { createStore, type Store } from '@parley/core'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import * as sdk from 'wukongimjssdk/lib/sdk.js'
import * as Y from 'yjs'
import { type InstalledProviders, installProviders } from '../src/index.js'
import { g1, u1, u9 } from './support/app.js'

// The npm package itself, version 1.0.4.

const shared = sdk.WKSDK.shared()
const { conversationManager, reminderManager, chatManager } = shared
const { add, update, remove } = sdk.ConversationAction

const own = {
  add: conversationManager.updateOrAddConversation,
  empty: conversationManager.createEmptyConversation,
}
let errors: unknown[] = []
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
  errors = []
  installed = installProviders(sdk, store, { environment: { reportError: (error) => errors.push(error) } })
  conversationManager.addConversationListener(listener)
  await conversationManager.sync()
  heard = []
})

afterAll(() => installed?.close())

/** Another device of the user, and what it brings to this one. */
function onPhone(act: (phone: Store) => void): void {
  const phone = createStore({ userId: 'me', deviceName: 'Phone' })
  Y.applyUpdate(phone.doc, Y.encodeStateAsUpdate(store.doc))
  act(phone)
  store.applyUpdate(Y.encodeStateAsUpdate(phone.doc))
}

const find = ({ channelId, channelType }: { channelId: string; channelType: number }) =>
  conversationManager.findConversation(new sdk.Channel(channelId, channelType))

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
  it('[SDK1] lists, counts and finds what the store has, as its own classes', () => {
    expect(conversationManager.conversations.map(({ channel }) => channel.channelID)).toEqual(['g1', 'u1'])
    expect(conversationManager.getAllUnreadCount()).toBe(2)
    const found = conversationManager.findConversation(new sdk.Channel('u1', 1))
    expect(found).toBeInstanceOf(sdk.Conversation)
    expect(found?.lastMessage).toBeInstanceOf(sdk.Message)
    expect(found?.lastMessage?.content).toBeInstanceOf(sdk.MessageText)
    expect(found?.lastMessage?.content.conversationDigest).toBe('m5')
    expect([found?.timestamp, found?.remoteExtra.version]).toEqual([5, 0])
  })

  it('[SDK2] what another device does reaches its listeners and its objects', () => {
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

  it('[SDK3] received messages go into the store, which decides the count', () => {
    chatManager.notifyMessageListeners(received('u1', 1, 6))
    expect(store.conversation(u1).getSnapshot()).toMatchObject({
      unread: 2,
      lastMessage: { messageSeq: 6, payload: { type: 1, content: 'm6' } },
    })
    expect(conversationManager.findConversation(new sdk.Channel('u1', 1))?.unread).toBe(2)
  })

  it('[SDK2] a conversation archived elsewhere leaves the list with one remove, and returns with its next message', () => {
    onPhone((phone) => phone.conversation(u1).archive())
    expect([heard, find(u1)]).toEqual([[['u1', remove, 1]], undefined])
    heard = []
    chatManager.notifyMessageListeners(received('u1', 1, 6))
    expect([heard, find(u1)?.unread]).toEqual([[['u1', add, 2]], 2])
    heard = []
    onPhone((phone) => phone.conversation(u1).archive())
    onPhone((phone) => phone.conversation(u1).unarchive())
    expect(heard.map(([, action]) => action)).toEqual([remove, add])
    expect(store.conversation(u1).getSnapshot().hidden).toBe(false)
  })

  it('[SDK3] one received message is one event with the count of the store, whatever the SDK would have counted', () => {
    store.conversation(u1).markUnread()
    heard = []
    chatManager.notifyMessageListeners(received('u1', 1, 6))
    chatManager.notifyMessageListeners(received('u9', 1, 1))
    expect(heard).toEqual([
      ['u1', update, 2],
      ['u9', add, 1],
    ])
    expect(conversationManager.getAllUnreadCount()).toBe(4)
  })

  it('[SDK3] the newest message is the object that arrived', () => {
    const message = received('u1', 1, 6)
    chatManager.notifyMessageListeners(message)
    expect(find(u1)?.lastMessage).toBe(message)
    store.conversation(u1).pin()
    expect(find(u1)?.lastMessage).toBe(message)
  })

  it('[SDK3] a message that comes twice, a late one, one that is not kept and one of a live channel change nothing and call nobody', () => {
    const unkept = received('u1', 1, 7)
    unkept.header.noPersist = true
    store.receive([])
    const before = store.export()
    for (const message of [received('u1', 1, 5), received('u1', 1, 4), unkept, received('live', 9, 1)])
      chatManager.notifyMessageListeners(message)
    expect([heard, store.export(), conversationManager.conversations.length]).toEqual([[], before, 2])
  })

  it('[SDK3] a message that cannot be read is reported, and other listeners get it', () => {
    const others: unknown[] = []
    const other = (message: sdk.Message): void => void others.push(message)
    chatManager.addMessageListener(other)
    chatManager.notifyMessageListeners(received('u1', 1, 0.5))
    chatManager.removeMessageListener(other)
    expect([errors.map(String), others.length, heard]).toEqual([
      [expect.stringContaining('message_seq')],
      1,
      [],
    ])
  })

  it('[SDK3] [J-98] keep: a new peer is added once; [J-99] keep: own messages and the open conversation raise nothing', () => {
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

  it('[SDK3] [J-100] fix: an older message moves nothing back; [J-104] fix: a type in letters is the same channel', () => {
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

  it('[SDK4] clearing and removing as its apps do reads and deletes everywhere', () => {
    const conversation = conversationManager.findConversation(new sdk.Channel('u1', 1))!
    conversation.unread = 0
    conversationManager.notifyConversationListeners(conversation, update)
    expect(store.conversation(u1).getSnapshot().unread).toBe(0)
    conversationManager.removeConversation(new sdk.Channel('g1', 2))
    expect(store.conversation(g1).getSnapshot().hidden).toBe(true)
    expect(heard.filter(([id, action]) => id === 'g1' && action === remove)).toHaveLength(1)
  })

  it.each([0, 1, 2, 3, 7])('[SDK4] unread = %i is the count on all devices', (unread) => {
    for (let seq = 6; seq <= 8; seq++) chatManager.notifyMessageListeners(received('u1', 1, seq))
    heard = []
    const conversation = find(u1)!
    conversation.unread = unread
    conversationManager.notifyConversationListeners(conversation, update)
    // Four messages are unread; more than that is an unread mark beside them.
    const count = Math.min(unread, 4)
    expect([store.conversation(u1).getSnapshot().unread, conversation.unread]).toEqual([count, count])
    expect(heard.at(-1)).toEqual(['u1', update, count])
    expect(heard).toHaveLength(unread === count ? 1 : 2)
  })

  it('[SDK4] a count that is no number is replaced by the one of the store', () => {
    const conversation = find(u1)!
    conversation.unread = Number.NaN
    conversationManager.notifyConversationListeners(conversation, update)
    expect([conversation.unread, store.conversation(u1).getSnapshot().unread]).toEqual([1, 1])
  })

  it('[SDK5] [J-49] [J-50] keep: extras come by version', async () => {
    store.conversation(u1).draft.set('x')
    store.conversation(u9).draft.set('only a draft')
    const extras = await conversationManager.syncExtra()
    expect(extras?.map(({ draft }) => draft)).toEqual(['x', 'only a draft'])
    expect(conversationManager.findConversation(new sdk.Channel('u1', 1))?.remoteExtra.draft).toBe('x')
    expect(await conversationManager.syncExtra()).toEqual([])
    store.conversation(u1).draft.set('xy')
    expect((await conversationManager.syncExtra())?.map(({ draft }) => draft)).toEqual(['xy'])
  })

  it('[SDK6] [J-106] keep: reminders come by version, and done ones are done everywhere', async () => {
    for (const reminderId of ['1', '2'])
      store.conversation(g1).setReminder({ reminderId, version: 1, data: { reminderType: 1 } })
    await reminderManager.sync()
    await reminderManager.done([1])
    await reminderManager.sync()
    expect(store.conversation(g1).getSnapshot().reminders).toMatchObject([{ done: true }, { done: false }])
    const conversation = conversationManager.findConversation(new sdk.Channel('g1', 2))
    expect(conversation?.simpleReminders.map(({ reminderID }) => reminderID)).toEqual([2])
  })

  it('[SDK6] reminders come with the change of another device, and survive any number of syncs', async () => {
    const open = (): number[] | undefined => find(g1)?.simpleReminders.map(({ reminderID }) => reminderID)
    onPhone((phone) =>
      phone.conversation(g1).setReminder({ reminderId: '3', version: 1, data: { reminderType: 1 } }),
    )
    expect(open()).toEqual([3])
    for (let round = 0; round < 3; round++) {
      await conversationManager.sync()
      await reminderManager.sync()
      expect(open()).toEqual([3])
    }
    onPhone((phone) => phone.conversation(g1).completeReminder('3'))
    expect(open()).toEqual([])
    await conversationManager.sync()
    await reminderManager.sync()
    expect(open()).toEqual([])
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

  it('[SDK7] [J-93] keep: a sync replaces the list by what the store has and tells no listener', async () => {
    const listed = await conversationManager.sync({ x: 1 })
    expect([conversationManager.conversations === listed, heard]).toEqual([true, []])
  })

  it('[SDK10] a message of the page is the newest one at once, and is stored once the IM server accepts it', () => {
    const send = (clientSeq: number): sdk.Message => {
      const message = received('u1', 1, 0, 'me')
      message.clientSeq = clientSeq
      message.timestamp = 100
      chatManager.notifyMessageListeners(message)
      return message
    }
    const ack = (clientSeq: number, messageSeq: number, reasonCode: number): void =>
      chatManager.notifyMessageStatusListeners({ clientSeq, messageSeq, messageID: 77, reasonCode } as never)
    const message = send(1)
    expect([heard, find(u1)?.lastMessage]).toEqual([[['u1', update, 1]], message])
    onPhone((phone) => phone.conversation(u1).pin())
    expect([find(u1)?.lastMessage, find(u1)?.timestamp]).toEqual([message, 100])
    expect(store.conversation(u1).getSnapshot().lastMessage?.messageSeq).toBe(5)
    heard = []
    ack(1, 6, 1)
    // An own message was written after reading the others.
    expect(heard).toEqual([['u1', update, 0]])
    expect([find(u1)?.lastMessage, message.messageSeq]).toEqual([message, 6])
    expect(store.conversation(u1).getSnapshot().lastMessage).toMatchObject({ messageSeq: 6, messageId: '77' })
    send(2)
    ack(2, 7, 5)
    ack(9, 9, 1)
    expect(store.conversation(u1).getSnapshot().lastMessage?.messageSeq).toBe(6)
  })

  it('[SDK11] [J-102] fix: an empty conversation is in the list with count 0, and its first message updates it', () => {
    const made = conversationManager.createEmptyConversation(new sdk.Channel('u9', 1))
    expect([heard, find(u9) === made, conversationManager.getAllUnreadCount()]).toEqual([
      [['u9', add, 0]],
      true,
      2,
    ])
    expect(conversationManager.createEmptyConversation(new sdk.Channel('u9', 1))).toBe(made)
    heard = []
    chatManager.notifyMessageListeners(received('u9', 1, 1))
    expect([heard, find(u9) === made]).toEqual([[['u9', update, 1]], true])
  })

  it('[SDK8] close leaves the SDK as it was', () => {
    installed?.close()
    expect([
      conversationManager.updateOrAddConversation,
      conversationManager.createEmptyConversation,
    ]).toEqual([own.add, own.empty])
    expect(Object.keys(conversationManager)).not.toContain('updateOrAddConversation')
    expect(['getConversations' in conversationManager, 'unreadCount' in new sdk.Conversation()]).toEqual([
      false,
      false,
    ])
    store.receive({ channel: u9, messageSeq: 1, fromUid: 'u9', timestamp: 1 })
    expect(find(u9)).toBeUndefined()
    chatManager.notifyMessageListeners(received('u1', 1, 6))
    expect(store.conversation(u1).getSnapshot().lastMessage?.messageSeq).toBe(5)
  })
})
