import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  checkIntegration,
  type createStore,
  type DecodedUpdate,
  decodeUpdate,
  findGap,
  maxIntegrationSteps,
} from '../src/index.js'
import { createRandom, runHistory } from '../src/testing/index.js'
import { bob, createDevices, message, send } from './support/devices.js'
import { encodeUpdateByHand, type TextPlace, textItem, times } from './support/updates.js'

const add = Set.prototype.add

/** The rounds of Yjs' search: in each of them it puts the same item into two sets. */
function countRounds(run: () => void): number {
  let items = 0
  Set.prototype.add = function (this: Set<unknown>, value: unknown) {
    if (value instanceof Y.Item) items++
    return add.call(this, value)
  }
  try {
    run()
  } finally {
    Set.prototype.add = add
  }
  return items / 2
}

afterEach(() => {
  Set.prototype.add = add
})

interface Counted {
  readonly steps: number
  readonly rounds: number
}

/** What was counted before an update was applied, and what it took. */
function applyCounted(doc: Y.Doc, update: Uint8Array): Counted {
  const decoded = decodeUpdate(update)
  expect(findGap(doc, decoded)).toBeNull()
  const steps = checkIntegration(doc, decoded)
  const rounds = countRounds(() => Y.applyUpdate(doc, update))
  return { steps, rounds }
}

