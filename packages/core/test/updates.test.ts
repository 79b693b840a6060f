import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  createEmitter,
  createIntake,
  createStore,
  decodeUpdate,
  findGap,
  forgetTransactions,
  MAX_DEPTH,
  onUpdate,
  ParleyError,
  type Store,
} from '../src/index.js'
import { createRandom } from '../src/testing/index.js'
import { bob, createDevices, group, lines, message, send } from './support/devices.js'

/** An update of one item of client 1 at clock 0 that names itself as its left neighbour: 11 bytes. */
const SELF_REFERRING = Uint8Array.from([1, 1, 1, 0, 0x84, 1, 0, 1, 97, 0])

function updatesOf(doc: Y.Doc): Uint8Array[] {
  const updates: Uint8Array[] = []
  onUpdate(doc, ({ update }) => updates.push(update))
  return updates
}

describe('updates from outside', () => {
  it('[U1] refuses what is no update, and leaves the document as it was', () => {
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'kept')
    const before = Y.encodeStateAsUpdate(doc)
    const intake = createIntake(doc)
    for (const bytes of [[], [1], [255, 255, 255], [1, 2, 3, 4, 5, 6, 7, 8]]) {
      expect(() => intake.receive(Uint8Array.from(bytes))).toThrow(ParleyError)
    }
    expect(Y.encodeStateAsUpdate(doc)).toEqual(before)
  })

  it('[U1] a corrupted update is refused, held, or leaves a document that still loads and syncs', () => {
    const author = createStore({ userId: 'me' })
    author.receive([message(1), message(2)])
    author.conversation(bob).pin()
    author.conversation(bob).draft.set('hello')
    const good = Y.encodeStateAsUpdate(author.doc)
    const random = createRandom(7)
    let refused = 0
    for (let run = 0; run < 2000; run++) {
      const bad = Uint8Array.from(good)
      bad[random.int(bad.length)] = random.int(256)
      const doc = new Y.Doc()
      const intake = createIntake(doc)
      try {
        intake.receive(bad)
      } catch (error) {
        expect(error).toBeInstanceOf(ParleyError)
        expect(Y.encodeStateVector(doc)).toEqual(Uint8Array.of(0))
        refused++
      }
      expect(doc.store.pendingStructs).toBeNull()
      const copy = new Y.Doc()
      Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
      expect(Y.encodeStateVector(copy)).toEqual(Y.encodeStateVector(doc))
    }
    expect(refused).toBeGreaterThan(100)
  })

  it('[U2] refuses an item that refers to itself, which would stop the document from ever loading', () => {
    expect(() => Y.applyUpdate(new Y.Doc(), SELF_REFERRING)).toThrow()
    expect(() => decodeUpdate(SELF_REFERRING)).toThrow(/refers to itself/)
  })

  it('[U2] refuses items of two clients that wait for each other', () => {
    // Client 2 clock 0 has client 1 clock 0 as its left neighbour, and the other way round.
    const circle = Uint8Array.from([2, 1, 2, 0, 0x84, 1, 0, 1, 97, 1, 1, 0, 0x84, 2, 0, 1, 98, 0])
    const doc = new Y.Doc()
    expect(() => createIntake(doc).receive(circle)).toThrow(/wait for each other/)
  })

  it('[U2] refuses items of one client in two parts, of which Yjs would apply the second only', () => {
    const author = new Y.Doc()
    const updates = updatesOf(author)
    author.getArray('a').push([1])
    author.getArray('a').push([2])
    // Without the count of clients before them and the count of deletions behind.
    const [first, second] = updates.map((update) => update.slice(1, -1)) as [Uint8Array, Uint8Array]
    expect(() => decodeUpdate(Uint8Array.from([2, ...first, ...second, 0]))).toThrow(/lists a client twice/)
    expect(() => decodeUpdate(Y.mergeUpdates(updates))).not.toThrow()
  })

  it('[U2] takes every honest update: no false alarm in a busy document', () => {
    const random = createRandom(3)
    const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()]
    for (let step = 0; step < 600; step++) {
      const doc = random.pick(docs)
      const text = doc.getText('t')
      const what = random()
      if (what < 0.5) text.insert(random.int(text.length + 1), 'ab')
      else if (what < 0.7 && text.length > 0) text.delete(random.int(text.length), 1)
      else if (what < 0.8) doc.getArray<unknown>('a').push([new Y.Map([['n', step]]), { deep: [step] }])
      else {
        const other = random.pick(docs)
        const update = Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc))
        expect(findGap(doc, decodeUpdate(update))).toBeNull()
        const rest = Y.diffUpdate(
          Y.mergeUpdates([Y.encodeStateAsUpdate(doc), update]),
          Y.encodeStateVector(doc),
        )
        expect(findGap(doc, decodeUpdate(rest))).toBeNull()
        Y.applyUpdate(doc, update)
      }
    }
  })

  it('[U3] an update with a gap takes no effect at all, and full effect when the gap is closed', () => {
    const author = new Y.Doc()
    const updates = updatesOf(author)
    const array = author.getArray<string>('a')
    array.push(['read 100'])
    array.push(['unrelated'])
    author.transact(() => {
      array.push(['read 105'])
      array.delete(0, 1)
    })
    const doc = new Y.Doc()
    const intake = createIntake(doc)
    const [first, second, third] = updates as [Uint8Array, Uint8Array, Uint8Array]
    expect(intake.receive(first)).toBe('applied')
    expect(intake.receive(third)).toBe('held')
    expect(doc.getArray('a').toArray()).toEqual(['read 100'])
    expect(intake.gap).toEqual({ client: author.clientID, clock: 1 })
    expect(intake.receive(second)).toBe('applied')
    expect(doc.getArray('a').toArray()).toEqual(['unrelated', 'read 105'])
    expect(intake.gap).toBeNull()
  })

  it('[U3] an update that was merged without one between is applied when that one is there', () => {
    const author = new Y.Doc()
    const updates = updatesOf(author)
    for (const letter of 'abc') author.getText('t').insert(0, letter)
    const [first, second, third] = updates as [Uint8Array, Uint8Array, Uint8Array]
    const merged = Y.mergeUpdates([first, third])
    const doc = new Y.Doc()
    const intake = createIntake(doc)
    expect(intake.receive(merged)).toBe('held')
    expect(intake.gap).toEqual({ client: author.clientID, clock: 1 })
    expect(intake.receive(second)).toBe('held')
    expect(intake.receive(first)).toBe('applied')
    expect(doc.getText('t').toString()).toBe('cba')
    expect(intake.gap).toBeNull()
    expect(intake.receive(merged)).toBe('applied')
  })

  it('[U3] a gap in what an item refers to, or in what is deleted, holds the update too', () => {
    const [a, b] = [new Y.Doc(), new Y.Doc()]
    a.getText('t').insert(0, 'a')
    Y.applyUpdate(b, Y.encodeStateAsUpdate(a))
    const updates = updatesOf(b)
    b.getText('t').insert(1, 'b')
    b.getText('t').delete(0, 1)
    for (const update of updates) expect(createIntake(new Y.Doc()).receive(update)).toBe('held')
  })

  it('[U3] [E3] a read position is not lost where the write that raised it never arrives', () => {
    const devices = createDevices(3)
    const [a, b, c] = devices.stores as [Store, Store, Store]
    a.receive(message(200))
    a.conversation(bob).markRead(100)
    devices.sync()
    const updates = updatesOf(a.doc)
    a.conversation(bob).markRead(105)
    a.maintain()
    expect(updates).toHaveLength(2)
    // The write is lost on its way, the sweep of what it dominates is not.
    b.applyUpdate(updates[1] as Uint8Array)
    send(b, c)
    expect(lines(b, 'read')).toHaveLength(1)
    expect(b.conversation(bob).getSnapshot().readSeq).toBe(100)
    b.applyUpdate(updates[0] as Uint8Array)
    expect(b.conversation(bob).getSnapshot().readSeq).toBe(105)
    expect(lines(b, 'read')).toHaveLength(1)
  })

  it('[U4] refuses JSON that is nested too deep', () => {
    const doc = new Y.Doc()
    const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
    doc.getArray('a').push([nested(MAX_DEPTH)])
    expect(() => decodeUpdate(Y.encodeStateAsUpdate(doc))).not.toThrow()
    doc.getArray('a').push([nested(MAX_DEPTH + 1)])
    expect(() => decodeUpdate(Y.encodeStateAsUpdate(doc))).toThrow(/nested deeper/)
  })

  it('[U4] checking thousands of nested types takes no longer than decoding them, about', () => {
    const author = new Y.Doc()
    author.transact(() => {
      const drafts = author.getArray<Y.Map<unknown>>('drafts')
      for (let id = 0; id < 8000; id++) drafts.push([new Y.Map<unknown>([['text', new Y.Text('hello')]])])
    })
    const update = Y.encodeStateAsUpdate(author)
    const start = performance.now()
    const decoded = decodeUpdate(update)
    const decodedAt = performance.now()
    expect(findGap(new Y.Doc(), decoded)).toBeNull()
    expect(performance.now() - decodedAt).toBeLessThan(10 * (decodedAt - start))
  })

  it('[U4] refuses types nested too deep, in one update or built up over many', () => {
    const author = new Y.Doc()
    const updates = updatesOf(author)
    let inner = author.getArray<unknown>('a')
    for (let depth = 0; depth < MAX_DEPTH + 2; depth++) {
      const next = new Y.Array<unknown>()
      inner.push([next])
      inner = next
    }
    expect(() => createIntake(new Y.Doc()).receive(Y.encodeStateAsUpdate(author))).toThrow(
      /nests types deeper/,
    )
    const intake = createIntake(new Y.Doc())
    expect(() => {
      for (const update of updates) intake.receive(update)
    }).toThrow(/nests types deeper/)
  })

  it('[U5] a listener that throws is reported, and the others still hear', () => {
    const doc = new Y.Doc()
    const errors: unknown[] = []
    let heard = 0
    onUpdate(
      doc,
      () => {
        throw new Error('broken listener')
      },
      (error) => errors.push(error),
    )
    onUpdate(doc, () => heard++)
    doc.getText('t').insert(0, 'a')
    doc.getText('t').insert(0, 'b')
    expect(heard).toBe(2)
    expect(errors).toHaveLength(2)
  })

  it('[U5] a subscriber of the store that throws stops neither the store nor the others', () => {
    const errors: unknown[] = []
    const store = createStore({ userId: 'me', environment: { reportError: (error) => errors.push(error) } })
    let batches = 0
    store.onChange(() => {
      throw new Error('broken subscriber')
    })
    store.onChange(() => batches++)
    store.receive(message(1))
    store.receive(message(2))
    expect(batches).toBe(2)
    expect(errors).toHaveLength(2)
    expect(store.conversation(bob).getSnapshot().unread).toBe(2)
  })

  it('[U5] what a listener writes while it is told is written', () => {
    const devices = createDevices(1)
    const [store] = devices.stores as [Store]
    const conversation = store.conversation(bob)
    const told: number[] = []
    store.onChange(({ changes }) => {
      told.push(changes.length)
      if (conversation.getSnapshot().unread > 0) conversation.markRead()
    })
    store.receive(message(1))
    expect(conversation.getSnapshot().unread).toBe(0)
    expect(told).toEqual([1, 1])
    expect(devices.add(store).conversation(bob).getSnapshot().readSeq).toBe(1)
  })

  it('[U5] a listener that another one took off is not called any more', () => {
    const emitter = createEmitter<number>(() => {})
    const heard: string[] = []
    let stop = () => {}
    emitter.subscribe(() => {
      heard.push('first')
      stop()
    })
    stop = emitter.subscribe(() => heard.push('second'))
    emitter.emit(1)
    expect(heard).toEqual(['first'])
  })

  it('[U6] refuses a document of another copy of Yjs, saying what to do', () => {
    const foreign = { clientID: 1, getArray: () => [] } as unknown as Y.Doc
    expect(() => createStore({ userId: 'me', doc: foreign })).toThrow(/another copy of Yjs/)
  })

  it('[U1] refuses an update inside of a transaction, where Yjs would change our client id', () => {
    const store = createStore({ userId: 'me' })
    const other = createStore({ userId: 'me' })
    other.receive(message(1))
    store.transact(() => {
      expect(() => store.applyUpdate(Y.encodeStateAsUpdate(other.doc))).toThrow(/inside of a transaction/)
    })
  })

  it('[U7] what builds on something that is lost for good is read out of the held updates and written again', () => {
    const devices = createDevices(1)
    const [author] = devices.stores as [Store]
    author.receive([message(1), message(2)])
    author.conversation(bob).draft.set('hello')
    const stored = Y.encodeStateAsUpdate(author.doc)
    const updates = updatesOf(author.doc)
    author.conversation(bob).pin()
    author.conversation(bob).markRead(2)
    author.conversation(bob).draft.set('hello world')
    author.conversation(group).draft.set('another draft')
    const loaded = devices.add()
    loaded.applyUpdate(stored)
    // The row with the pin cannot be read any more.
    for (const update of updates.slice(1)) expect(loaded.applyUpdate(update)).toBe('held')
    expect(loaded.salvage()).toBe(true)
    expect(loaded.intake.heldCount).toBe(0)
    const { readSeq, drafts } = loaded.conversation(bob).getSnapshot()
    expect(readSeq).toBe(2)
    expect(drafts).toMatchObject({ composer: { text: 'hello' }, recovered: [{ text: ' world' }] })
    expect(loaded.conversation(group).getSnapshot().drafts.recovered).toMatchObject([
      { text: 'another draft' },
    ])
    expect(loaded.salvage()).toBe(false)
    // The lost row turns up on another device after all.
    devices.sync()
    expect(author.conversation(bob).getSnapshot()).toMatchObject({ pinned: true, readSeq: 2 })
    expect(JSON.stringify(author.export())).toBe(JSON.stringify(loaded.export()))
  })
})

describe('the transactions of a document', () => {
  it('are kept by nobody when they are over, also those that follow from one', () => {
    const doc = new Y.Doc()
    const lists: Y.Transaction[][] = []
    doc.on('afterAllTransactions', (_doc: Y.Doc, transactions: Y.Transaction[]) => {
      expect(transactions.length).toBeGreaterThan(0)
      lists.push(transactions)
    })
    forgetTransactions(doc)
    const text = doc.getText('t')
    doc.once('afterTransactionCleanup', () => text.insert(1, 'b'))
    text.insert(0, 'a')
    text.insert(2, 'c')
    expect(text.toString()).toBe('abc')
    expect(lists).toEqual([[], []])
  })
})
