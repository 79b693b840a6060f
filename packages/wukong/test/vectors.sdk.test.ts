import { afterEach, describe, expect, it, vi } from 'vitest'
import * as sdk from 'wukongimjssdk/lib/sdk.js'

// What the npm package wukongimjssdk 1.0.4 does by itself: the ground that its adapter and the servers for its apps stand
// on. A version that behaves otherwise shows here.

const shared = sdk.WKSDK.shared()
const { conversationManager, reminderManager, chatManager, config } = shared
const { provider } = config
const { add, update, remove } = sdk.ConversationAction
let heard: Array<[string, number]> = []
conversationManager.addConversationListener(({ channel }, action) => heard.push([channel.channelID, action]))

function conversation(channelID: string, channelType: number, unread = 0): sdk.Conversation {
  const made = new sdk.Conversation()
  made.channel = new sdk.Channel(channelID, channelType)
  made.unread = unread
  return made
}

function message(channelID: string, channelType: number, seq: number, timestamp = seq): sdk.Message {
  const made = new sdk.Message()
  made.header.reddot = true
  made.fromUID = 'peer'
  made.channel = new sdk.Channel(channelID, channelType)
  made.messageSeq = seq
  made.timestamp = timestamp
  made.content = new sdk.MessageText('x')
  return made
}

function reminder(reminderID: number, done: boolean): sdk.Reminder {
  const made = new sdk.Reminder()
  made.reminderID = reminderID
  made.channel = new sdk.Channel('g1', 2)
  made.reminderType = 1
  made.done = done
  return made
}

const ids = (): string[] => conversationManager.conversations.map(({ channel }) => channel.channelID)

afterEach(() => {
  provider.syncConversationsCallback = async () => []
  conversationManager.conversations = []
  reminderManager.reminders = []
  heard = []
  vi.restoreAllMocks()
})

describe('lists', () => {
  it('[J-94] keep: a sync that fails rejects, and the list stays', async () => {
    vi.spyOn(console, 'log').mockReturnValue()
    conversationManager.conversations = [conversation('u1', 1)]
    provider.syncConversationsCallback = () => Promise.reject(new Error('down'))
    await expect(conversationManager.sync()).rejects.toThrow('down')
    expect(ids()).toEqual(['u1'])
  })

  it('[J-95] keep: plain objects replace the list, and reminders are not asked for', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue()
    provider.syncConversationsCallback = async () => [
      { channel: { channelID: 'u1', channelType: 1 } } as sdk.Conversation,
    ]
    let asked = 0
    provider.syncRemindersCallback = async () => {
      asked++
      return []
    }
    await conversationManager.sync()
    await Promise.resolve()
    expect([ids(), asked, log.mock.calls.length]).toEqual([['u1'], 0, 1])
  })

  it('[J-96] keep: nothing for an answer leaves no list', async () => {
    vi.spyOn(console, 'log').mockReturnValue()
    provider.syncConversationsCallback = (async () => undefined) as never
    await conversationManager.sync()
    expect(conversationManager.conversations).toBeUndefined()
    expect(conversationManager.findConversation(new sdk.Channel('u1', 1))).toBeUndefined()
  })

  it('[J-97] keep: no provider, or one that returns no promise, is a TypeError at once', () => {
    provider.syncConversationsCallback = (() => []) as never
    expect(() => conversationManager.sync()).toThrow(TypeError)
    delete (provider as Partial<typeof provider>).syncConversationsCallback
    expect(() => conversationManager.sync()).toThrow(TypeError)
  })

  it('[J-101] keep: an update leaves the order; [J-104] keep: a type in letters is another conversation', () => {
    conversationManager.conversations = [conversation('a', 1), conversation('b', 1), conversation('c', 1)]
    chatManager.notifyMessageListeners(message('c', 1, 4))
    chatManager.notifyMessageListeners(message('c', '1' as unknown as number, 5))
    expect(ids()).toEqual(['c', 'a', 'b', 'c'])
    expect(heard).toEqual([
      ['c', update],
      ['c', add],
    ])
  })

  it('[J-98] keep: a new peer is put first, with one message unread', () => {
    conversationManager.conversations = [conversation('a', 1)]
    chatManager.notifyMessageListeners(message('u1', 1, 4))
    expect([heard, ids(), conversationManager.conversations[0]?.unread]).toEqual([
      [['u1', add]],
      ['u1', 'a'],
      1,
    ])
  })

  it('[J-99] keep: own messages, silent ones and those in the open conversation raise nothing', () => {
    const row = conversation('u1', 1, 1)
    conversationManager.conversations = [row]
    const silent = message('u1', 1, 5)
    silent.header.reddot = false
    const own = message('u1', 1, 6)
    config.uid = 'me'
    own.fromUID = 'me'
    for (const one of [silent, own]) chatManager.notifyMessageListeners(one)
    conversationManager.openConversation = row
    chatManager.notifyMessageListeners(message('u1', 1, 7))
    delete conversationManager.openConversation
    expect([row.unread, row.lastMessage?.messageSeq]).toEqual([1, 7])
    expect(heard).toEqual(Array.from({ length: 3 }, () => ['u1', update]))
  })

  it('[J-100] keep: a late message moves the newest one and the time back', () => {
    chatManager.notifyMessageListeners(message('u1', 1, 4, 40))
    chatManager.notifyMessageListeners(message('u1', 1, 2, 10))
    const row = conversationManager.conversations[0]!
    expect([row.lastMessage?.messageSeq, row.timestamp, row.unread]).toEqual([2, 10, 2])
  })

  it('[J-102] keep: an empty conversation is told and not in the list, so its first message tells it again', () => {
    conversationManager.createEmptyConversation(new sdk.Channel('new', 1))
    expect([heard, ids()]).toEqual([[['new', add]], []])
    chatManager.notifyMessageListeners(message('new', 1, 1))
    expect([heard.slice(1), ids()]).toEqual([[['new', add]], ['new']])
  })

  it('[J-103] keep: removing tells once, and leaves the second of two', () => {
    conversationManager.conversations = [conversation('a', 1), conversation('a', 1)]
    conversationManager.removeConversation(new sdk.Channel('a', 1))
    conversationManager.removeConversation(new sdk.Channel('b', 1))
    expect([ids(), heard]).toEqual([['a'], [['a', remove]]])
  })

  it('[J-105] keep: JSON.parse loses the last digits of a version in nanoseconds', () => {
    expect(JSON.stringify(JSON.parse('1784567890123456789'))).toBe('1784567890123456800')
  })

  it('[J-109] keep: its channel keys break for ids with a dash', () => {
    const channel = sdk.Channel.fromChannelKey('a-b-c-2')
    expect([channel?.channelID, channel?.channelType]).toEqual(['a', Number.NaN])
  })
})

