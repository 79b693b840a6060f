import { describe, expect, it } from 'vitest'
import { type ChangeBatch, type Channel, createStore, type Store } from '../src/index.js'
import { createRandom } from '../src/testing/index.js'
import { createDevices, message } from './support/devices.js'

const channels: Channel[] = Array.from({ length: 20 }, (_, place) => ({
  channelId: `c${place}`,
  channelType: 1 + (place % 2),
}))

function fill(store: Store): void {
  store.receive(channels.map((channel, place) => message(1, { channel, timestamp: 1000 * (place + 1) })))
}

function idsOf(store: Store, ...args: Parameters<Store['list']>): string[] {
  return store
    .list(...args)
    .getSnapshot()
    .conversations.map(({ channel }) => channel.channelId)
}

describe('lists', () => {
  it('[V1] pinned ones first, then the newest activity', () => {
    const store = createStore({ userId: 'me' })
    fill(store)
    store.conversation(channels[3] as Channel).pin()
    store.conversation(channels[5] as Channel).pin('last')
    expect(idsOf(store).slice(0, 4)).toEqual(['c3', 'c5', 'c19', 'c18'])
    store.receive(message(2, { channel: channels[0] as Channel, timestamp: 99_000 }))
    expect(idsOf(store).slice(0, 3)).toEqual(['c3', 'c5', 'c0'])
  })

  it('[V2] filters by type, badge, pin, mute, archive and any test', () => {
    const store = createStore({ userId: 'me' })
    fill(store)
    const [first, second, third] = channels as [Channel, Channel, Channel]
    store.conversation(first).markRead()
    store.conversation(second).mute()
    store.conversation(third).archive()
    expect(idsOf(store, { channelTypes: [2] })).toHaveLength(10)
    expect(idsOf(store, { unread: false })).toEqual(['c0'])
    expect(idsOf(store, { muted: true })).toEqual(['c1'])
    expect(idsOf(store, { archived: true })).toEqual(['c2'])
    expect(idsOf(store, { archived: 'any' })).toHaveLength(20)
    expect(idsOf(store, { match: ({ channel }) => channel.channelId.endsWith('7') })).toEqual(['c17', 'c7'])
  })

  it('[V2] a window shows a part, and follows the list', () => {
    const store = createStore({ userId: 'me' })
    fill(store)
    const view = store.list({}, { offset: 2, limit: 3 })
    const ids = () => view.getSnapshot().conversations.map(({ channel }) => channel.channelId)
    expect(ids()).toEqual(['c17', 'c16', 'c15'])
    expect(view.getSnapshot().total).toBe(20)
    store.receive(message(2, { channel: channels[0] as Channel, timestamp: 99_000 }))
    expect(ids()).toEqual(['c18', 'c17', 'c16'])
    view.setWindow({ offset: 0, limit: 1 })
    expect(ids()).toEqual(['c0'])
    view.setFilter({ channelTypes: [2] })
    expect(ids()).toEqual(['c19'])
  })

  it('[V2] what did not change keeps its identity, and nobody is told', () => {
    const store = createStore({ userId: 'me' })
    fill(store)
    const view = store.list({}, { offset: 0, limit: 5 })
    let told = 0
    const stop = view.subscribe(() => told++)
    const before = view.getSnapshot()
    expect(view.getSnapshot()).toBe(before)
    store.conversation(channels[0] as Channel).setAttribute('note', 'outside of the window')
    expect(view.getSnapshot()).toBe(before)
    expect(told).toBe(0)
    store.conversation(channels[19] as Channel).markRead()
    const after = view.getSnapshot()
    expect(told).toBe(1)
    expect(after).not.toBe(before)
    expect(after.conversations[0]).not.toBe(before.conversations[0])
    expect(after.conversations[0]?.lastMessage).toBe(before.conversations[0]?.lastMessage)
    expect(after.conversations[1]).toBe(before.conversations[1])
    stop()
    store.conversation(channels[18] as Channel).markRead()
    expect(told).toBe(1)
  })

  it('[V2] a closed view follows no more', () => {
    const store = createStore({ userId: 'me' })
    fill(store)
    const view = store.list()
    const before = view.getSnapshot()
    view.close()
    view.close()
    store.conversation(channels[0] as Channel).pin()
    expect(view.getSnapshot()).toBe(before)
  })

  it('[V2] a listener may look at other lists, filter them, and turn away from a draft', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    fill(a)
    const conversation = a.conversation(channels[3] as Channel)
    conversation.draft.set('sent from here')
    conversation.draft.send()
    devices.sync()
    const elsewhere = b.conversation(channels[3] as Channel).draft
    elsewhere.set('begun elsewhere')
    elsewhere.leave()
    devices.sync()
    const [first, second, third, fourth] = [a.list(), a.list(), a.list(), a.list()]
    let act = () => {}
    first.subscribe(() => act())
    second.subscribe(() => {})
    third.subscribe(() => {})
    const sources: Array<number | undefined> = []
    a.onChange(({ changes: [change] }) =>
      sources.push(change?.type === 'removed' ? undefined : change?.conversation.activeAt),
    )
    act = () => {
      act = () => {}
      third.setFilter({ unread: true })
      fourth.getSnapshot()
      conversation.draft.leave()
    }
    a.receive(message(2, { channel: channels[3] as Channel, timestamp: 60_000 }))
    expect(conversation.getSnapshot().drafts.composer?.text).toBe('begun elsewhere')
    const keys = idsOf(a)
    expect(new Set(keys).size).toBe(20)
    for (const view of [first, second, third, fourth]) {
      expect(view.getSnapshot().conversations.map(({ channel }) => channel.channelId)).toEqual(keys)
    }
    expect(sources[0]).toBe(60_000)
    expect(sources[1]).toBe(conversation.getSnapshot().activeAt)
  })

  it('[V2] a list whose own test throws once is right again afterwards', () => {
    const errors: unknown[] = []
    const store = createStore({ userId: 'me', environment: { reportError: (error) => errors.push(error) } })
    fill(store)
    let broken = false
    const view = store.list({
      match() {
        if (broken) throw new Error('broken test')
        return true
      },
    })
    view.getSnapshot()
    broken = true
    store.conversation(channels[3] as Channel).pin()
    broken = false
    store.conversation(channels[3] as Channel).unpin()
    expect(errors.length).toBeGreaterThan(0)
    expect(view.getSnapshot().conversations.map(({ key }) => key)).toEqual(
      store
        .list()
        .getSnapshot()
        .conversations.map(({ key }) => key),
    )
  })

  it('[V3] totals count muted ones apart, and neither archived nor hidden ones', () => {
    const store = createStore({ userId: 'me' })
    fill(store)
    let told = 0
    store.totals.subscribe(() => told++)
    expect(store.totals.getSnapshot()).toMatchObject({ unread: 20, unreadConversations: 20, mutedUnread: 0 })
    store.conversation(channels[0] as Channel).mute()
    store.conversation(channels[1] as Channel).archive()
    store.conversation(channels[2] as Channel).delete()
    expect(store.totals.getSnapshot()).toMatchObject({
      unread: 17,
      unreadConversations: 17,
      mutedUnread: 1,
      mutedUnreadConversations: 1,
    })
    expect(told).toBe(3)
    store.conversation(channels[5] as Channel).pin()
    expect(told).toBe(3)
  })

  it('[V4] a transaction is one batch that says what happened, here or elsewhere', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    fill(a)
    devices.sync()
    const batches: ChangeBatch[] = []
    b.onChange((batch) => batches.push(batch))
    a.transact(() => {
      a.conversation(channels[0] as Channel).markRead()
      a.conversation(channels[1] as Channel).pin()
      a.conversation(channels[2] as Channel).delete()
      a.receive(message(1, { channel: { channelId: 'new', channelType: 1 }, timestamp: 5500 }))
    })
    devices.sync(a, b)
    expect(batches).toHaveLength(1)
    const [batch] = batches as [ChangeBatch]
    expect(batch.source).toBe('remote')
    const described = batch.changes.map((change) =>
      change.type === 'removed' ? `${change.key} removed from ${change.from}` : describe_(change),
    )
    expect(described.sort()).toEqual([
      '1:c0 updated readSeq,unread',
      '1:c2 removed from 17',
      '1:new added to 16',
      '2:c1 moved pinned from 18 to 0',
    ])
    b.conversation(channels[4] as Channel).setAttribute('note', 1)
    expect(batches[1]).toMatchObject({
      source: 'local',
      changes: [{ type: 'updated', fields: ['attributes'] }],
    })
  })

  it('[V4] [E5] applying changes as told gives the list', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    const mirror = new Map<string, number>()
    b.onChange(({ changes }) => {
      for (const change of changes) {
        if (change.type === 'removed') mirror.delete(change.key)
        else mirror.set(change.conversation.key, change.conversation.unread)
      }
    })
    fill(a)
    devices.sync()
    for (const [place, channel] of channels.entries()) {
      if (place % 3 === 0) a.conversation(channel).delete()
      if (place % 4 === 0) b.receive(message(2, { channel, timestamp: 50_000 }))
      if (place % 5 === 0) a.conversation(channel).markRead()
    }
    devices.sync()
    const listed = b.list({ archived: 'any' }).getSnapshot().conversations
    expect(new Map([...mirror].sort())).toEqual(
      new Map(listed.map(({ key, unread }): [string, number] => [key, unread]).sort()),
    )
  })

  it('[V4] taking out and putting in as told gives the list in its order', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = createRandom(seed)
      const store = createStore({ userId: 'me', environment: { random } })
      fill(store)
      const listed = () =>
        store
          .list({ archived: 'any' })
          .getSnapshot()
          .conversations.map(({ key }) => key)
      let mirror = listed()
      store.onChange(({ changes }) => {
        const out = changes.map((change) => ('from' in change ? change.from : -1))
        mirror = mirror.filter((_, place) => !out.includes(place))
        const into = changes.flatMap((change) => ('to' in change ? [change] : [])).sort((a, b) => a.to - b.to)
        for (const { to, conversation } of into) mirror.splice(to, 0, conversation.key)
      })
      for (let step = 2; step < 30; step++) {
        store.transact(() => {
          for (let count = random.int(7); count >= 0; count--) {
            const channel = random.pick(channels)
            const what = random.int(5)
            if (what < 2) store.receive(message(step, { channel, timestamp: random.int(20_000) }))
            else if (what === 2) store.conversation(channel).pin()
            else if (what === 3) store.conversation(channel).unpin()
            else store.conversation(channel).delete()
          }
        })
        expect(mirror).toEqual(listed())
      }
    }
  })
})

function describe_(change: Exclude<ChangeBatch['changes'][number], { type: 'removed' }>): string {
  const { key } = change.conversation
  if (change.type === 'added') return `${key} added to ${change.to}`
  const fields = [...change.fields].sort().join()
  return change.type === 'moved'
    ? `${key} moved ${fields} from ${change.from} to ${change.to}`
    : `${key} updated ${fields}`
}
