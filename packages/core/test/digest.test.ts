import * as decoding from 'lib0/decoding'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  beginDigest,
  createStore,
  encodeDigestClaim,
  encodeDigestOutcome,
  encodeLogPosition,
  readDigestAnswer,
  readDigestClaim,
  type StateDigest,
  type Store,
} from '../src/index.js'

const BOB = { channelId: 'bob', channelType: 1 }
const ALL = Number.POSITIVE_INFINITY

const createDevice = (clientID?: number): Store => {
  const doc = new Y.Doc()
  if (clientID !== undefined) doc.clientID = clientID
  return createStore({ userId: 'alice', doc, deviceName: 'Test' })
}
const kept = (store: Store): StateDigest => store.digest.step(ALL) as StateDigest
const computed = (doc: Y.Doc): StateDigest => beginDigest(doc).step(1e9) as StateDigest
const stateOf = ({ doc }: Store): Uint8Array => Y.encodeStateAsUpdate(doc)
const exchange = (a: Store, b: Store): void => {
  b.applyUpdate(Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(b.doc)))
  a.applyUpdate(Y.encodeStateAsUpdate(b.doc, Y.encodeStateVector(a.doc)))
}
const message = (seq: number, channelId = 'bob') => ({
  channel: { channelId, channelType: 1 },
  messageSeq: seq,
  fromUid: channelId,
  timestamp: 1_700_000_000_000 + seq,
  payload: { text: `message ${seq}` },
})

describe('the digest of a document', () => {
  it('[DIG1] is the same for replicas that received the same updates, garbage-collected or not', () => {
    const store = createDevice()
    const updates: Uint8Array[] = []
    const other = createDevice()
    for (let seq = 1; seq <= 300; seq++) store.receive(message(seq, `user ${seq % 7}`))
    store.conversation(BOB).draft.set('Hello')
    updates.push(stateOf(store))
    for (const update of updates) other.applyUpdate(update)
    const before = kept(other)
    expect(before).toEqual(kept(store))
    store.maintain()
    other.applyUpdate(Y.encodeStateAsUpdate(store.doc, Y.encodeStateVector(other.doc)))
    // What was superseded is gone, which the vector shows and the state does not.
    expect(kept(other).state).toEqual(before.state)
    expect(kept(other)).toEqual(computed(store.doc))
  })

  it('[DIG1] that is kept in step equals the one that is computed from the document', () => {
    const store = createDevice()
    for (let seq = 1; seq <= 40; seq++) store.receive(message(seq, `user ${seq % 9}`))
    expect(store.digest.step(3)).toBe(null)
    for (let seq = 41; seq <= 80; seq++) store.receive(message(seq, `user ${seq % 9}`))
    store.conversation(BOB).draft.set('a draft')
    expect(kept(store)).toEqual(computed(store.doc))
    store.conversation(BOB).markRead(80)
    store.maintain()
    expect(kept(store)).toEqual(computed(store.doc))
  })

  it('[DIG2] differs where one of 10,000 entries is missing', () => {
    const store = createDevice()
    store.transact(() => {
      for (let n = 0; n < 10_000; n++)
        store.conversation({ channelId: `user ${n}`, channelType: 1 }).setAttribute('n', n)
    })
    const whole = computed(store.doc)
    const copy = new Y.Doc()
    Y.applyUpdate(copy, stateOf(store))
    expect(computed(copy)).toEqual(whole)
    // Deleted in the copy alone, it leaves no trace in the state vector.
    const run = Array.from({ length: 16 }, (_, n) => copy.getArray(`e${n.toString(16)}`)).find(
      ({ length }) => length > 100,
    )
    run?.delete(50, 1)
    const other = computed(copy)
    expect(other.vector).toEqual(whole.vector)
    expect(other.state).not.toEqual(whole.state)
  })

  it('[DIG2] differs where two replicas have different changes of one client under one clock', () => {
    const [a, b] = [createDevice(7), createDevice(7)]
    a.conversation({ channelId: 'ann', channelType: 1 }).mute()
    b.conversation({ channelId: 'eve', channelType: 1 }).mute()
    expect(kept(a).vector).toEqual(kept(b).vector)
    expect(kept(a).state).not.toEqual(kept(b).state)
    const texts = [createDevice(), createDevice()]
    for (const [n, { doc }] of texts.entries()) {
      doc.clientID = 9
      texts[n]?.conversation(BOB).draft.set(n === 0 ? 'this' : 'that')
    }
    expect(texts.map((store) => `${kept(store).state}`).every((state, _, [first]) => state === first)).toBe(
      false,
    )
  })

  it('[DIG3] travels in messages of parley.1', () => {
    const digest = kept(createDevice())
    const claim = { id: 3, epoch: 0, version: 2 ** 40, lost: 3, digest }
    const read = <Result>(bytes: Uint8Array, how: (decoder: decoding.Decoder) => Result): Result => {
      const decoder = decoding.createDecoder(bytes)
      expect(decoding.readVarUint(decoder)).toBe(114)
      return how(decoder)
    }
    expect(read(encodeDigestClaim(claim), readDigestClaim)).toEqual(claim)
    const position = { epoch: 1, version: 2 ** 40 }
    expect(read(encodeLogPosition(position), readDigestAnswer)).toEqual({ type: 'position', ...position })
    for (const outcome of ['same', 'diverged', 'incomplete', 'moved', 'skipped'] as const) {
      expect(read(encodeDigestOutcome(5, outcome), readDigestAnswer)).toEqual({
        type: 'outcome',
        id: 5,
        outcome,
      })
    }
  })
})

