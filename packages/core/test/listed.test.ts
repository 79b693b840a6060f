import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createStore, type Store } from '../src/index.js'
import { bob, createDevices, group, message, send } from './support/devices.js'

const draftOf = (store: Store) => store.conversation(bob).draft
const listed = (store: Store) =>
  store
    .list({ archived: 'any' })
    .getSnapshot()
    .conversations.map(({ channel }) => channel.channelId)

describe('a conversation is listed', () => {
  it('[LST1] by anything unfinished that is newer than its deletion, and not by what is older', () => {
    const begin: Readonly<Record<string, (a: Store, b: Store, sync: () => void) => void>> = {
      composer: (a) => draftOf(a).set('x'),
      reply: (a) => draftOf(a).setReply(1),
      attachment: (a) => draftOf(a).setAttachment('photo', 1),
      embed: (a) => draftOf(a).text().insertEmbed(0, { image: 'x' }),
      edit: (a) => a.conversation(bob).edit(1).set('x'),
      sending: (a) => {
        draftOf(a).set('x')
        draftOf(a).send()
      },
      failed: (a) => {
        draftOf(a).set('x')
        draftOf(a).sendFailed(draftOf(a).send()?.submissionId ?? '')
      },
      recovered: (a) => {
        draftOf(a).set('x')
        draftOf(a).setAside(draftOf(a).getSnapshot().composer?.draftId ?? '')
      },
      other: (a, b, sync) => {
        draftOf(a).set('x')
        draftOf(b).set('y')
        sync()
      },
    }
    for (const [what, act] of Object.entries(begin)) {
      const devices = createDevices(2)
      const [a, b] = devices.stores as [Store, Store]
      a.receive(message(1))
      devices.sync()
      a.conversation(bob).delete()
      devices.sync()
      expect(listed(a), what).toEqual([])
      act(a, b, devices.sync)
      devices.sync()
      for (const store of [a, b, devices.add(a)]) expect(listed(store), what).toEqual(['bob'])
      b.conversation(bob).delete()
      devices.sync()
      for (const store of devices.stores) {
        expect(listed(store), what).toEqual([])
        expect(store.drafts.getSnapshot().length, what).toBeGreaterThan(0)
        expect(store.drafts.getSnapshot().every(({ hidden }) => hidden)).toBe(true)
      }
    }
  })

  it('[LST1] where one device’s clock is hours ahead, by what another writes within its millisecond', () => {
    const devices = createDevices(1)
    const [a] = devices.stores as [Store]
    const fast = createStore({ userId: 'me', environment: { now: () => devices.now + 7_200_000 } })
    fast.conversation(group).mute()
    send(fast, a)
    a.receive(message(1))
    a.conversation(bob).delete()
    devices.now += 3_600_000
    draftOf(a).set('hello again')
    expect(listed(a)).toEqual(['bob'])
    draftOf(a).leave()
    send(a, fast)
    expect(listed(fast)).toEqual(['bob'])
  })

  it('[LST2] while the first message to a new contact is on its way, by the time it was sent', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(message(1, { channel: group }))
    draftOf(a).set('hello')
    const { submissionId = '' } = draftOf(a).send() ?? {}
    devices.sync()
    for (const store of [a, b]) expect(listed(store)).toEqual(['bob', 'ubuntu'])
    draftOf(a).acknowledged(submissionId)
    devices.sync()
    for (const store of [a, b]) expect(listed(store)).toEqual(['ubuntu'])
  })

  it('[LST3] at once when the user types on after it was deleted elsewhere', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(message(1))
    draftOf(a).set('Hello')
    devices.sync()
    b.conversation(bob).delete()
    devices.sync()
    expect(listed(a)).toEqual([])
    draftOf(a).set('Hello Bob')
    expect(listed(a)).toEqual(['bob'])
    // The tab is killed before the composer is left.
    expect(listed(devices.add(a))).toEqual(['bob'])
  })

  it('[LST3] when the user had typed on without knowing that it was deleted elsewhere', () => {
    const devices = createDevices(3)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(message(1))
    draftOf(a).set('Hello')
    devices.sync()
    devices.now += 1000
    b.conversation(bob).delete()
    devices.now += 1000
    draftOf(a).text().insert(5, ' Bob')
    devices.sync()
    for (const store of devices.stores) expect(listed(store)).toEqual(['bob'])
  })

  it('[LST4] again with a newer message, with the draft from before the deletion in its composer', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(message(1))
    draftOf(a).set('secret')
    draftOf(a).leave()
    a.conversation(bob).delete()
    devices.sync()
    expect(listed(b)).toEqual([])
    b.receive(message(2))
    devices.sync()
    for (const store of [a, b]) {
      expect(listed(store)).toEqual(['bob'])
      expect(draftOf(store).getSnapshot().composer?.text).toBe('secret')
    }
  })

  it('[LST6] when it is created, before anything was said in it', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(message(1))
    a.conversation(group).create()
    devices.sync()
    for (const store of [a, b]) expect(listed(store)).toEqual(['ubuntu', 'bob'])
    expect(b.conversation(group).getSnapshot()).toMatchObject({ hidden: false, lastMessage: null, unread: 0 })
    b.conversation(group).delete()
    devices.sync()
    for (const store of [a, b]) expect(listed(store)).toEqual(['bob'])
    b.conversation(group).restore()
    expect(listed(b)).toEqual(['ubuntu', 'bob'])
    b.conversation(group).delete()
    b.conversation(group).create()
    devices.sync()
    for (const store of [a, b]) expect(listed(store)).toEqual(['ubuntu', 'bob'])
    expect(
      a.export().conversations.find(({ channel }) => channel.channelId === 'ubuntu')?.createdAt,
    ).toBeGreaterThan(0)
  })
})

describe('the list of everything unfinished', () => {
  it('[LST5] is live, sorted by time, and keeps what did not change', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    const read = () =>
      a.drafts.getSnapshot().map(({ kind, key, messageSeq, draft }) => [kind, key, messageSeq, draft.text])
    let calls = 0
    expect(a.drafts.getSnapshot()).toEqual([])
    const stop = a.drafts.subscribe(() => calls++)
    draftOf(a).set('first')
    expect(read()).toEqual([['draft', '1:bob', null, 'first']])
    const [first] = a.drafts.getSnapshot()
    devices.now += 1000
    a.conversation(group).edit(3).set('second')
    devices.now += 1000
    b.conversation(group).draft.set('third')
    const { submissionId = '' } = b.conversation(group).draft.send() ?? {}
    devices.sync()
    expect(read()).toEqual([
      ['sending', '2:ubuntu', null, 'third'],
      ['draft', '2:ubuntu', 3, 'second'],
      ['draft', '1:bob', null, 'first'],
    ])
    expect(a.drafts.getSnapshot()[2]).toBe(first)
    b.conversation(group).draft.sendFailed(submissionId)
    devices.sync()
    expect(read()[0]).toEqual(['failed', '2:ubuntu', null, 'third'])
    const before = calls
    const snapshot = a.drafts.getSnapshot()
    a.receive(message(9, { channel: group }))
    expect(a.drafts.getSnapshot()).toBe(snapshot)
    expect(calls).toBe(before)
    draftOf(a).clear()
    expect(read()).toHaveLength(2)
    const fresh = createStore({ userId: 'me' })
    fresh.applyUpdate(Y.encodeStateAsUpdate(a.doc))
    expect(fresh.drafts.getSnapshot().map(({ draft }) => draft.text)).toEqual(['third', 'second'])
    stop()
    const last = calls
    a.conversation(bob).draft.set('x')
    expect(calls).toBe(last)
  })
})