describe('extras and reminders', () => {
  it('[J-106] keep: the last open reminder of a type stands for it', () => {
    const row = conversation('g1', 2)
    row.reminders = [reminder(1, true), reminder(2, false)]
    expect(row.simpleReminders.map(({ reminderID }) => reminderID)).toEqual([2])
  })

  it('[J-107] keep: a reminder stays done where the server could not be told; [J-108] keep: a mention stays a mention', async () => {
    provider.reminderDoneCallback = () => Promise.reject(new Error('down'))
    const mention = reminder(1, false)
    reminderManager.reminders = [mention]
    const row = conversation('g1', 2)
    conversationManager.conversations = [row]
    row.reminders = [mention]
    row.lastMessage = message('g1', 2, 1)
    row.lastMessage.content.mention = { all: true }
    expect(row.isMentionMe).toBe(true)
    await expect(reminderManager.done([1])).rejects.toThrow('down')
    row.lastMessage = message('g1', 2, 2)
    expect([mention.done, row.isMentionMe]).toEqual([true, true])
  })

  it('[J-110] keep: without a provider extras are nothing, and a provider that fails rejects', async () => {
    vi.spyOn(console, 'log').mockReturnValue()
    delete provider.syncConversationExtrasCallback
    expect(await conversationManager.syncExtra()).toBeUndefined()
    provider.syncConversationExtrasCallback = () => Promise.reject(new Error('down'))
    await expect(conversationManager.syncExtra()).rejects.toThrow('down')
  })

  it('[J-111] keep: what a server counts replaces what was cleared here only', async () => {
    const row = conversation('u1', 1, 3)
    provider.syncRemindersCallback = async () => []
    provider.syncConversationsCallback = async () => [conversation('u1', 1, 3)]
    conversationManager.conversations = [row]
    row.unread = 0
    await conversationManager.sync()
    expect(conversationManager.conversations[0]?.unread).toBe(3)
  })
})
