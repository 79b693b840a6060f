import { createStore, type Store } from '@parley/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createWkim, type WKReminder, type WKUIConversationMsg, type Wkim } from '../../src/index.js'
import { g1, u1, u9, wireConversation, wireMessage } from '../support/app.js'

// The Android SDK's pages on conversations, their data source and reminders: each test is one snippet, with its names kept.
// Java's anonymous classes are objects with one method, Kotlin's lambdas are functions.

let WKIM: Wkim & { getInstance: () => Wkim }
let store: Store
let errors: unknown[] = []

beforeEach(() => {
  errors = []
  store = createStore({ userId: 'me' })
  const made = createWkim(store, { environment: { reportError: (error) => errors.push(error) } })
  WKIM = { ...made, getInstance: () => made }
})

afterEach(() => {
  WKIM.close()
  expect(errors).toEqual([])
})

const receive = (...messages: object[]): void => WKIM.conversations.receive(messages)

describe('conversations', () => {
  it('[PAGE9] ConversationListActivity: load, refresh, delete, total, and no call after its listeners are removed', () => {
    receive(wireMessage(g1, 1))
    let conversationList: WKUIConversationMsg[] = []
    const isSame = (a: WKUIConversationMsg, channelID: string, channelType: number): boolean =>
      a.getWkChannel().channelID === channelID && a.getWkChannel().channelType === channelType
    const sort = (): void => void conversationList.sort((o1, o2) => o2.lastMsgTimestamp - o1.lastMsgTimestamp)
    const total = (): number => conversationList.reduce((sum, { unreadCount }) => sum + unreadCount, 0)
    const manager = WKIM.getInstance().getConversationManager()
    manager.addOnRefreshMsgListener('ConversationList', {
      onRefreshConversationMsg(wkUIConversationMsg, isEnd) {
        if (!isEnd) return
        const { channelID, channelType } = wkUIConversationMsg.getWkChannel()
        const existingIndex = conversationList.findIndex((known) => isSame(known, channelID, channelType))
        if (existingIndex >= 0) conversationList[existingIndex] = wkUIConversationMsg
        else conversationList.unshift(wkUIConversationMsg)
        sort()
      },
    })
    manager.addOnDeleteMsgListener('ConversationList', {
      onDelete(channelID, channelType) {
        conversationList = conversationList.filter((known) => !isSame(known, channelID, channelType))
      },
    })
    conversationList = [...manager.getAll()]
    sort()
    expect([conversationList.map(({ channelID }) => channelID), total()]).toEqual([['g1'], 1])

    receive(wireMessage(u1, 2))
    receive(wireMessage(g1, 3))
    expect(conversationList.map(({ channelID, unreadCount }) => [channelID, unreadCount])).toEqual(
      manager.getAll().map(({ channelID, unreadCount }) => [channelID, unreadCount]),
    )
    manager.deleteWitchChannel('g1', 2)
    expect([conversationList.map(({ channelID }) => channelID), total()]).toEqual([['u1'], 2])

    manager.removeOnRefreshMsgListener('ConversationList')
    manager.removeOnDeleteMsgListener('ConversationList')
    receive(wireMessage(u9, 1))
    manager.deleteMsg('u1', 1)
    expect(conversationList.map(({ channelID }) => channelID)).toEqual(['u1'])
  })

  it('[PAGE9] onRefreshConversationMsg: isEnd is true for the last of the conversations that changed at once', () => {
    const calls: unknown[] = []
    WKIM.conversationManager.addOnRefreshMsgListener('key', (wkUIConversationMsg, isEnd) => {
      calls.push([wkUIConversationMsg.channelID, isEnd])
    })
    WKIM.conversationManager.addOnRefreshMsgListListener('key', {
      onRefresh: (list) => calls.push(list.length),
    })
    receive(wireMessage(u1, 1), wireMessage(g1, 1))
    expect(calls).toEqual([['u1', false], ['g1', true], 2])
    WKIM.conversationManager.removeOnRefreshMsgListener('key')
    WKIM.conversationManager.removeOnRefreshMsgListListener('key')
    receive(wireMessage(u1, 2))
    expect(calls).toHaveLength(3)
  })

  it('[PAGE9] a change by another device calls the same listeners', () => {
    receive(wireMessage(u1, 1), wireMessage(g1, 1))
    const calls: unknown[] = []
    WKIM.conversationManager.addOnRefreshMsgListener('key', ({ channelID, unreadCount }) => {
      calls.push([channelID, unreadCount])
    })
    WKIM.conversationManager.addOnDeleteMsgListener('key', (channelID, channelType) => {
      calls.push(['deleted', channelID, channelType])
    })
    const phone = createStore({ userId: 'me' })
    Y.applyUpdate(phone.doc, Y.encodeStateAsUpdate(store.doc))
    phone.conversation(u1).markRead()
    phone.conversation(g1).delete()
    store.applyUpdate(Y.encodeStateAsUpdate(phone.doc))
    expect(calls).toEqual([
      ['u1', 0],
      ['deleted', 'g1', 2],
    ])
  })

  it('[PAGE9] a listener that throws is reported, and the others are called', () => {
    const seen: string[] = []
    WKIM.conversationManager.addOnRefreshMsgListener('bad', () => {
      throw new Error('bad')
    })
    WKIM.conversationManager.addOnRefreshMsgListener('good', ({ channelID }) => seen.push(channelID))
    receive(wireMessage(u1, 1))
    expect([seen, errors.splice(0).map(String)]).toEqual([['u1'], ['Error: bad']])
  })

  it('[PAGE10] updateRedDotStatus, clearUnreadCount, getTotalUnreadCount and getConversationsByType', () => {
    receive(wireMessage(u1, 1), wireMessage(u1, 2), wireMessage(g1, 1))
    const calls: unknown[] = []
    WKIM.conversationManager.addOnRefreshMsgListener('key', ({ channelID, unreadCount }, isEnd) => {
      calls.push([channelID, unreadCount, isEnd])
    })
    const updateRedDotStatus = (channelID: string, channelType: number, hasRedDot: boolean): void => {
      const redDot = hasRedDot ? 1 : 0
      WKIM.getInstance().getConversationManager().updateRedDot(channelID, channelType, redDot)
    }
    const getTotalUnreadCount = (): number =>
      WKIM.getInstance()
        .getConversationManager()
        .getAll()
        .reduce((sum, { unreadCount }) => sum + unreadCount, 0)
    expect([getTotalUnreadCount(), WKIM.conversationManager.getAllUnreadCount()]).toEqual([3, 3])
    updateRedDotStatus('u1', 1, true)
    updateRedDotStatus('u1', 1, false)
    updateRedDotStatus('stranger', 1, false)
    expect(calls).toEqual([
      ['u1', 1, true],
      ['u1', 0, true],
    ])
    expect([getTotalUnreadCount(), store.keys().length]).toEqual([1, 2])
    const byType = WKIM.conversationManager
      .getAll()
      .filter((conversation) => conversation.getWkChannel().channelType === 2)
    expect(byType.map(({ channelID }) => channelID)).toEqual(['g1'])
  })

  it('[PAGE10] WKUIConversationMsg has message, channel, extra, reminders and attributes', () => {
    receive(wireMessage(u1, 1))
    store.conversation(u1).mute()
    store.conversation(u1).setAttribute('label', 'work')
    WKIM.conversationManager.updateMsgExtra({
      channelID: 'u1',
      channelType: 1,
      draft: 'Hello',
      keepMessageSeq: 1,
    })
    const conversation = WKIM.conversationManager.getWithChannel('u1', 1)
    expect(conversation).toMatchObject({
      lastMsgTimestamp: 1001,
      unreadCount: 1,
      lastMsgSeq: 1,
      clientMsgNo: 'c-u1-1',
      localExtraMap: { label: 'work' },
      wkMsg: { content: { content: 'message 1' } },
    })
    expect(conversation?.getWkChannel()).toEqual({ channelID: 'u1', channelType: 1, mute: 1, top: 0 })
    expect(conversation?.getWkMsg()?.fromUid).toBe('u1')
    expect(conversation?.getReminderList()).toEqual([])
    const extra = conversation?.getRemoteMsgExtra()
    expect(extra).toMatchObject({ draft: 'Hello', keepMessageSeq: 1 })
    // In seconds, and what Android sorts by.
    expect(conversation?.getSortTime()).toBe(extra?.draftUpdatedAt)
    expect(Math.abs((extra?.draftUpdatedAt ?? 0) - Date.now() / 1000)).toBeLessThan(60)
  })

  it('[PAGE10] deleteWitchChannel returns false and calls no listener for an unknown conversation; clearAll deletes all', () => {
    const calls: unknown[] = []
    WKIM.conversationManager.addOnDeleteMsgListener('key', (channelID) => calls.push(channelID))
    expect(WKIM.conversationManager.deleteWitchChannel('stranger', 1)).toBe(false)
    receive(wireMessage(u1, 1), wireMessage(g1, 1))
    WKIM.conversationManager.clearAll()
    expect([calls, WKIM.conversationManager.getAll()]).toEqual([[], []])
  })

  it.each(['Java', 'Kotlin'])(
    '[PAGE11] addOnSyncConversationListener is the provider (%s)',
    async (language) => {
      const requests: unknown[] = []
      const manager = WKIM.getInstance().getConversationManager()
      if (language === 'Java') {
        manager.addOnSyncConversationListener({
          syncConversationChat(last_msg_seqs, msg_count, version, iSyncConversationChatBack) {
            requests.push([last_msg_seqs, msg_count, version])
            iSyncConversationChatBack.onBack({
              uid: 'me',
              conversations: [wireConversation(u1, 4, { unread: 2 })],
            })
          },
        })
      } else {
        manager.addOnSyncConversationListener(
          (last_msg_seqs, msg_count, version, iSyncConversationChatBack) => {
            requests.push([last_msg_seqs, msg_count, version])
            iSyncConversationChatBack({ uid: 'me', conversations: [wireConversation(u1, 4, { unread: 2 })] })
          },
        )
      }
      expect(await WKIM.conversations.connected()).toBe('synced')
      expect(await WKIM.conversations.connected()).toBe('synced')
      expect(requests).toEqual([
        ['', 10, 0],
        ['u1:1:4', 10, 4],
      ])
      expect(WKIM.conversationManager.getAll().map(({ unreadCount }) => unreadCount)).toEqual([2])
    },
  )

  it('[PAGE11] getMsgExtraMaxVersion and saveSyncMsgExtras merge what the app fetched', () => {
    receive(wireMessage(u1, 1))
    const calls: unknown[] = []
    WKIM.conversationManager.addOnRefreshMsgListener('key', (conversation) => {
      calls.push(conversation.getRemoteMsgExtra().draft)
    })
    WKIM.conversationManager.saveSyncMsgExtras([
      { channel_id: 'u1', channel_type: 1, draft: 'from the web', browse_to: 1, version: 7 },
    ])
    expect([calls, WKIM.conversationManager.getMsgExtraMaxVersion()]).toEqual([['from the web'], 7])
    expect(WKIM.conversationManager.getMsgExtraWithChannel('u1', 1)).toMatchObject({
      draft: 'from the web',
      browseTo: 1,
    })
    expect(WKIM.conversationManager.getMsgExtraWithChannel('u9', 1)).toBeNull()
  })
})

