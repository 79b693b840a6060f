import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createStore, detachMessages, detachSweep, type Message, type Store } from '../src/index.js'
import { bob, group, lines, message } from './support/devices.js'

const CLIENT = 77

const anyMessage: fc.Arbitrary<Message> = fc
  .record({
    messageSeq: fc.integer({ min: 1, max: 12 }),
    inGroup: fc.boolean(),
    version: fc.integer({ min: 0, max: 2 }),
    fromUid: fc.constantFrom('bob', 'carol', 'me'),
    silent: fc.boolean(),
    mentionsMe: fc.boolean(),
    removed: fc.boolean(),
  })
  .map(({ messageSeq, inGroup, ...more }) => message(messageSeq, { ...more, channel: inGroup ? group : bob }))
const batches = fc.array(fc.array(anyMessage, { minLength: 1, maxLength: 4 }), { maxLength: 12 })

/** Writes batches one after the other as a server does that has no document. */
function detach(all: readonly Message[][], userId = 'me'): Uint8Array[] {
  let clock = 0
  return all.map((messages) => {
    const written = detachMessages(userId, messages).encode({ client: CLIENT, clock })
    clock += written.clocks
    return written.update
  })
}

function stateOf(store: Store): unknown {
  return store.export()
}

describe('written without the document', () => {
  it('[T1] property "as if received": messages say what receiving them says, in a document that knows nothing or something', () => {
    fc.assert(
      fc.property(batches, batches, fc.boolean(), (before, after, reads) => {
        const [received, detached] = [createStore({ userId: 'me' }), createStore({ userId: 'me' })]
        for (const messages of before) received.receive(messages)
        if (reads) received.conversation(bob).markRead()
        detached.applyUpdate(Y.encodeStateAsUpdate(received.doc))
        for (const messages of after) received.receive(messages)
        for (const update of detach(after)) expect(detached.applyUpdate(update)).toBe('applied')
        const both = [received, detached].map(
          (store) => stateOf(store) as { conversations: Array<Record<string, unknown>> },
        )
        expect(both[1]).toEqual(both[0])
      }),
      { numRuns: 300 },
    )
  })

  it('[T2] places follow from the clock: thousands of entries, one by one or many at once, load and stay in short runs', () => {
    const all = Array.from({ length: 1500 }, (_, n) => [message(n + 1)])
    const [single, bulk] = [createStore({ userId: 'me' }), createStore({ userId: 'me' })]
    for (const update of detach(all)) single.applyUpdate(update)
    for (const update of detach([all.flat()])) bulk.applyUpdate(update)
    expect(stateOf(single)).toEqual(stateOf(bulk))
    // In bulk only the newest message of a conversation is written.
    expect([lines(single).length, lines(bulk).length]).toEqual([1500, 1])
    const runs = [...single.doc.share.values()].flatMap((type) => {
      const lengths: number[] = []
      for (let item = type._start; item; item = item.right) lengths.push(item.length)
      return lengths
    })
    expect(Math.max(...runs)).toBe(256)
    expect(single.conversation(bob).getSnapshot()).toMatchObject({ unread: 1500 })
  })

  it('[T3] a message that may acknowledge a draft of the user is told, and receiving it as well acknowledges', () => {
    const store = createStore({ userId: 'me' })
    const draft = store.conversation(bob).draft
    draft.set('hello')
    const submission = draft.send()
    const own = message(1, { fromUid: 'me', clientMsgNo: submission?.submissionId ?? '' })
    const detached = detachMessages('me', [message(2), own])
    expect(detached.acknowledges).toBe(true)
    expect(detachMessages('me', [message(2)]).acknowledges).toBe(false)
    expect(detachMessages('bob', [own]).acknowledges).toBe(false)
    store.applyUpdate(detached.encode({ client: CLIENT, clock: 0 }).update)
    const count = lines(store).length
    expect(store.conversation(bob).getSnapshot().drafts.sending).toHaveLength(1)
    store.receive([message(2), own])
    expect(store.conversation(bob).getSnapshot().drafts.sending).toEqual([])
    expect(lines(store)).toHaveLength(count + 1)
  })

  it('[T1] a message that is wrong is named, as receiving it would', () => {
    const wrong = [message(1), message(-1)]
    expect(() => detachMessages('me', wrong)).toThrow('messages[1]')
  })

  it('[T4] property "a sweep shows nothing": it leaves one entry of each register its client wrote last, and changes no view', () => {
    fc.assert(
      fc.property(batches, batches, (theirs, ours) => {
        const store = createStore({ userId: 'me' })
        for (const messages of theirs) store.receive(messages)
        const updates = detach(ours)
        for (const update of updates) store.applyUpdate(update)
        const before = stateOf(store)
        const sweep = detachSweep(store.doc, CLIENT)
        const clock = Y.getState(store.doc.store, CLIENT)
        if (sweep) {
          const count = lines(store).length
          const { update, clocks } = sweep.encode({ client: CLIENT, clock })
          // Who lacks what justifies the deletions holds them back.
          const other = createStore({ userId: 'me' })
          expect(other.applyUpdate(update)).toBe('held')
          store.applyUpdate(update)
          expect(lines(store)).toHaveLength(count - sweep.size)
          expect(Y.getState(store.doc.store, CLIENT)).toBe(clock + clocks)
        }
        expect(stateOf(store)).toEqual(before)
        expect(detachSweep(store.doc, CLIENT)).toBe(null)
        const reloaded = createStore({ userId: 'me' })
        reloaded.applyUpdate(Y.encodeStateAsUpdate(store.doc))
        expect(stateOf(reloaded)).toEqual(before)
      }),
      { numRuns: 300 },
    )
  })
})
