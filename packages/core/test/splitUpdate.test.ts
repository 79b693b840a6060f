import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createStore, decodeUpdate, findGap, type PieceSize, splitUpdate } from '../src/index.js'
import { createRandom, type Random, runHistory } from '../src/testing/index.js'
import { bob, messages } from './support/devices.js'

/** Documents whose devices edited a text, a list, a map and nested types, apart and together. */
function busyDocs(random: Random, steps: number): Y.Doc[] {
  const docs = [new Y.Doc({ gc: false }), new Y.Doc(), new Y.Doc()]
  for (let step = 0; step < steps; step++) {
    const doc = random.pick(docs)
    const text = doc.getText('t')
    const list = doc.getArray<unknown>('a')
    const what = random()
    if (what < 0.4) text.insert(random.int(text.length + 1), 'abc')
    else if (what < 0.6 && text.length > 2) text.delete(random.int(text.length - 1), 2)
    else if (what < 0.7) list.insert(random.int(list.length + 1), [new Y.Map([['n', step]]), step])
    else if (what < 0.8) doc.getMap('m').set(`k${random.int(3)}`, step)
    else {
      const other = random.pick(docs)
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc)))
    }
  }
  return docs
}

/** Applies the pieces of an update to a document, checking each, and returns how many there were. */
function applyPieces(doc: Y.Doc, update: Uint8Array, size: PieceSize): number {
  let count = 0
  for (const piece of splitUpdate(update, size)) {
    const decoded = decodeUpdate(piece)
    expect(findGap(doc, decoded)).toBeNull()
    expect(decoded.structs.length).toBeLessThanOrEqual(size.maxStructs)
    Y.applyUpdate(doc, piece)
    expect(doc.store.pendingStructs).toBeNull()
    expect(doc.store.pendingDs).toBeNull()
    count++
  }
  return count
}

function stateOf(doc: Y.Doc): unknown {
  return [
    doc.getText('t').toDelta(),
    doc.getArray('a').toJSON(),
    doc.getMap('m').toJSON(),
    [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(),
  ]
}

describe('splitUpdate', () => {
  it('[COST1] returns pieces that, applied in order, equal the whole and leave nothing missing at any time', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 300 }),
        (seed, maxStructs, maxBytes) => {
          const random = createRandom(seed)
          const docs = busyDocs(random, 120)
          const [author, other] = docs as [Y.Doc, Y.Doc]
          // What a receiver knows already takes nothing from the order.
          for (const known of [null, other]) {
            const update = Y.encodeStateAsUpdate(author, known ? Y.encodeStateVector(known) : undefined)
            const whole = new Y.Doc()
            const inPieces = new Y.Doc()
            for (const doc of [whole, inPieces]) if (known) Y.applyUpdate(doc, Y.encodeStateAsUpdate(known))
            Y.applyUpdate(whole, update)
            applyPieces(inPieces, update, { maxStructs, maxBytes })
            expect(stateOf(inPieces)).toEqual(stateOf(whole))
            expect(Y.equalSnapshots(Y.snapshot(inPieces), Y.snapshot(whole))).toBe(true)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('[COST1] splits the documents of random histories, and updates with holes', () => {
    for (let seed = 1; seed <= 25; seed++) {
      for (const { store } of runHistory({ seed, lossy: true, crash: true }).world.devices) {
        const update = Y.encodeStateAsUpdate(store.doc)
        const copy = new Y.Doc()
        expect(applyPieces(copy, update, { maxStructs: 7, maxBytes: 10_000 })).toBeGreaterThan(3)
        expect(Y.encodeStateAsUpdate(copy)).toEqual(update)
      }
    }
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    const list = doc.getArray('a')
    for (let i = 0; i < 9; i++) {
      const before = Y.encodeStateVector(doc)
      list.insert(0, [i])
      updates.push(Y.encodeStateAsUpdate(doc, before))
    }
    const [first, , third, , fifth, ...others] = updates as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    // Two structs are left out, which the receiver has.
    const copy = new Y.Doc()
    for (const update of updates.slice(0, 5)) Y.applyUpdate(copy, update)
    applyPieces(copy, Y.mergeUpdates([first, third, fifth, ...others]), { maxStructs: 2, maxBytes: 1000 })
    expect(copy.getArray('a').toJSON()).toEqual(list.toJSON())
  })

  it('[COST1] deletes nothing before the last insertion is there', () => {
    const store = createStore({ userId: 'me' })
    for (let round = 0; round < 3; round++) {
      store.receive(messages(1 + round * 50, 50 + round * 50))
      store.conversation(bob).markRead(40 + round * 50)
    }
    store.doc.getArray<string>('e0').insert(0, ['a', 'b', 'c'])
    store.doc.getArray<string>('e0').delete(1, 1)
    const pieces = [...splitUpdate(Y.encodeStateAsUpdate(store.doc), { maxStructs: 1, maxBytes: 64 })].map(
      (piece) => decodeUpdate(piece),
    )
    const deletesFirst = pieces.findIndex(({ deletions }) => deletions.size > 0)
    expect(deletesFirst).toBeGreaterThan(0)
    expect(pieces.slice(deletesFirst).every(({ structs }) => structs.length === 0)).toBe(true)
  })

  it('[COST1] returns a small update as it is, and an empty one too', () => {
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'hello')
    const update = Y.encodeStateAsUpdate(doc)
    expect([...splitUpdate(update, { maxStructs: 1, maxBytes: 1000 })]).toEqual([update])
    expect([...splitUpdate(Uint8Array.of(0, 0), { maxStructs: 1, maxBytes: 1 })]).toEqual([])
  })

  it('[COST1] follows references that lead from client to client thousands of times', () => {
    // Client n refers to client n - 1, and is greater, so that all wait for the least.
    const clients = 20_000
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, clients)
    for (let client = clients; client >= 1; client--) {
      for (const part of [1, client, 0]) encoding.writeVarUint(encoder, part)
      if (client === 1) {
        for (const part of [4, 1]) encoding.writeVarUint(encoder, part)
        encoding.writeVarString(encoder, 't')
      } else for (const part of [4 | 128]) encoding.writeUint8(encoder, part)
      if (client > 1) for (const part of [client - 1, 0]) encoding.writeVarUint(encoder, part)
      encoding.writeVarString(encoder, 'x')
    }
    encoding.writeVarUint(encoder, 0)
    const doc = new Y.Doc()
    expect(applyPieces(doc, encoding.toUint8Array(encoder), { maxStructs: 5000, maxBytes: 1e9 })).toBe(4)
    expect(doc.getText('t').length).toBe(clients)
  })

  it('[COST1] refuses items that wait for each other, and sizes that no piece can have', () => {
    const circle = Uint8Array.from([2, 1, 2, 0, 0x84, 1, 0, 1, 97, 1, 1, 0, 0x84, 2, 0, 1, 98, 0])
    expect(() => [...splitUpdate(circle, { maxStructs: 1, maxBytes: 100 })]).toThrow(/wait for each other/)
    for (const size of [
      { maxStructs: 0, maxBytes: 100 },
      { maxStructs: 1, maxBytes: Number.NaN },
    ]) {
      expect(() => [...splitUpdate(circle, size)]).toThrow(/must be at least 1/)
    }
  })
})
