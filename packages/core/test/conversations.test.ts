import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  type Channel,
  createStore,
  type Message,
  MUTE_FOREVER,
  ParleyError,
  type ProvidedConversation,
  type Store,
} from '../src/index.js'
import { bob, createDevices, group, lines, message, messages } from './support/devices.js'

function unreadOf(store: Store, channel: Channel = bob): number {
  return store.conversation(channel).getSnapshot().unread
}

describe('messages', () => {
  it('[C1] the newest message stays, whatever comes late or twice', () => {
    const store = createStore({ userId: 'me' })
    store.receive([message(3), message(1), message(2), message(3)])
    const before = store.conversation(bob).getSnapshot()
    expect(before).toMatchObject({
      unread: 3,
      lastMessage: { messageSeq: 3, payload: { text: 'message 3' } },
    })
    store.receive(messages(1, 3))
    expect(store.conversation(bob).getSnapshot()).toBe(before)
  })

  it('[C1] an edit is shown by its own version, an older one that comes late is not', () => {
    const store = createStore({ userId: 'me' })
    store.receive(message(1, { payload: 'second edit', version: 2 }))
    store.receive([message(1), message(1, { payload: 'first edit', version: 1 })])
    expect(store.conversation(bob).getSnapshot().lastMessage).toMatchObject({
      payload: 'second edit',
      version: 2,
    })
  })

  it('[C2] a recalled message stays in its place without its text, also when it is replayed', () => {
    const store = createStore({ userId: 'me' })
    store.receive(messages(1, 2))
    store.receive(message(2, { removed: true, version: 1 }))
    store.receive(message(2))
    const { lastMessage, activeAt, unread } = store.conversation(bob).getSnapshot()
    expect(lastMessage).toMatchObject({ messageSeq: 2, removed: true, fromUid: 'bob' })
    expect(lastMessage).not.toHaveProperty('payload')
    expect(activeAt).toBe(message(2).timestamp)
    expect(unread).toBe(2)
    store.maintain()
    expect(lines(store).join()).not.toContain('message 2')
  })

  it('[E6] ten thousand messages are one update and one batch', () => {
    const store = createStore({ userId: 'me' })
    let batches = 0
    store.onChange(() => batches++)
    store.receive(messages(1, 10_000))
    expect(batches).toBe(1)
    expect(unreadOf(store)).toBe(10_000)
    expect(lines(store)).toHaveLength(1)
  })
})