describe('checkIntegration', () => {
  it('[COST2] counts no fewer steps than Yjs takes, in random edits of three devices', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = createRandom(seed)
        const docs = times(3, () => new Y.Doc())
        for (let step = 0; step < 150; step++) {
          const doc = random.pick(docs)
          const text = doc.getText('t')
          const list = doc.getArray<unknown>('a')
          const what = random()
          if (what < 0.35) text.insert(random.int(Math.min(4, text.length + 1)), 'abc')
          else if (what < 0.5 && text.length > 2) text.delete(random.int(text.length - 1), 2)
          else if (what < 0.65) list.insert(random.int(list.length + 1), [step, 'x'])
          else if (what < 0.7) list.push([new Y.Map([['n', step]])])
          else if (what < 0.8) doc.getMap('m').set(`k${random.int(2)}`, step)
          else {
            const other = random.pick(docs)
            const update = Y.encodeStateAsUpdate(other, random() < 0.5 ? Y.encodeStateVector(doc) : undefined)
            const { steps, rounds } = applyCounted(doc, update)
            expect(steps).toBeGreaterThanOrEqual(rounds)
            expect(steps).toBeLessThan(rounds + 200)
          }
        }
        for (const doc of docs) {
          const { steps, rounds } = applyCounted(new Y.Doc(), Y.encodeStateAsUpdate(doc))
          expect(steps).toBeGreaterThanOrEqual(rounds)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('[COST2] counts no fewer steps than Yjs takes, in updates that no device would write', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = createRandom(seed)
        const doc = new Y.Doc()
        const clocks = new Map<number, number>()
        for (let round = 0; round < 4; round++) {
          const clients: Array<{
            client: number
            clock: number
            structs: Array<ReturnType<typeof textItem>>
          }> = []
          const known = new Map(clocks)
          for (const client of [3, 2, 1]) {
            const clock = clocks.get(client) ?? 0
            const structs = times(random.int(12), (index) => {
              const place: { -readonly [Name in keyof TextPlace]: TextPlace[Name] } = {}
              // What any client wrote in earlier rounds, or this one before.
              const pick = (): [number, number] | undefined => {
                const other = 1 + random.int(3)
                const end = other === client ? clock + index : (known.get(other) ?? 0)
                return end > 0 ? [other, random.int(end)] : undefined
              }
              const after = random() < 0.7 ? pick() : undefined
              const before = random() < 0.5 ? pick() : undefined
              if (after) place.after = after
              if (before) place.before = before
              if (random() < 0.3) place.key = `k${random.int(2)}`
              place.root = random.pick(['t', 'u'])
              if (after || before) delete place.key
              return textItem('x', place)
            })
            if (structs.length > 0) clients.push({ client, clock, structs })
            clocks.set(client, clock + structs.length)
          }
          const update = encodeUpdateByHand(clients)
          const { steps, rounds } = applyCounted(doc, update)
          expect(steps).toBeGreaterThanOrEqual(rounds)
          expect(doc.store.pendingStructs).toBeNull()
        }
      }),
      { numRuns: 150 },
    )
  })

  it('[COST2] counts few steps in random histories, in each update and in all of a document', () => {
    for (let seed = 1; seed <= 6; seed++) {
      for (const { store } of runHistory({ seed, lossy: true, crash: true }).world.devices) {
        const { steps, rounds } = applyCounted(new Y.Doc(), Y.encodeStateAsUpdate(store.doc))
        expect(steps).toBeGreaterThanOrEqual(rounds)
        expect(steps).toBeLessThan(maxIntegrationSteps(0) / 10)
      }
    }
  })

  it('[COST2] takes what two devices typed and did for weeks without each other', () => {
    const devices = createDevices(2)
    const [laptop, phone] = devices.stores as [ReturnType<typeof createStore>, ReturnType<typeof createStore>]
    laptop.receive(message(1))
    laptop.conversation(bob).draft.set('shared')
    devices.sync()
    for (const [index, store] of [laptop, phone].entries()) {
      let text = 'shared'
      for (let key = 0; key < 3_000; key++) {
        const at = key % 3 === 0 ? 0 : text.length
        text = `${text.slice(0, at)}${index}${text.slice(at)}`
        store.conversation(bob).draft.set(text)
      }
      for (let seq = 2; seq < 4_000; seq++)
        store.receive(message(seq, { channel: { channelId: `c${seq % 900}`, channelType: 1 } }))
    }
    for (const [from, to] of [
      [laptop, phone],
      [phone, laptop],
    ] as const) {
      const decoded = decodeUpdate(Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
      expect(checkIntegration(to.doc, decoded)).toBeLessThan(maxIntegrationSteps(0) / 10)
    }
    send(laptop, phone)
    send(phone, laptop)
    expect(laptop.export()).toEqual(phone.export())
  })

  it('[COST2] takes the garbage collection of thousands of entries that lie apart', () => {
    const doc = new Y.Doc()
    doc.clientID = 1
    const copy = new Y.Doc()
    for (let start = 0; start < 20_000; start += 256) {
      // Runs of 256, as devices write them.
      const structs = times(Math.min(256, 20_000 - start), (i) => i)
      doc.getArray(`r${start}`).push(structs)
    }
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    const runs = times(10_000, (i) => [2 * i, 1] as const)
    expect(() =>
      checkIntegration(copy, decodeUpdate(encodeUpdateByHand([], [{ client: 1, ranges: runs }]))),
    ).not.toThrow()
  })

  const HOSTILE: Record<string, (n: number) => { before?: Uint8Array; update: Uint8Array }> = {
    'two clients insert at the same position': (n) => ({
      update: encodeUpdateByHand([
        { client: 1, structs: times(n, () => textItem('a')) },
        { client: 2, structs: [textItem('z', { after: [1, n - 1] }), ...times(n, () => textItem('b'))] },
      ]),
    }),
    'many clients insert at the same position': (n) => ({
      // Each client waits for the one before, so that Yjs does not begin with the greatest.
      update: encodeUpdateByHand(
        times(n, (index) => ({
          client: n - index,
          structs: [textItem('a', index === n - 1 ? {} : { after: [n - index - 1, 1] }), textItem('b')],
        })),
      ),
    }),
    'many forks at the start of a chain': (n) => ({
      before: encodeUpdateByHand([
        { client: 1, structs: times(n, (i) => (i === 0 ? textItem('a') : textItem('a', { after: [1, 0] }))) },
      ]),
      update: encodeUpdateByHand([{ client: 2, structs: times(n, () => textItem('b', { after: [1, 0] })) }]),
    }),
    'one key is set again and again beside its values': (n) => ({
      update: encodeUpdateByHand([{ client: 1, structs: times(n, () => textItem('a', { key: 'k' })) }]),
    }),
  }

  for (const [name, make] of Object.entries(HOSTILE)) {
    it(`[COST2] refuses what takes a square of the steps: ${name}`, () => {
      const { before, update } = make(8_000)
      const doc = new Y.Doc()
      if (before) Y.applyUpdate(doc, before)
      const state = Y.encodeStateVector(doc)
      expect(() => checkIntegration(doc, decodeUpdate(update))).toThrow(/takes more than \d+ steps/)
      expect(Y.encodeStateVector(doc)).toEqual(state)
      const small = make(100)
      const copy = new Y.Doc()
      if (small.before) Y.applyUpdate(copy, small.before)
      const { steps, rounds } = applyCounted(copy, small.update)
      expect(steps).toBeGreaterThanOrEqual(rounds)
    })
  }

  it('[COST2] lets no insertion use the steps of deleted ranges', () => {
    const n = 4_000
    const hostile = encodeUpdateByHand(
      [
        { client: 3, structs: [textItem('x'.repeat(60_000), { root: 'u' })] },
        { client: 2, structs: [textItem('z', { after: [1, n - 1] }), ...times(n, () => textItem('b'))] },
        { client: 1, structs: times(n, () => textItem('a')) },
      ],
      [{ client: 3, ranges: times(30_000, (i) => [2 * i, 1] as const) }],
    )
    expect(() => checkIntegration(new Y.Doc(), decodeUpdate(hostile))).toThrow(/takes more than/)
  })

  it('[COST2] counts the splitting of long items and the joining of many', () => {
    const doc = new Y.Doc()
    doc.clientID = 1
    doc.getArray('a').push(times(100_000, (i) => i))
    const cuts = encodeUpdateByHand([], [{ client: 1, ranges: times(25_000, (i) => [2 * i, 1] as const) }])
    // Each range splits twice what holds 100,000 values: more than 512 steps.
    expect(() => checkIntegration(doc, decodeUpdate(cuts))).toThrow(/takes more than/)
    const author = new Y.Doc()
    const updates: Uint8Array[] = []
    for (let i = 0; i < 5_000; i++) {
      const known = Y.encodeStateVector(author)
      author.getArray('a').push([i])
      updates.push(Y.encodeStateAsUpdate(author, known))
    }
    const decoded: DecodedUpdate = decodeUpdate(Y.mergeUpdates(updates))
    expect(decoded.structs).toHaveLength(5_000)
    expect(checkIntegration(new Y.Doc(), decoded)).toBeGreaterThan(5_000 * 9)
  })

  /** A text with formats in so many places, of one attribute or of as many. */
  const formattedText = (places: number, attributeAt: (place: number) => string): Y.Doc => {
    const author = new Y.Doc()
    const text = author.getText('t')
    text.applyDelta(
      times(places, (place) => [
        { insert: 'word', attributes: { [attributeAt(place)]: true } },
        { insert: ' ' },
      ]).flat(),
    )
    return author
  }

  it('[COST2] takes a rich text of thousands of formats, a change of one of them, and the deletion of a page', () => {
    const author = formattedText(3_000, () => 'bold')
    const doc = new Y.Doc()
    const sync = (): void => {
      const update = Y.encodeStateAsUpdate(author, Y.encodeStateVector(doc))
      checkIntegration(doc, decodeUpdate(update))
      Y.applyUpdate(doc, update)
    }
    sync()
    author.getText('t').format(0, 40, { italic: true })
    sync()
    author.getText('t').delete(1_000, 2_000)
    sync()
    author.getText('t').delete(0, author.getText('t').length)
    sync()
    expect(doc.getText('t').toDelta()).toEqual(author.getText('t').toDelta())
  })

  it('[COST2] takes the deletion of thousands of entries beside a text with formats', () => {
    const author = formattedText(10, () => 'bold')
    author.getArray('e0').push(times(5_000, (i) => `entry ${i}`))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(author))
    author.transact(() => {
      for (let at = 4_998; at >= 0; at -= 2) author.getArray('e0').delete(at)
    })
    const update = Y.encodeStateAsUpdate(author, Y.encodeStateVector(doc))
    expect(() => checkIntegration(doc, decodeUpdate(update))).not.toThrow()
  })

  it('[COST2] refuses formats of thousands of attributes, which Yjs copies at each place', () => {
    const client = formattedText(1, () => 'bold').clientID
    const items = times(4_000, (place) => ({ key: `f${place}` }))
    const author = new Y.Doc()
    author.clientID = client
    // Attributes that never end: each place has all that were begun before it.
    author.getText('t').applyDelta(
      items.map((_, place) => ({
        insert: 'x',
        attributes: Object.fromEntries(
          items.slice(Math.max(0, place - 1), place + 1).map(({ key }) => [key, true]),
        ),
      })),
    )
    expect(() => checkIntegration(new Y.Doc(), decodeUpdate(Y.encodeStateAsUpdate(author)))).toThrow(
      /takes more than/,
    )
  })

  it('[COST2] refuses deletions whose gaps Yjs walks over again and again', () => {
    const author = formattedText(10, () => 'bold')
    const text = author.getText('t')
    for (let n = 0; n < 4_000; n++) text.insert(0, n % 2 ? 'a' : 'b')
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(author))
    author.transact(() => text.delete(0, 4_000))
    const decoded = decodeUpdate(Y.encodeStateAsUpdate(author, Y.encodeStateVector(doc)))
    expect(() => checkIntegration(doc, decoded)).toThrow(/takes more than/)
  })
})