describe('store.rebuild()', () => {
  /** Two copies of a process: they share what was there, and each goes on under the same client id. */
  const copyOf = (store: Store): Store => {
    const copy = createDevice(store.doc.clientID)
    copy.applyUpdate(stateOf(store))
    copy.doc.clientID = store.doc.clientID
    return copy
  }

  it('[IDN4] keeps what both copies of a process wrote, under a new client id', () => {
    const a = createDevice()
    a.receive(message(1))
    const b = copyOf(a)
    a.conversation(BOB).markRead(1)
    a.conversation({ channelId: 'ann', channelType: 1 }).draft.set('typed in the original')
    b.conversation({ channelId: 'eve', channelType: 1 }).draft.set('typed in the copy')
    b.conversation(BOB).mute()
    const id = b.doc.clientID
    b.rebuild(stateOf(a))
    expect(b.doc.clientID).not.toBe(id)
    exchange(a, b)
    expect(kept(a)).toEqual(kept(b))
    expect(a.export()).toEqual(b.export())
    for (const store of [a, b]) {
      const draftIn = (channelId: string) =>
        store.conversation({ channelId, channelType: 1 }).getSnapshot().drafts.composer?.text
      expect([draftIn('ann'), draftIn('eve')]).toEqual(['typed in the original', 'typed in the copy'])
      expect(store.conversation(BOB).getSnapshot()).toMatchObject({ unread: 0, muted: true })
    }
    const third = createDevice()
    third.applyUpdate(stateOf(a))
    expect(third.export()).toEqual(b.export())
  })

  it('[IDN4] puts two texts of one draft beside each other', () => {
    const a = createDevice()
    a.conversation(BOB).draft.set('Hello')
    const b = copyOf(a)
    a.conversation(BOB).draft.set('Hello original')
    b.conversation(BOB).draft.set('Hello copied')
    b.rebuild(stateOf(a))
    exchange(a, b)
    for (const store of [a, b]) {
      const { composer, others } = store.conversation(BOB).getSnapshot().drafts
      expect([composer, ...others].map((draft) => draft?.text).sort()).toEqual([
        'Hello copied',
        'Hello original',
      ])
    }
  })

  it('[IDN4] does not take what the original typed for sent because the copy has sent', () => {
    const a = createDevice()
    a.conversation(BOB).draft.set('Hello')
    const b = copyOf(a)
    a.conversation(BOB).draft.set('Hello original')
    b.conversation(BOB).draft.set('Hello and sent!!')
    b.conversation(BOB).draft.send()
    b.rebuild(stateOf(a))
    exchange(a, b)
    const { composer, others, recovered } = a.conversation(BOB).getSnapshot().drafts
    expect([composer, ...others, ...recovered].map((draft) => draft?.text)).toContain('Hello original')
    expect(a.export()).toEqual(b.export())
  })

  it('[IDN4] writes nothing where the other replica has everything, and goes on as before', () => {
    const a = createDevice()
    for (let seq = 1; seq <= 20; seq++) a.receive(message(seq, `user ${seq}`))
    a.conversation(BOB).draft.set('Hello')
    const b = createDevice()
    b.applyUpdate(stateOf(a))
    const list = b
      .list()
      .getSnapshot()
      .conversations.map(({ key }) => key)
    b.rebuild(stateOf(a))
    expect(kept(b)).toEqual(kept(a))
    expect(
      b
        .list()
        .getSnapshot()
        .conversations.map(({ key }) => key),
    ).toEqual(list)
    b.conversation(BOB).draft.set('Hello Bob')
    b.receive(message(21, 'bob'))
    exchange(a, b)
    expect(a.export()).toEqual(b.export())
    expect(kept(b)).toEqual(computed(a.doc))
  })

  it('[IDN4] keeps no draft twice that another tab has kept', () => {
    const a = createDevice()
    a.conversation(BOB).draft.set('Hello')
    const [b, tab] = [copyOf(a), createDevice()]
    b.conversation(BOB).draft.set('Hello copied')
    tab.applyUpdate(stateOf(b))
    a.conversation(BOB).draft.set('Hello original')
    const handled = b.rebuild(stateOf(a))
    tab.rebuild(stateOf(b), { handled })
    exchange(b, tab)
    const { composer, others, recovered } = b.conversation(BOB).getSnapshot().drafts
    expect([composer, ...others, ...recovered].map((draft) => draft?.text).sort()).toEqual([
      'Hello copied',
      'Hello original',
    ])
  })

  it('[IDN4] changes nothing for what is no whole document', () => {
    const store = createDevice()
    store.conversation(BOB).draft.set('Hello')
    const before = store.export()
    const partial = createDevice()
    partial.receive(message(1))
    const vector = Y.encodeStateVector(partial.doc)
    partial.receive(message(2))
    expect(() => store.rebuild(Y.encodeStateAsUpdate(partial.doc, vector))).toThrow(/state/)
    expect(() => store.rebuild(new Uint8Array([1, 2, 3]))).toThrow()
    expect(store.export()).toEqual(before)
  })
})