describe('unread', () => {
  it('[C3] a read position only moves forward, on all devices', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(messages(1, 100))
    devices.sync()
    a.conversation(bob).markRead(100)
    b.conversation(bob).markRead(50)
    devices.sync()
    for (const store of devices.stores) {
      expect(store.conversation(bob).getSnapshot()).toMatchObject({ readSeq: 100, unread: 0 })
    }
  })

  it('[C4] own messages and what was before joining raise no badge', () => {
    const store = createStore({ userId: 'me' })
    store.receive(messages(1, 4))
    store.conversation(bob).setJoinSeq(3)
    expect(unreadOf(store)).toBe(2)
    store.receive(message(5, { fromUid: 'me' }))
    expect(unreadOf(store)).toBe(0)
    store.receive(message(6))
    expect(unreadOf(store)).toBe(1)
  })

  it('[C4] silent messages are not counted, whatever was read or deleted before them', () => {
    const store = createStore({ userId: 'me' })
    store.receive([...messages(1, 5), message(6, { silent: true }), message(7, { silent: true }), message(8)])
    store.conversation(bob).markRead(5)
    expect(unreadOf(store)).toBe(1)
    store.conversation(bob).delete()
    store.receive([message(9), message(10)])
    expect(unreadOf(store)).toBe(2)
  })

  it('[C4] a provider can lower the badge, not raise it, and newer messages count on top', () => {
    const store = createStore({ userId: 'me' })
    store.receive(messages(1, 11))
    store.conversation(bob).markRead(2)
    store.provide([{ channel: bob, lastMsgSeq: 11, unread: 3 }])
    expect(unreadOf(store)).toBe(3)
    store.receive([message(12), message(13, { silent: true })])
    expect(unreadOf(store)).toBe(4)
    store.provide([{ channel: bob, lastMsgSeq: 13, unread: 900 }])
    expect(unreadOf(store)).toBe(10)
  })

  it('[C4] of two figures for the same message the lower one counts, in either order', () => {
    for (const figures of [
      [7, 0],
      [0, 7],
      [9, 10],
      [10, 9],
    ]) {
      const store = createStore({ userId: 'me' })
      store.receive(messages(1, 20))
      for (const unread of figures)
        store.provide([{ channel: bob, lastMsgSeq: 20, version: '1204353600000000000', unread }])
      expect(unreadOf(store)).toBe(Math.min(...figures))
    }
  })

  it('[C5] what two devices know of silent messages adds up', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive([message(4), message(5, { silent: true })])
    b.receive([message(7, { silent: true }), message(8)])
    devices.sync()
    for (const store of devices.stores) {
      expect(store.export().conversations[0]?.quiet).toEqual([
        { from: 5, to: 5 },
        { from: 7, to: 7 },
      ])
      expect(unreadOf(store)).toBe(6)
    }
  })

  it('[C5] a run of silent messages is one entry, however it comes', () => {
    const store = createStore({ userId: 'me' })
    for (let seq = 1; seq <= 50; seq++) store.receive(message(seq, { silent: true }))
    store.receive(message(51))
    store.maintain()
    expect(lines(store, 'quiet.')).toHaveLength(1)
    expect(unreadOf(store)).toBe(1)
  })

  it('[C6] a mark shows a badge until it is read, and a read that had not seen it leaves it', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(messages(1, 3))
    a.conversation(bob).markRead()
    devices.sync()
    a.conversation(bob).markUnread()
    expect(unreadOf(a)).toBe(1)
    b.conversation(bob).markRead()
    devices.sync()
    expect(unreadOf(a)).toBe(1)
    expect(unreadOf(b)).toBe(1)
    b.conversation(bob).markRead()
    devices.sync()
    expect(unreadOf(a)).toBe(0)
    expect(a.conversation(bob).getSnapshot().markedUnread).toBe(false)
  })

  it('[C7] taking off one mark leaves the one that another device put on at the same time', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(message(1))
    devices.sync()
    a.conversation(bob).markUnread()
    b.conversation(bob).markUnread()
    b.conversation(bob).markRead()
    devices.sync()
    for (const store of devices.stores) expect(store.conversation(bob).getSnapshot().markedUnread).toBe(true)
  })

  it('[C14] mentions count until they are read', () => {
    const store = createStore({ userId: 'me' })
    store.receive([
      message(1, { mentionsMe: true }),
      message(2),
      message(3, { mentionsMe: true, fromUid: 'me' }),
    ])
    expect(store.conversation(bob).getSnapshot().mentions).toBe(0)
    store.receive([message(4, { mentionsMe: true }), message(5)])
    expect(store.conversation(bob).getSnapshot().mentions).toBe(1)
    expect(store.totals.getSnapshot().mentions).toBe(1)
    store.conversation(bob).markRead(4)
    expect(store.totals.getSnapshot().mentions).toBe(0)
  })
})

