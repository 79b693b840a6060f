import { type Channel, type Conversation, createStore, type Store } from '@parley/core'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  createVectorIndex,
  createVersionIndex,
  decodeIndexRow,
  encodeIndexRow,
  readHeldSeqs,
  rebuildVersionIndex,
  selectConversations,
  selectExtras,
  selectReminders,
  type VersionIndex,
} from '../src/index.js'
import { runVersionHistory, type WorldRules } from './support/versionWorld.js'

function failures(from: number, count: number, turnedBack?: Partial<WorldRules>): string[] {
  const found: string[] = []
  for (let seed = from; seed < from + count; seed++) {
    for (const problem of runVersionHistory(seed, turnedBack)) found.push(`seed ${seed}: ${problem}`)
  }
  return found
}

describe('polling clients of every shape', () => {
  // crashes, restores, lost indexes, folds, filters, cut and interrupted answers, mutes that end, changes that change back
  it('[V1] end with exactly what one that begins anew gets', () => {
    expect(failures(1, 80)).toEqual([])
  }, 60_000)

  it.each([
    ['[V2] a batch replayed at once loses what changed back', { replay: 'batch' }, 245, /draft/],
    ['[V3] a restore that uses numbers again is not noticed', { restore: 'plain' }, 10, /stale|missing|gone/],
    ['[V4] a mute that ends unrecorded lasts for ever', { time: false }, 1, /stale/],
    ['[V5] a filter hides what it left out', { unlisted: false }, 1, /missing|stale|gone/],
    ['[V3] an index that is lost and not made anew tells nothing', { lost: 'forget' }, 1, /./],
  ] as const)('%s: the rule prevents it', (_, turnedBack, seed, problem) => {
    expect(failures(seed, 20, turnedBack).join('\n')).toMatch(problem)
  })
})

const bob: Channel = { channelId: 'bob', channelType: 1 }
const group: Channel = { channelId: 'g', channelType: 2 }

/** A store whose every transaction is a row of a log. */
function logged(index: VersionIndex = createVersionIndex()): {
  store: Store
  index: VersionIndex
  of: (channel: Channel) => Conversation
} {
  const store = createStore({ userId: 'me', environment: { now: () => 1000, schedule: () => () => {} } })
  const of = (channel: Channel): Conversation => store.conversation(channel).getSnapshot()
  store.onTouch((keys) => {
    const touched = [...keys].map((key) => (key.startsWith('1') ? of(bob) : of(group)))
    index.integrate(index.head + 1, touched)
  })
  return { store, index, of }
}

function receive(store: Store, channel: Channel, messageSeq: number): void {
  store.receive({ channel, messageSeq, fromUid: 'bob', timestamp: messageSeq })
}

