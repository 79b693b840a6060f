import { createStore, type Store } from '@parley/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createWkim, type WKReminder, type WKUIConversationMsg, type Wkim } from '../../src/index.js'
import { g1, u1, u9, wireConversation, wireMessage } from '../support/app.js'

// The Flutter SDK's pages on conversations, their data source and reminders, and the part of the iOS SDK's page "Advanced"
// on reminders: each test is one snippet, with its names kept.

let WKIM: { readonly shared: Wkim }
let store: Store

beforeEach(() => {
  store = createStore({ userId: 'me' })
  WKIM = { shared: createWkim(store, { emulate: 'flutter' }) }
})

afterEach(() => WKIM.shared.close())

const receive = (...messages: object[]): void => WKIM.shared.conversations.receive(messages)

describe('conversations', () => {
  it('[PAGE9] ConversationManager: a list that follows refreshes and deletions, and the methods over it', () => {
    receive(wireMessage(u1, 1))
    let conversations: WKUIConversationMsg[] = []
    const streamed: number[] = []
    const sort = (): void => {
      conversations.sort((a, b) => b.lastMsgTimestamp - a.lastMsgTimestamp)
      streamed.push(conversations.length)
    }
    const { conversationManager } = WKIM.shared
    conversationManager.addOnRefreshMsgListener('global', (conversation, isEnd) => {
      if (!isEnd) return
      const existingIndex = conversations.findIndex(
        (c) => c.channelID === conversation.channelID && c.channelType === conversation.channelType,
      )
      if (existingIndex >= 0) conversations[existingIndex] = conversation
      else conversations.push(conversation)
      sort()
    })
    conversationManager.addOnDeleteMsgListener('global', (channelID, channelType) => {
      conversations = conversations.filter(
        (c) => !(c.channelID === channelID && c.channelType === channelType),
      )
      sort()
    })
    conversations = [...conversationManager.getAll()]
    sort()
    receive(wireMessage(g1, 2))
    receive(wireMessage(u9, 3))
    expect(conversations.map(({ channelID }) => channelID)).toEqual(['u9', 'g1', 'u1'])
    expect(conversations.reduce((sum, conversation) => sum + conversation.unreadCount, 0)).toBe(6)
    expect(conversations.filter((c) => c.channelType === 2)).toHaveLength(1)

    conversationManager.updateRedDot('u9', 1, 0)
    conversationManager.deleteMsg('g1', 2)
    expect(conversations.map(({ channelID, unreadCount }) => [channelID, unreadCount])).toEqual([
      ['u9', 0],
      ['u1', 1],
    ])
    conversationManager.clearAll()
    expect(conversationManager.getAll()).toEqual([])
    conversationManager.removeOnRefreshMsg('global')
    conversationManager.removeOnDeleteMsgListener('global')
    const before = streamed.length
    receive(wireMessage(u1, 7))
    expect(streamed).toHaveLength(before)
  })

  it('[PAGE10] WKConversationMsg has the members that the page lists', () => {
    receive(wireMessage({ channelId: 'town@square', channelType: 5 }, 1))
    expect(WKIM.shared.conversationManager.getAll()).toMatchObject([
      {
        channelID: 'town@square',
        channelType: 5,
        lastClientMsgNO: 'c-town@square-1',
        isDeleted: 0,
        lastMsgTimestamp: 1001,
        unreadCount: 1,
        lastMsgSeq: 1,
        localExtraMap: {},
        parentChannelID: 'town',
        parentChannelType: 4,
      },
    ])
  })

  it('[PAGE11] ConversationSyncManager: back(conversations) merges, back([]) after an error changes nothing', async () => {
    let isDown = false
    const requests: unknown[] = []
    const requestConversationSync = async (): Promise<object[]> => {
      await Promise.resolve()
      if (isDown) throw new Error('down')
      return [wireConversation(u1, 4, { unread: 1 })]
    }
    WKIM.shared.conversationManager.addOnSyncConversationListener(
      async (lastSsgSeqs, msgCount, version, back) => {
        requests.push([lastSsgSeqs, msgCount, version])
        try {
          back(await requestConversationSync())
        } catch {
          back([])
        }
      },
    )
    expect(await WKIM.shared.conversations.connected()).toBe('synced')
    isDown = true
    expect(await WKIM.shared.conversations.connected()).toBe('synced')
    expect(requests).toEqual([
      ['', 200, 0],
      ['u1:1:4', 200, 4],
    ])
    expect(WKIM.shared.conversationManager.getAll().map(({ channelID }) => channelID)).toEqual(['u1'])
    expect(WKIM.shared.conversationManager.getExtraMaxVersion()).toBe(0)
  })
})