describe('deleting and archiving', () => {
  it('[C8] a newer message brings a deleted conversation back, an older one does not', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(messages(1, 10))
    a.conversation(bob).delete()
    expect(a.list().getSnapshot().total).toBe(0)
    b.receive(messages(1, 9))
    devices.sync()
    expect(b.list().getSnapshot().total).toBe(0)
    b.receive(message(11))
    devices.sync()
    for (const store of devices.stores) {
      expect(store.list().getSnapshot().total).toBe(1)
      expect(unreadOf(store)).toBe(1)
    }
  })

  it('[C8] an archived conversation comes back with a newer message', () => {
    const store = createStore({ userId: 'me' })
    store.receive(message(1))
    store.conversation(bob).archive()
    expect(store.list().getSnapshot().total).toBe(0)
    expect(store.list({ archived: true }).getSnapshot().total).toBe(1)
    store.receive(message(2))
    expect(store.list().getSnapshot().total).toBe(1)
    store.conversation(bob).archive()
    store.conversation(bob).unarchive()
    expect(store.conversation(bob).getSnapshot().archived).toBe(false)
  })

  it('[C9] a device that deleted less, later, does not bring back what another deleted', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    b.receive(messages(1, 8))
    a.receive(messages(1, 10))
    a.conversation(bob).delete()
    b.conversation(bob).delete()
    devices.sync()
    for (const store of devices.stores) {
      expect(store.export().conversations[0]?.deletedTo).toBe(10)
      expect(store.list().getSnapshot().total).toBe(0)
    }
  })

  it('[C9] an undo takes back what it has seen, and not a deletion made elsewhere meanwhile', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(messages(1, 4))
    devices.sync()
    a.conversation(bob).delete()
    b.receive(messages(5, 6))
    b.conversation(bob).delete()
    a.conversation(bob).restore()
    expect(a.list().getSnapshot().total).toBe(1)
    devices.sync()
    for (const store of devices.stores) expect(store.list().getSnapshot().total).toBe(0)
    a.conversation(bob).restore()
    devices.sync()
    for (const store of devices.stores) expect(store.list().getSnapshot().total).toBe(1)
  })

  it('[C9] an undo goes back to the floor before, so that older messages stay deleted', () => {
    const store = createStore({ userId: 'me' })
    store.receive(messages(1, 5))
    store.conversation(bob).delete()
    store.receive(messages(6, 8))
    store.conversation(bob).delete()
    store.conversation(bob).restore()
    expect(store.export().conversations[0]?.deletedTo).toBe(5)
    expect(unreadOf(store)).toBe(3)
  })

  it('[C9] deleting again what another device deleted further keeps the own lower floor', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(messages(1, 2))
    a.conversation(bob).delete()
    // This device deletes more, without having seen that deletion.
    b.receive(messages(1, 3))
    b.conversation(bob).delete()
    devices.sync()
    a.conversation(bob).delete()
    a.conversation(bob).restore()
    devices.sync()
    for (const store of devices.stores) {
      expect(store.export().conversations[0]).toMatchObject({ deletedTo: 2, hidden: false, unread: 1 })
    }
  })

  it('[C9] what is hidden twice, here or on another device, is shown again by one undo', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(messages(1, 3))
    a.conversation(bob).archive()
    a.conversation(bob).delete()
    a.conversation(bob).delete()
    devices.sync()
    b.conversation(bob).archive()
    devices.sync()
    a.conversation(bob).unarchive()
    a.conversation(bob).restore()
    devices.sync()
    for (const { archived, hidden } of [a, b].map((store) => store.conversation(bob).getSnapshot())) {
      expect({ archived, hidden }).toEqual({ archived: false, hidden: false })
    }
  })

  it('[C8] deleting takes the badge away, marks included', () => {
    const store = createStore({ userId: 'me' })
    store.receive(messages(1, 5))
    store.conversation(bob).markUnread()
    store.conversation(bob).delete()
    expect(store.conversation(bob).getSnapshot()).toMatchObject({
      unread: 0,
      markedUnread: false,
      hidden: true,
    })
    expect(store.totals.getSnapshot().unread).toBe(0)
  })
})