describe('the index', () => {
  it('[V6] tells a small change in a small answer, however long the list', () => {
    const store = createStore({ userId: 'me' })
    const channels = Array.from({ length: 2000 }, (_, place) => ({ channelId: `c${place}`, channelType: 2 }))
    store.receive(channels.map((channel) => ({ channel, messageSeq: 1, fromUid: 'bob', timestamp: 1 })))
    const index = createVersionIndex()
    index.integrate(
      1,
      channels.map((channel) => store.conversation(channel).getSnapshot()),
    )
    store.conversation(channels[7]!).markRead()
    index.integrate(2, [store.conversation(channels[7]!).getSnapshot()])
    const listed = channels.map(({ channelId }) => `${channelId}:2:1`).join('|')
    const held = readHeldSeqs(listed, index)
    expect(selectConversations(index, { version: 1, held }).items).toEqual([
      { key: '2:c7', version: 2, deleted: false },
    ])
  })

  it('[V7] what does not show raises no version', () => {
    const { store, index } = logged()
    receive(store, bob, 2)
    store.conversation(bob).setAttribute('a', 1)
    receive(store, bob, 1)
    expect(index.get('1:bob')).toMatchObject({ version: 1, extraVersion: 0, reminderVersion: 0 })
  })

  it('[V7] extras and reminders have versions of their own', () => {
    const { store, index } = logged()
    receive(store, bob, 1)
    store.conversation(bob).browseTo(1)
    store.conversation(bob).setReminder({ reminderId: '1', version: 1 })
    expect(index.get('1:bob')).toMatchObject({ version: 2, extraVersion: 2, reminderVersion: 3 })
    expect(selectExtras(index, 1)).toEqual([{ key: '1:bob', version: 2, deleted: false }])
    expect(selectExtras(index, 2)).toEqual([])
    expect(selectReminders(index, 2)).toMatchObject([{ version: 3 }])
  })

  it('[V7] an extra that is blank again is told to who begins anew too, for that one may have written it', () => {
    const { store, index } = logged()
    receive(store, bob, 1)
    receive(store, group, 1)
    store.conversation(bob).draft.set('x')
    store.conversation(bob).draft.clear()
    expect(selectExtras(index, 0)).toEqual([{ key: '1:bob', version: 4, deleted: false }])
    // Where nobody knows any more what there was, it is not.
    const anew = rebuildVersionIndex(
      index.head,
      [bob, group].map((channel) => store.conversation(channel).getSnapshot()),
    )
    expect(selectExtras(anew, 0)).toEqual([])
    receive(store, bob, 2)
    anew.integrate(anew.head + 1, [store.conversation(bob).getSnapshot()])
    expect(selectExtras(anew, 0)).toEqual([])
  })

  it('[V8] the three states differ even where a draft is all there is to say', () => {
    const { store, index } = logged()
    store.conversation(bob).draft.set('x')
    expect(index.get('1:bob')).toMatchObject({ state: 'absent', extraVersion: 1 })
    store.transact(() => {
      receive(store, bob, 1)
      store.conversation(bob).archive()
    })
    store.conversation(bob).archive()
    expect(index.get('1:bob')?.state).toBe('deleted')
    expect(index.get('1:bob')?.version).toBeGreaterThan(1)
  })

  it('[V8] a deletion is told to whoever had it, and never to who begins anew', () => {
    const { store, index } = logged()
    receive(store, bob, 1)
    store.conversation(bob).delete()
    const deleted = [{ key: '1:bob', version: 2, deleted: true }]
    expect(selectConversations(index, { version: 1, held: [] }).items).toEqual(deleted)
    expect(selectConversations(index, { version: 0, held: [] }).items).toEqual([])
    // Listed still, it is told again, in a full answer too and through any filter.
    for (const version of [0, 2, 99]) {
      const held = readHeldSeqs('bob:1:1', index)
      expect(selectConversations(index, { version, held, excludeTypes: [1] }).items).toEqual(deleted)
    }
  })

  it('[V9] what is told again leaves room for what is new', () => {
    const { store, index } = logged()
    receive(store, bob, 1)
    store.conversation(bob).delete()
    receive(store, group, 1)
    receive(store, group, 2)
    const request = { version: 2, held: readHeldSeqs('bob:1:1', index), limit: 1 }
    expect(selectConversations(index, request).items[0]).toEqual({ key: '2:g', version: 4, deleted: false })
  })

  it('[V9] an answer never ends inside a version, and says when there is more', () => {
    const { store, index } = logged()
    store.transact(() => {
      receive(store, bob, 1)
      receive(store, group, 1)
    })
    const first = selectConversations(index, { version: 0, held: [], limit: 1 })
    expect(first).toMatchObject({ items: [{ version: 1 }, { version: 1 }], more: false })
    receive(store, bob, 2)
    expect(selectConversations(index, { version: 0, held: [], limit: 1 })).toMatchObject({
      items: [{ key: '2:g' }],
      more: true,
    })
  })

  it('[V5] who lacks messages gets them, and what is not listed comes whatever the version', () => {
    const { store, index } = logged()
    receive(store, bob, 5)
    const select = (lastMsgSeqs: string): number =>
      selectConversations(index, { version: 1, held: readHeldSeqs(lastMsgSeqs, index) }).items.length
    expect(['', 'bob:1:4', 'bob:1:5'].map(select)).toEqual([1, 1, 0])
  })

  it('[V3] versions of no history are answered in full', () => {
    const { store, index } = logged()
    receive(store, bob, 1)
    index.restored(1000)
    expect([0, 1, 1000].map(index.isKnown)).toEqual([true, true, true])
    expect([-1, 2, 999, 1001, 2 ** 53].map(index.isKnown)).toEqual([false, false, false, false, false])
    const held = readHeldSeqs('bob:1:1', index)
    expect(selectConversations(index, { version: 500, held })).toMatchObject({
      full: true,
      items: [{ version: 1000 }],
    })
  })

  it('[V2] rows are taken in once, and a stored index goes on where it was', () => {
    const { store, index, of } = logged()
    receive(store, bob, 1)
    const again = createVersionIndex(JSON.parse(JSON.stringify(index.store())))
    receive(store, bob, 2)
    const change = again.integrate(2, [of(bob)])
    expect(Object.keys(change.rows)).toEqual(['1:bob'])
    expect(again.store()).toEqual(index.store())
    expect(again.integrate(2, [of(group)]).rows).toEqual({})
    const row = index.get('1:bob')!
    expect(decodeIndexRow(encodeIndexRow(row))).toEqual(row)
    expect(decodeIndexRow('what')).toBeNull()
  })

  it('[V2] a document folded to the same state changes nothing', () => {
    const { store, index, of } = logged()
    receive(store, bob, 1)
    store.conversation(bob).draft.set('x')
    const folded = createStore({ userId: 'me', environment: { now: () => 1000 } })
    Y.applyUpdate(folded.doc, Y.encodeStateAsUpdate(store.doc))
    const before = index.get('1:bob')
    index.integrate(index.head + 1, [folded.conversation(bob).getSnapshot()])
    expect(index.get('1:bob')).toBe(before)
    expect(rebuildVersionIndex(9, [of(bob)]).get('1:bob')).toMatchObject({ version: 9, extraVersion: 9 })
  })

  it('[V4] a mute that ends is due once', () => {
    const { store, index, of } = logged()
    receive(store, bob, 1)
    store.conversation(bob).mute(5000)
    expect(index.due(4999)).toEqual([])
    expect(index.due(5000)).toEqual(['1:bob'])
    index.pass(3, 5000, [of(bob)])
    expect(index.get('1:bob')).toMatchObject({ version: 3 })
    expect(index.due(9000)).toEqual([])
  })
})