describe('reminders', () => {
  const mention = (reminderID: number, more: object = {}): object => ({
    reminderID,
    messageID: `m${reminderID}`,
    channelID: 'g1',
    channelType: 2,
    messageSeq: reminderID,
    type: 1,
    uid: 'bob',
    text: '[someone @ me]',
    version: reminderID,
    done: 0,
    needUpload: 0,
    publisher: 'bob',
    ...more,
  })

  it('[PAGE12] ReminderHelper: by type, unfinished, count by type, latest', () => {
    const manager = WKIM.getInstance().getReminderManager()
    manager.saveOrUpdateReminders([mention(1), mention(2, { type: 2 }), mention(3), mention(4, { done: 1 })])
    const ids = (list: readonly WKReminder[]): number[] => list.map(({ reminderID }) => reminderID)
    expect(ids(manager.getRemindersWithType('g1', 2, 1))).toEqual([1, 3])
    expect(ids(manager.getRemindersWithType('g1', 2, 2))).toEqual([2])
    const all = manager.getReminders('g1', 2)
    expect(ids(all.filter(({ done }) => done === 0))).toEqual([1, 2, 3])
    const countMap = new Map<number, number>()
    for (const { done, type } of all) if (done === 0) countMap.set(type, (countMap.get(type) ?? 0) + 1)
    expect([...countMap]).toEqual([
      [1, 2],
      [2, 1],
    ])
    const latest = all.reduce((known, reminder) => (reminder.version > known.version ? reminder : known))
    expect([latest.reminderID, manager.getMaxVersion()]).toEqual([3, 4])
    expect(manager.getReminders('unknown', 2)).toEqual([])
  })

  it('[PAGE12] createMentionReminder: every member of a saved reminder is read back', () => {
    const reminder = mention(Date.now(), { uid: 'me', text: 'Look', messageSeq: 9 })
    WKIM.reminderManager.saveOrUpdateReminders([reminder])
    expect(WKIM.reminderManager.getReminders('g1', 2)).toEqual([expect.objectContaining(reminder)])
    // Times of this device are no versions of the server: its next reminders are requested from where they were.
    expect(store.cursors.get('wukong/reminders')).toBe(0)
  })

  it('[PAGE12] addOnNewReminderListener is called for new and changed reminders, of other devices too', () => {
    const calls: unknown[] = []
    const manager = WKIM.getInstance().getReminderManager()
    manager.addOnNewReminderListener('ReminderListener', {
      newReminder: (list) => calls.push(list.map(({ reminderID, type, done }) => [reminderID, type, done])),
    })
    manager.saveOrUpdateReminders([mention(1), mention(2, { type: 2 })])
    manager.saveOrUpdateReminders([mention(1), mention(2, { type: 2 })])
    const phone = createStore({ userId: 'me' })
    Y.applyUpdate(phone.doc, Y.encodeStateAsUpdate(store.doc))
    phone.conversation(g1).completeReminder('1')
    store.applyUpdate(Y.encodeStateAsUpdate(phone.doc))
    expect(calls).toEqual([
      [
        [1, 1, 0],
        [2, 2, 0],
      ],
      [[1, 1, 1]],
    ])
    manager.removeNewReminderListener('ReminderListener')
    manager.saveOrUpdateReminders([mention(5)])
    expect(calls).toHaveLength(2)
  })

  it('[PAGE12] a reminder that cannot be read saves none of the list, and the error names the member', () => {
    expect(() =>
      WKIM.reminderManager.saveOrUpdateReminders([mention(1), mention(2, { channelID: '' })]),
    ).toThrow('reminders[1].channel_id')
    expect(WKIM.reminderManager.getReminders('g1', 2)).toEqual([])
  })
})