describe('the rest of a conversation', () => {
  it('[C10] devices that pin at once lose neither, and show one order', () => {
    const devices = createDevices(3)
    const [a, b, c] = devices.stores as [Store, Store, Store]
    const channels = ['one', 'two', 'three', 'four'].map((channelId) => ({ channelId, channelType: 1 }))
    a.receive(channels.map((channel, place) => message(place + 1, { channel })))
    devices.sync()
    a.conversation(channels[0] as Channel).pin()
    b.conversation(channels[1] as Channel).pin()
    c.conversation(channels[2] as Channel).pin()
    devices.sync()
    const orderOf = (store: Store) =>
      store
        .list()
        .getSnapshot()
        .conversations.map(({ channel }) => channel.channelId)
    expect(orderOf(a).slice(0, 3).sort()).toEqual(['one', 'three', 'two'])
    expect(orderOf(a)[3]).toBe('four')
    const [first, second] = orderOf(a) as [string, string]
    b.conversation(channels[3] as Channel).pin({ after: { channelId: first, channelType: 1 } })
    devices.sync()
    for (const store of devices.stores) {
      expect(orderOf(store)).toEqual(orderOf(a))
      expect(orderOf(store).slice(0, 3)).toEqual([first, 'four', second])
    }
    a.conversation(channels[3] as Channel).unpin()
    expect(orderOf(a)[3]).toBe('four')
  })

  it('[L6] [C10] channels and pins that no device of ours writes are ignored', () => {
    const devices = createDevices(1)
    const [store] = devices.stores as [Store]
    store.receive([message(1), message(1, { channel: group })])
    const subjects = ['999:x', '1x:y', '01:z', '1:', `1:${'x'.repeat(201)}`]
    store.doc.getArray('e0').push(subjects.map((subject) => `${subject}\thead\t1,0\t[1,{}]`))
    store.doc.getArray('e0').push(['1:bob\tpin\t1600000000000,0,"other"\t"not an index"'])
    expect(store.list().getSnapshot().total).toBe(2)
    expect(devices.add(store).export().conversations).toHaveLength(2)
    expect(store.conversation(bob).getSnapshot().pinned).toBe(false)
    store.conversation(group).pin('last')
    expect(store.list().getSnapshot().conversations[0]?.pinned).toBe(true)
  })

  it('[C10] a thousand pins at one place stay in order', () => {
    const store = createStore({ userId: 'me' })
    const channels = Array.from({ length: 300 }, (_, place) => ({ channelId: `c${place}`, channelType: 1 }))
    store.receive(channels.map((channel) => message(1, { channel })))
    store.conversation(channels[0] as Channel).pin()
    for (const channel of channels.slice(1))
      store.conversation(channel).pin({ after: channels[0] as Channel })
    const order = store
      .list()
      .getSnapshot()
      .conversations.map(({ channel }) => channel.channelId)
    expect(order).toEqual([
      'c0',
      ...channels
        .slice(1)
        .map(({ channelId }) => channelId)
        .reverse(),
    ])
  })

  it('[C11] mute, position and attributes: the later action wins, each by itself', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(message(1))
    devices.sync()
    a.conversation(bob).setAttribute('theme', 'dark')
    a.conversation(bob).mute()
    b.conversation(bob).setAttribute('note', { text: 'call back' })
    b.conversation(bob).keepPosition({ messageSeq: 1, offsetY: -12 })
    b.conversation(bob).draft.set('untouched')
    a.conversation(bob).setAttribute('theme', null)
    devices.sync()
    expect(b.conversation(bob).getSnapshot()).toMatchObject({
      muted: true,
      mutedUntil: MUTE_FOREVER,
      attributes: { note: { text: 'call back' } },
      keptPosition: { messageSeq: 1, offsetY: -12 },
      drafts: { composer: { text: 'untouched' } },
    })
    expect(b.conversation(bob).getSnapshot().attributes).not.toHaveProperty('theme')
  })

  it('[C12] a reminder that is done on one device is done on all, and stays so', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.conversation(group).setReminder({ reminderId: '7', version: 5, data: { text: 'mention' } })
    devices.sync()
    b.conversation(group).completeReminder('7')
    a.conversation(group).setReminder({ reminderId: '7', version: 12, data: { text: 'edited' } })
    devices.sync()
    for (const store of devices.stores) {
      expect(store.conversation(group).getSnapshot().reminders).toEqual([
        { reminderId: '7', done: true, version: 5, data: { text: 'mention' } },
      ])
    }
  })

  it('[C13] a mute ends at its time where only the conversation is looked at, and not after closing', () => {
    let now = 1_700_000_000_000
    const timers = new Set<() => void>()
    const store = createStore({
      userId: 'me',
      environment: {
        now: () => now,
        schedule(task) {
          timers.add(task)
          return () => timers.delete(task)
        },
      },
    })
    const conversation = store.conversation(bob)
    let told = 0
    conversation.subscribe(() => told++)
    conversation.mute(now + 1000)
    expect(conversation.getSnapshot().muted).toBe(true)
    now += 2000
    for (const task of timers) {
      timers.delete(task)
      task()
    }
    expect(conversation.getSnapshot().muted).toBe(false)
    expect(told).toBe(2)
    conversation.mute(now + 1000)
    store.close()
    store.list().getSnapshot()
    expect(timers.size).toBe(0)
  })

  it('[C13] a mute ends at its time, and badges and listeners learn of it', () => {
    let now = 1_700_000_000_000
    const timers: Array<{ task: () => void; at: number }> = []
    const store = createStore({
      userId: 'me',
      environment: {
        now: () => now,
        schedule(task, delayMs) {
          const timer = { task, at: now + delayMs }
          timers.push(timer)
          return () => timers.splice(timers.indexOf(timer), 1)
        },
      },
    })
    store.receive(messages(1, 2))
    store.conversation(bob).mute(now + 5000)
    const sources: string[] = []
    store.onChange(({ source, changes }) => sources.push(`${source} ${changes.map(({ type }) => type)}`))
    expect(store.totals.getSnapshot()).toMatchObject({ unread: 0, mutedUnread: 2 })
    now += 5000
    for (const timer of timers.filter(({ at }) => at <= now)) timer.task()
    expect(store.totals.getSnapshot()).toMatchObject({ unread: 2, mutedUnread: 0 })
    expect(store.conversation(bob).getSnapshot().muted).toBe(false)
    expect(sources).toEqual(['time updated'])
  })

  it('[E1] an action that changes nothing writes nothing', () => {
    const store = createStore({ userId: 'me' })
    store.receive(messages(1, 3))
    store.conversation(bob).markRead(3)
    const before = lines(store).length
    store.conversation(bob).markRead(2)
    store.conversation(bob).markRead(3)
    store.conversation(bob).unpin()
    store.conversation(bob).unmute()
    store.conversation(bob).markUnread()
    store.conversation(bob).markUnread()
    store.receive(messages(1, 3))
    expect(lines(store)).toHaveLength(before + 1)
  })
})