describe('versions and state vectors', () => {
  it('[V10] name the same moments', () => {
    const doc = new Y.Doc()
    const vectors = createVectorIndex()
    let version = 0
    const clocks = (): Map<number, number> => Y.decodeStateVector(Y.encodeStateVector(doc))
    for (let i = 0; i < 20; i++) {
      const before = clocks()
      doc.getArray('a').push([i])
      const moved = [...clocks()].filter(([client, clock]) => before.get(client) !== clock)
      vectors.note({ version: ++version, clocks: moved, deletes: false })
      expect(vectors.vectorAt(version)).toEqual(clocks())
      expect(vectors.versionOf(clocks())).toBe(version)
    }
    expect(createVectorIndex(vectors.steps).versionOf(vectors.vectorAt(7)!)).toBe(7)
    expect(vectors.versionOf(new Map())).toBe(0)
    expect(createVectorIndex([{ version: 5, clocks: [[1, 2]], deletes: false }]).vectorAt(3)).toBeNull()
  })

  it('[V10] a deletion makes nothing after it sure', () => {
    const vectors = createVectorIndex()
    vectors.note({ version: 1, clocks: [[1, 5]], deletes: false })
    vectors.note({ version: 2, clocks: [], deletes: true })
    // Somebody's own, who never saw the deletion.
    vectors.note({ version: 3, clocks: [[3, 1]], deletes: false })
    expect(
      vectors.versionOf(
        new Map([
          [1, 5],
          [3, 1],
        ]),
      ),
    ).toBe(1)
  })
})
