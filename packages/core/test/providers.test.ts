import { describe, expect, it } from 'vitest'
import type { Store } from '../src/index.js'
import { bob, createDevices, group, message, messages } from './support/devices.js'

const [listed, raised] = [2, 4].map((version) => ({
  channel: bob,
  lastMsgSeq: 5,
  version,
  unread: version - 2,
}))

function composerOf(store: Store): string | undefined {
  return store.conversation(bob).getSnapshot().drafts.composer?.text
}

describe('cursors', () => {
  it('[P1] only move forward, beyond 2^53 too, and are shared', () => {
    const { stores, sync } = createDevices(2)
    const [laptop, phone] = stores as [Store, Store]
    expect(laptop.cursors.get('im')).toBe(0)
    laptop.cursors.advance('im', '1204353600000000000')
    laptop.cursors.advance('im', 7)
    phone.cursors.advance('im', 9)
    sync()
    for (const { cursors } of stores) expect(cursors.get('im')).toBe('01204353600000000000')
  })

  it('[P1] arrive together with what was written beside them', () => {
    const { stores, sync } = createDevices(2)
    const [laptop, phone] = stores as [Store, Store]
    let updates = 0
    laptop.doc.on('update', () => updates++)
    laptop.transact(() => {
      laptop.receive(message(1))
      laptop.cursors.advance('im', 3)
    })
    sync()
    expect(updates).toBe(1)
    expect(phone.cursors.get('im')).toBe(3)
  })
})

describe('counts', () => {
  it('[P2] a raised count is one mark, taken off for all by one reading', () => {
    const { stores, sync } = createDevices(2)
    const [laptop, phone] = stores as [Store, Store]
    laptop.receive(messages(1, 5))
    laptop.provide([listed!])
    sync()
    expect(laptop.conversation(bob).getSnapshot()).toMatchObject({ unread: 0, markedUnread: false })
    for (const store of stores) store.provide([raised!])
    expect(phone.conversation(bob).getSnapshot()).toMatchObject({ unread: 2, markedUnread: true })
    laptop.conversation(bob).markRead()
    sync()
    for (const store of stores) store.provide([raised!])
    for (const store of stores) {
      expect(store.conversation(bob).getSnapshot()).toMatchObject({ unread: 0, markedUnread: false })
    }
  })

  it("[P2] a mark of the provider's, or one it was told of, goes when all is read elsewhere; one of the user's stays", () => {
    const [store] = createDevices(1).stores as [Store]
    const { getSnapshot, leaveUnread, markUnread } = store.conversation(bob)
    const say = (version: number, unread: number): void =>
      store.provide([{ channel: bob, lastMsgSeq: 5, version, unread }])
    store.receive(messages(1, 5))
    say(1, 0)
    say(2, 1)
    expect(getSnapshot()).toMatchObject({ unread: 1, markedUnread: true })
    say(3, 0)
    expect(getSnapshot()).toMatchObject({ unread: 0, markedUnread: false })
    leaveUnread(1, { told: true })
    say(4, 1)
    expect(getSnapshot()).toMatchObject({ unread: 1, markedUnread: true })
    say(5, 0)
    expect(getSnapshot()).toMatchObject({ unread: 0, markedUnread: false })
    say(6, 1)
    markUnread()
    say(7, 0)
    expect(getSnapshot()).toMatchObject({ unread: 1, markedUnread: true })
  })

  it('[P2] a count that grows with newer messages, or that falls, is no mark', () => {
    const [store] = createDevices(1).stores as [Store]
    store.provide([{ channel: bob, lastMsgSeq: 5, unread: 1, recents: messages(1, 5) }])
    store.provide([{ channel: bob, lastMsgSeq: 6, unread: 2, recents: [message(6)] }])
    store.provide([{ channel: bob, lastMsgSeq: 6, unread: 1 }])
    expect(store.conversation(bob).getSnapshot()).toMatchObject({ unread: 1, markedUnread: false })
  })

  it('[P3] leaves the newest messages unread that raise a badge', () => {
    const [store] = createDevices(1).stores as [Store]
    store.receive([...messages(1, 7), message(8, { silent: true }), message(9)])
    store.conversation(bob).leaveUnread(2)
    expect(store.conversation(bob).getSnapshot()).toMatchObject({ unread: 2, readSeq: 6 })
  })

  it('[P3] marks where fewer are unread, and reads all for 0', () => {
    const [store] = createDevices(1).stores as [Store]
    const conversation = store.conversation(bob)
    store.receive(messages(1, 3))
    conversation.markRead()
    conversation.leaveUnread(4)
    expect(conversation.getSnapshot()).toMatchObject({ unread: 1, markedUnread: true, readSeq: 3 })
    conversation.leaveUnread(0)
    expect(conversation.getSnapshot()).toMatchObject({ unread: 0, markedUnread: false })
  })

  it('[P3] changes nothing where nothing was ever said', () => {
    const [store] = createDevices(1).stores as [Store]
    store.conversation(group).leaveUnread(0)
    expect(store.export().conversations).toEqual([])
  })
})