describe('sweeps', () => {
  it('[E2] two devices that wrote the same entry do not delete each other’s', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(messages(1, 9))
    devices.sync()
    a.conversation(bob).markRead(7)
    b.conversation(bob).markRead(7)
    devices.sync()
    for (const store of devices.stores) store.maintain()
    devices.sync()
    for (const store of devices.stores) {
      expect(lines(store, '\tread\t').length).toBeGreaterThan(0)
      expect(store.conversation(bob).getSnapshot().readSeq).toBe(7)
      expect(createDevices(0).add(store).conversation(bob).getSnapshot().readSeq).toBe(7)
    }
  })

  it('[E4] a register that is written again and again keeps one entry', () => {
    const store = createStore({ userId: 'me' })
    store.receive(messages(1, 1000))
    for (let seq = 1; seq <= 1000; seq++) store.conversation(bob).markRead(seq)
    expect(lines(store, '\tread\t').length).toBeLessThan(130)
    store.maintain()
    expect(lines(store, '\tread\t')).toHaveLength(1)
  })

  it('[E5] thousands of entries of one register that others left behind are read, and swept by others, at once', () => {
    const author = new Y.Doc()
    const array = author.getArray('e0')
    array.push(Array.from({ length: 20_000 }, (_, seq) => `1:bob\tread\t${seq + 1}`))
    const store = createStore({ userId: 'me' })
    const start = performance.now()
    store.applyUpdate(Y.encodeStateAsUpdate(author))
    array.delete(0, 19_999)
    store.applyUpdate(Y.encodeStateAsUpdate(author))
    expect(performance.now() - start).toBeLessThan(3000)
    expect(store.conversation(bob).getSnapshot().readSeq).toBe(20_000)
  })

  it('[E5] a winner that somebody deletes against the rules gives way to what is left, as after a reload', () => {
    const store = createStore({ userId: 'me' })
    store.receive(messages(1, 9))
    store.doc.getArray('e0').push(['1:bob\tread\t8', '1:bob\tread\t3'])
    expect(store.conversation(bob).getSnapshot().readSeq).toBe(8)
    store.doc.getArray('e0').delete(store.doc.getArray('e0').toArray().indexOf('1:bob\tread\t8'), 1)
    expect(store.conversation(bob).getSnapshot().readSeq).toBe(3)
    store.doc.getArray('e0').push(['1:nobody\tread\t1'])
    store.doc.getArray('e0').delete(store.doc.getArray('e0').length - 1, 1)
    expect(JSON.stringify(createDevices(0).add(store).export())).toBe(JSON.stringify(store.export()))
  })
})

