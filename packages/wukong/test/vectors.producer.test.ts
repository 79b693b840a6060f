import { type Channel, channelKey, createStore, type Message, type Store } from '@parley/core'
import { describe, expect, it } from 'vitest'
import {
  createVersionIndex,
  isUnlisted,
  readHeldSeqs,
  type SyncRequest,
  selectConversations,
  type VersionIndex,
  writeConversation,
} from '../src/index.js'
import { g1, u1 } from './support/app.js'

// The part of the vectors for servers that needs no server: which conversations are selected, and what is written of them.

interface Log {
  readonly store: Store
  readonly index: VersionIndex
  readonly select: (request: Partial<Omit<SyncRequest, 'held'>> & { readonly lms?: string }) => string[]
}

/** A user's log after some actions, each a row. */
function log(...actions: Array<(store: Store) => void>): Log {
  const store = createStore({ userId: 'me' })
  const index = createVersionIndex()
  const channels = new Map([u1, g1].map((channel) => [channelKey(channel), channel]))
  store.onTouch((keys) => {
    const touched = [...keys].map((key) => store.conversation(channels.get(key) as Channel).getSnapshot())
    index.integrate(index.head + 1, touched)
  })
  for (const action of actions) action(store)
  return {
    store,
    index,
    select: ({ lms, version = 0, ...request }) =>
      selectConversations(index, { ...request, version, held: readHeldSeqs(lms, index) }).items.map(
        ({ key, deleted }) => `${key}${deleted ? ' deleted' : ''}`,
      ),
  }
}

const messages = (channel: Channel, ...authors: string[]): Message[] =>
  authors.map((fromUid, place) => ({ channel, messageSeq: place + 1, fromUid, timestamp: 1000 * place }))
const five = (store: Store): void => store.receive(messages(u1, 'u1', 'u1', 'u1', 'u1', 'u1'))
const read =
  (seq: number) =>
  (store: Store): void =>
    store.conversation(u1).markRead(seq)
const remove = (store: Store): void => store.conversation(u1).delete()

function written({ store }: Log, msgCount = 1, recents: readonly Message[] = []) {
  const wire = writeConversation(store.conversation(u1).getSnapshot(), {
    shape: 'wukongim',
    version: 1,
    msgCount,
    recents,
  })
  return (
    wire && [
      wire.unread,
      wire.last_msg_seq,
      wire.recents.map(({ message_seq }) => message_seq),
      wire.readed_to_msg_seq,
    ]
  )
}

describe('what is written', () => {
  const all = messages(u1, 'u1', 'u1', 'u1', 'u1', 'u1')

  it('[J-58] keep: the newest first, as many as asked for', () => {
    expect(written(log(five), 2, all)).toEqual([5, 5, [5, 4], 0])
  })

  it('[J-59] keep: what was read counts no more', () => {
    expect(written(log(five, read(3)), 1, all)).toEqual([2, 5, [5], 3])
  })

  it('[J-66] [J-67] keep: an own message counts what was before as read', () => {
    expect(written(log((store) => store.receive(messages(u1, 'u1', 'u1', 'me'))))).toEqual([0, 3, [3], 3])
    expect(written(log((store) => store.receive(messages(u1, 'me', 'me', 'me', 'u1', 'u1'))))).toEqual([
      2,
      5,
      [5],
      3,
    ])
  })

  it('[J-69] fix: what a deletion hides does not count', () => {
    const six = (store: Store): void =>
      store.receive({ channel: u1, messageSeq: 6, fromUid: 'u1', timestamp: 0 })
    expect(written(log(five, read(3), remove, six))).toEqual([1, 6, [6], 5])
  })

  it('[J-80] keep: a person conversation is called by the other person', () => {
    const wire = writeConversation(log(five).store.conversation(u1).getSnapshot(), {
      shape: 'wukongim',
      version: 1,
    })
    expect([wire?.channel_id, wire?.recents[0]?.channel_id]).toEqual(['u1', 'u1'])
  })
})

describe('what is selected', () => {
  it('[J-62] [J-64] keep: nothing for who has all, or more', () => {
    const { select } = log(five, read(3))
    expect([select({ version: 2, lms: 'u1:1:5' }), select({ version: 2, lms: 'u1:1:6' })]).toEqual([[], []])
  })

  it('[J-63] [J-65] keep: a conversation for who lacks messages, or says 0', () => {
    const { select } = log(five, read(3))
    expect([select({ version: 2, lms: 'u1:1:4' }), select({ lms: 'u1:1:0' })]).toEqual([['1:u1'], ['1:u1']])
  })

  it('[J-60] fix: one that was read is answered to who does not list it, and to nobody else', () => {
    const { select } = log(five, read(5))
    expect([select({ version: 2 }), select({ version: 2, lms: 'u1:1:5' })]).toEqual([['1:u1'], []])
  })

  it('[J-68] keep: a deleted one is not in a full list; [J-70] [J-71] fix: nor comes its last message again', () => {
    const { select } = log(five, read(3), remove)
    expect(select({})).toEqual([])
    expect(select({ version: 2, lms: 'u1:1:4' })).toEqual(['1:u1 deleted'])
    expect(select({ version: 3, onlyUnread: true })).toEqual([])
  })

  it('[J-74] keep: an excluded type is answered where it is listed', () => {
    const both = (store: Store): void => store.receive([...messages(g1, 'x', 'x'), ...messages(u1, 'u1')])
    const { select } = log(both)
    expect(select({ excludeTypes: [2] })).toEqual(['1:u1'])
    expect(select({ excludeTypes: [2], lms: 'g1:2:1' })).toEqual(['1:u1', '2:g1'])
  })

  it('[J-79] keep: channels that are in no list', () => {
    const unlisted = [
      { channelId: 'x____cmd', channelType: 2 },
      { channelId: 'x', channelType: 9 },
    ]
    expect([...unlisted, u1].map(isUnlisted)).toEqual([true, true, false])
  })
})