describe('drafts from elsewhere', () => {
  it('[P4] two devices that import one make one of it', () => {
    const { stores, sync } = createDevices(2)
    for (const store of stores) {
      expect(store.conversation(bob).draft.import({ draftId: 'im:7', text: 'Hello' })).toBe(true)
    }
    sync()
    for (const store of stores) {
      expect(store.conversation(bob).getSnapshot().drafts).toMatchObject({
        composer: { text: 'Hello', draftId: expect.stringMatching(/^im:7/) },
        others: [],
      })
    }
  })

  it('[P4] what one device typed into it, or cleared of it, leaves no copy behind', () => {
    for (const act of ['type', 'clear'] as const) {
      for (const place of [0, 1]) {
        const { stores, sync } = createDevices(2)
        for (const store of stores) store.conversation(bob).draft.import({ draftId: 'im:7', text: 'Hello' })
        const { draft } = stores[place]!.conversation(bob)
        if (act === 'type') draft.set('Hello Bob')
        else draft.clear()
        sync()
        for (const store of stores) {
          const { composer, others, recovered } = store.conversation(bob).getSnapshot().drafts
          expect([composer?.text, others, recovered]).toEqual([
            act === 'type' ? 'Hello Bob' : undefined,
            [],
            [],
          ])
        }
        expect(stores[0]!.export()).toEqual(stores[1]!.export())
      }
    }
  })

  it('[P4] it is not imported again once it was cleared', () => {
    const [store] = createDevices(1).stores as [Store]
    const { draft } = store.conversation(bob)
    draft.import({ draftId: 'im:7', text: 'Hello' })
    draft.clear()
    expect(draft.import({ draftId: 'im:7', text: 'Hello' })).toBe(false)
    expect(draft.import({ draftId: 'im:8', text: '  ' })).toBe(false)
    expect(draft.shared()).toBeNull()
  })

  it('[P4] one edited earlier than what is typed here is put beside it', () => {
    const devices = createDevices(1)
    const [store] = devices.stores as [Store]
    const before = devices.now
    const { draft } = store.conversation(bob)
    draft.set('Mine')
    draft.leave()
    draft.import({ draftId: 'im:7', text: 'Theirs', editedAt: before, device: 'Web' })
    expect(composerOf(store)).toBe('Mine')
    expect(draft.getSnapshot().others).toMatchObject([{ text: 'Theirs', device: 'Web' }])
    draft.import({ draftId: 'im:8', text: 'Later' })
    expect(draft.shared()?.text).toBe('Later')
  })

  it('[P4] a text being typed stays in the composer, and is not what the document has', () => {
    const [store] = createDevices(1).stores as [Store]
    const { draft } = store.conversation(bob)
    draft.set('Mine')
    draft.import({ draftId: 'im:7', text: 'Later' })
    expect(composerOf(store)).toBe('Mine')
    expect(draft.shared()?.text).toBe('Later')
  })
})

describe('notes', () => {
  it('[P5] what was agreed on is shared and shows nowhere', () => {
    const { stores, sync } = createDevices(2)
    const [laptop, phone] = stores as [Store, Store]
    laptop.conversation(bob).agree('im', { draft: 'a' })
    sync()
    expect(phone.conversation(bob).agreed('im')).toEqual({ draft: 'a' })
    expect(phone.conversation(bob).agreed('other')).toBeNull()
    expect(phone.conversation(bob).getSnapshot()).toMatchObject({ hidden: true, attributes: {} })
    phone.conversation(bob).agree('im', { draft: 'b' })
    sync()
    expect(laptop.conversation(bob).agreed('im')).toEqual({ draft: 'b' })
  })

  it('[P6] tells which conversations were touched, hidden ones too', () => {
    const { stores, sync } = createDevices(2)
    const [laptop, phone] = stores as [Store, Store]
    const heard: string[][] = []
    const stop = phone.onTouch((keys) => heard.push([...keys]))
    laptop.receive(message(1))
    sync()
    laptop.conversation(group).browseTo(4)
    sync()
    stop()
    phone.receive(message(2))
    expect(heard).toEqual([['1:bob'], ['2:ubuntu']])
    phone.conversation({ channelId: 'c', channelType: 3 }).draft.set('x')
    expect(phone.keys().sort()).toEqual(['1:bob', '2:ubuntu', '3:c'])
  })

  it('[C2] a recalled message keeps its names', () => {
    const [store] = createDevices(1).stores as [Store]
    store.receive(message(1, { messageId: '9', clientMsgNo: 'c', removed: true, version: 1 }))
    expect(store.conversation(bob).getSnapshot().lastMessage).toMatchObject({
      messageId: '9',
      clientMsgNo: 'c',
      removed: true,
    })
  })
})