describe('reminders', () => {
  const ReminderType = { mention: 1, joinRequest: 2, systemNotice: 3, unreadVoice: 4, custom: 99 } as const

  /** A new `WKReminder()` of Dart has 0 and '' everywhere. */
  const newReminder = (members: object): object => ({
    reminderID: 0,
    messageID: '',
    channelID: '',
    channelType: 0,
    messageSeq: 0,
    type: 0,
    text: '',
    data: null,
    version: 0,
    done: 0,
    needUpload: 0,
    publisher: '',
    ...members,
  })

  const group = { channelID: 'g1', channelType: 2 }
  const mention = newReminder({
    ...group,
    messageID: '77',
    messageSeq: 4,
    type: ReminderType.mention,
    text: 'mentionText',
    version: 1_700_000_000_000,
  })
  const joinRequest = newReminder({
    ...group,
    type: ReminderType.joinRequest,
    text: 'Carol requests to join group',
    data: { name: 'Carol' },
    version: 1_700_000_000_001,
  })

  it('[PAGE13] createMentionReminder and the like: reminders without an id are different ones, and are the same each time', () => {
    const { reminderManager } = WKIM.shared
    const notice = newReminder({ ...group, type: ReminderType.systemNotice, text: 'Maintenance' })
    const voice = newReminder({
      ...group,
      messageID: '78',
      type: ReminderType.unreadVoice,
      data: { duration: 3 },
    })
    for (let round = 0; round < 2; round++) {
      reminderManager.saveOrUpdateReminders([mention, joinRequest])
      reminderManager.saveOrUpdateReminders([notice, voice])
    }
    const all = reminderManager.getWithChannel('g1', 2)
    expect(new Set(all.map(({ type }) => type))).toEqual(new Set([1, 2, 3, 4]))
    expect(all).toHaveLength(4)
    expect(all.find(({ type }) => type === ReminderType.joinRequest)?.data).toEqual({ name: 'Carol' })
    expect(all.every(({ reminderID }) => Number.isSafeInteger(reminderID) && reminderID > 0)).toBe(true)
  })

  it('[PAGE12] getAllPendingReminders, getRemindersByType, getReminderCountByType and hasUnreadReminders', () => {
    receive(wireMessage(g1, 4), wireMessage(u1, 1))
    WKIM.shared.reminderManager.saveOrUpdateReminders([mention, joinRequest])
    const pending = WKIM.shared.conversationManager
      .getAll()
      .flatMap((conv) => WKIM.shared.reminderManager.getWithChannel(conv.channelID, conv.channelType))
      .filter((r) => r.done === 0)
    expect(pending).toHaveLength(2)
    const byType = pending.filter((reminder) => reminder.type === ReminderType.joinRequest)
    expect(byType.map(({ text }) => text)).toEqual(['Carol requests to join group'])
    expect(WKIM.shared.reminderManager.getWithChannel('u1', 1).some((reminder) => reminder.done === 0)).toBe(
      false,
    )
  })

  it('[PAGE13] markReminderAsDone: done = 1 with needUpload = 1 is reported to the server, once', async () => {
    const reported: unknown[] = []
    WKIM.shared.reminders.setReminderDoneProvider((ids, callback) => {
      reported.push(ids)
      callback()
    })
    const reminder = { ...mention, reminderID: 9 }
    WKIM.shared.reminderManager.saveOrUpdateReminders([reminder, joinRequest])
    WKIM.shared.reminderManager.saveOrUpdateReminders([{ ...reminder, done: 1, needUpload: 1 }])
    // One that only this user's devices know is no server's to close.
    const [local] = WKIM.shared.reminderManager.getWithChannel('g1', 2, 0)
    await WKIM.shared.reminders.done([local?.reminderID ?? 0])
    await Promise.resolve()
    await WKIM.shared.reminders.sync()
    expect(reported).toEqual([['9']])
    expect(WKIM.shared.reminderManager.getWithChannel('g1', 2, 0)).toEqual([])
    expect(WKIM.shared.reminderManager.getWithChannel('g1', 2, 1)).toHaveLength(2)
  })

  it('[PAGE12] addOnNewReminderListener and removeOnNewReminderListener', () => {
    const calls: string[][] = []
    WKIM.shared.reminderManager.addOnNewReminderListener('key', (reminders: readonly WKReminder[]) => {
      calls.push(reminders.map(({ text }) => text))
    })
    WKIM.shared.reminderManager.saveOrUpdateReminders([mention])
    WKIM.shared.reminderManager.removeOnNewReminderListener('key')
    WKIM.shared.reminderManager.saveOrUpdateReminders([joinRequest])
    expect(calls).toEqual([['mentionText']])
  })

  it('[PAGE8] the page "Advanced" of the iOS SDK: saveReminders and addRefreshListener', () => {
    const { reminders: reminderManager } = WKIM.shared
    const shown: string[] = []
    const removeListener = reminderManager.addRefreshListener((reminders) => {
      for (const reminder of reminders) shown.push(reminder.text)
    })
    const reminder = {
      messageId: 'msg123',
      channelId: 'channel123',
      channelType: 1,
      type: 1,
      text: 'You were mentioned',
    }
    reminderManager.saveReminders([reminder])
    reminderManager.saveReminders([reminder])
    removeListener()
    reminderManager.saveReminders([{ ...reminder, messageId: 'msg124' }])
    expect(shown).toEqual(['You were mentioned'])
    const channel = { channelId: 'channel123', channelType: 1 }
    expect(
      reminderManager
        .getReminders(channel)
        .map(({ messageId }) => messageId)
        .sort(),
    ).toEqual(['msg123', 'msg124'])
  })
})