describe('bad input', () => {
  const store = createStore({ userId: 'me' })
  store.receive(messages(1, 3))
  const conversation = store.conversation(bob)
  const cases: Array<[field: string, action: () => unknown]> = [
    ['userId', () => createStore({ userId: '' })],
    ['channel.channelType', () => store.conversation({ channelId: 'x', channelType: 1.5 })],
    [
      'channel.channelType',
      () => store.conversation({ channelId: 'x', channelType: '2' as unknown as number }),
    ],
    ['channel.channelId', () => store.conversation({ channelId: '', channelType: 1 })],
    ['channel.channelId', () => store.conversation({ channelId: 'x'.repeat(201), channelType: 1 })],
    ['channel.channelId', () => store.conversation({ channelId: '\ud83d', channelType: 1 })],
    ['messages[1].messageSeq', () => store.receive([message(4), message(-1)])],
    ['messages[0].messageSeq', () => store.receive(message(2 ** 32))],
    ['messages[0].messageSeq', () => store.receive(message(Number.NaN))],
    ['messages[0].timestamp', () => store.receive(message(4, { timestamp: Number.NaN }))],
    ['messages[0].fromUid', () => store.receive(message(4, { fromUid: 7 as unknown as string }))],
    ['messages[0].version', () => store.receive(message(4, { version: -1 }))],
    ['messages[0]', () => store.receive(message(4, { messageId: 'x'.repeat(70_000) }))],
    ['messages[0].payload', () => store.receive(message(4, { payload: Number.NaN }))],
    ['conversations[0].unread', () => store.provide([{ channel: bob, lastMsgSeq: 1, unread: 2 ** 64 }])],
    [
      'conversations[0].recents[0].channel',
      () => store.provide([{ channel: group, lastMsgSeq: 1, recents: [message(1)] }]),
    ],
    ['conversations', () => store.provide(null as unknown as [])],
    ['conversations[0]', () => store.provide([null as unknown as ProvidedConversation])],
    [
      'conversations[0].recents',
      () => store.provide([{ channel: bob, lastMsgSeq: 1, recents: null as unknown as [] }]),
    ],
    [
      'conversations[0].recents[0].channel',
      () => store.provide([{ channel: bob, lastMsgSeq: 1, recents: [null as unknown as Message] }]),
    ],
    ['upToSeq', () => conversation.markRead(-1)],
    ['until', () => conversation.mute(Number.NaN)],
    ['position.offsetY', () => conversation.keepPosition({ messageSeq: 1, offsetY: Number.NaN })],
    ['name', () => conversation.setAttribute('', 1)],
    ['value', () => conversation.setAttribute('note', undefined as unknown as null)],
    ['reminder.version', () => conversation.setReminder({ reminderId: '1', version: 0.5 })],
    ['reminder.data', () => conversation.setReminder({ reminderId: '1', version: 1, data: Number.NaN })],
    ['place.after', () => conversation.pin({ after: group })],
    ['text', () => conversation.draft.set('x'.repeat(2 ** 20 + 1))],
    ['attachment.size', () => conversation.draft.setAttachment('a', { size: Number.NaN })],
    ['draftId', () => conversation.draft.choose('nobody')],
    ['submissionId', () => conversation.draft.acknowledged('nobody.1')],
  ]

  it.each(cases)('[B1] %s is named, and nothing changes', (field, action) => {
    const before = JSON.stringify(store.export())
    const entries = lines(store)
    let error: unknown
    try {
      action()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ParleyError)
    expect((error as ParleyError).field).toBe(field)
    expect((error as ParleyError).message).toContain(field)
    expect(JSON.stringify(store.export())).toBe(before)
    expect(lines(store)).toEqual(entries)
  })

  it('[B1] a closed store says so', () => {
    const closed = createStore({ userId: 'me' })
    closed.close()
    closed.close()
    expect(() => closed.receive(message(1))).toThrow(/closed/)
  })
})
