import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  createStore,
  type DecodedUpdate,
  decodeUpdate,
  decodeUpdateInSteps,
  MAX_REGISTERS,
  ParleyError,
  UPDATE_LIMITS,
} from '../src/index.js'
import { createRandom, runHistory } from '../src/testing/index.js'
import { bob, message } from './support/devices.js'
import { encodeUpdateByHand, garbage, textItem, times } from './support/updates.js'

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof ParleyError) return error.code
    throw error
  }
  return 'none'
}

/** A document with every kind of content that Yjs has, except what is refused. */
function motley(): Y.Doc {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'text 😀')
  doc.getText('t').insertEmbed(2, { image: 'x' })
  doc.getText('t').format(0, 2, { bold: true })
  doc
    .getArray<unknown>('a')
    .push([1, -2.5, 2 ** 40, null, true, 'x', { deep: [{}, []] }, new Uint8Array([1, 2])])
  doc.getArray<unknown>('a').push([new Y.Map([['k', 1]]), new Y.Text('inner')])
  doc.getMap('m').set('k', 'v')
  doc.getMap('m').set('k', 'w')
  doc.getXmlFragment('x').insert(0, [new Y.XmlElement('p'), new Y.XmlText('q')])
  doc.getText('t').delete(0, 2)
  return doc
}

/** What a decoded update holds, as text. */
function summaryOf({ structs, deletions }: DecodedUpdate): string {
  const all = structs.map((struct) => {
    const item =
      struct instanceof Y.Item ? [struct.origin, struct.rightOrigin, struct.content.getLength()] : []
    return [struct.constructor.name, struct.id, struct.length, ...item]
  })
  return JSON.stringify([all, [...deletions]])
}

describe('decodeUpdate', () => {
  it('[COST3] reads every update that Yjs writes', () => {
    expect(() => decodeUpdate(Y.encodeStateAsUpdate(motley()))).not.toThrow()
    for (let seed = 1; seed <= 3; seed++) {
      for (const { store } of runHistory({ seed, lossy: true }).world.devices) {
        expect(() => decodeUpdate(Y.encodeStateAsUpdate(store.doc))).not.toThrow()
      }
    }
  })

  it('[COST3] refuses an update with bytes behind its end, one that is cut off, and the second encoding', () => {
    const doc = motley()
    const update = Y.encodeStateAsUpdate(doc)
    for (const tail of [[0], [0, 0], [1, 2, 3]]) {
      expect(() => decodeUpdate(Uint8Array.from([...update, ...tail]))).toThrow(/bytes behind its end/)
    }
    for (let end = 0; end < update.length; end++) {
      expect(codeOf(() => decodeUpdate(update.subarray(0, end)))).toBe('invalid-update')
    }
    expect(codeOf(() => decodeUpdate(Y.encodeStateAsUpdateV2(doc)))).toBe('invalid-update')
    for (const text of ['a', 'hello', 'a longer text']) {
      const author = new Y.Doc()
      author.getText('t').insert(0, text)
      expect(codeOf(() => decodeUpdate(Y.encodeStateAsUpdateV2(author)))).toBe('invalid-update')
    }
  })

  it('[COST3] reads exactly what Yjs reads, whatever bytes are changed', () => {
    const good = Y.encodeStateAsUpdate(motley())
    const random = createRandom(11)
    for (let run = 0; run < 4_000; run++) {
      const bad = Uint8Array.from(good)
      bad[random.int(bad.length)] = random.int(256)
      if (codeOf(() => decodeUpdate(bad)) === 'none') expect(() => Y.decodeUpdate(bad)).not.toThrow()
    }
  })

  it('[COST3] decodes in steps what it decodes at once', () => {
    const updates = [Y.encodeStateAsUpdate(motley()), Uint8Array.of(0, 0)]
    for (let seed = 1; seed <= 2; seed++) {
      for (const { store } of runHistory({ seed }).world.devices)
        updates.push(Y.encodeStateAsUpdate(store.doc))
    }
    // Two clients, the first in three parts.
    const many = times(10_000, (index) => textItem('ab', index === 0 ? {} : { after: [2, 2 * index - 1] }))
    updates.push(
      encodeUpdateByHand(
        [
          { client: 2, structs: many },
          { client: 1, clock: 5, structs: [garbage(3)] },
        ],
        [{ client: 2, ranges: [[0, 1]] }],
      ),
    )
    for (const update of updates) {
      const steps = decodeUpdateInSteps(update)
      let step = steps.next()
      while (!step.done) step = steps.next()
      expect(summaryOf(step.value)).toBe(summaryOf(decodeUpdate(update)))
    }
  })

  it('[COST4] refuses deleted ranges that overlap, repeat or are out of order', () => {
    const structs = [textItem('x'.repeat(100))]
    const withRanges = (...ranges: Array<[number, number]>): Uint8Array =>
      encodeUpdateByHand([{ client: 1, structs }], [{ client: 1, ranges }])
    expect(codeOf(() => decodeUpdate(withRanges([0, 10], [10, 5], [20, 1])))).toBe('none')
    for (const update of [
      withRanges([0, 100], [0, 100]),
      withRanges([0, 10], [9, 2]),
      withRanges([20, 1], [0, 10]),
      encodeUpdateByHand(
        [{ client: 1, structs }],
        times(2, () => ({ client: 1, ranges: [[0, 100]] as const })),
      ),
    ]) {
      expect(codeOf(() => decodeUpdate(update))).toBe('invalid-update')
    }
  })

  it('[COST5] refuses more structs, values, ranges and clients than an update may have', () => {
    const structs = times(UPDATE_LIMITS.structs + 1, () => garbage(1))
    expect(() => decodeUpdate(encodeUpdateByHand([{ client: 1, structs }]))).toThrow(
      `more than ${UPDATE_LIMITS.structs} structs`,
    )
    expect(codeOf(() => decodeUpdate(encodeUpdateByHand([{ client: 1, structs }])))).toBe('too-large')
    const ranges = times(UPDATE_LIMITS.deletedRanges + 1, (index) => [2 * index, 1] as const)
    expect(() => decodeUpdate(encodeUpdateByHand([], [{ client: 1, ranges }]))).toThrow(
      `more than ${UPDATE_LIMITS.deletedRanges} deleted ranges`,
    )
    const clients = times(UPDATE_LIMITS.clients + 1, (client) => ({ client, structs: [garbage(1)] }))
    expect(() => decodeUpdate(encodeUpdateByHand(clients))).toThrow(
      `more than ${UPDATE_LIMITS.clients} clients`,
    )
    const doc = new Y.Doc()
    doc.getArray('a').push([times(UPDATE_LIMITS.values, () => null)])
    expect(() => decodeUpdate(Y.encodeStateAsUpdate(doc))).toThrow(`more than ${UPDATE_LIMITS.values} values`)
    // The count alone says so: nothing of it is there.
    expect(() => decodeUpdate(Uint8Array.of(1, 255, 255, 255, 127))).toThrow(/more than \d+ structs/)
  })
})

describe('a store', () => {
  it('[COST6] refuses an update that costs too much, and stays as it was', () => {
    const store = createStore({ userId: 'me' })
    store.receive(message(1))
    const before = Y.encodeStateAsUpdate(store.doc)
    const hostile = encodeUpdateByHand([
      { client: 1, structs: times(8_000, () => textItem('a')) },
      { client: 2, structs: [textItem('z', { after: [1, 7_999] }), ...times(8_000, () => textItem('b'))] },
    ])
    expect(codeOf(() => store.applyUpdate(hostile))).toBe('too-large')
    expect(Y.encodeStateAsUpdate(store.doc)).toEqual(before)
    store.conversation(bob).markRead(1)
    expect(store.conversation(bob).getSnapshot().unread).toBe(0)
  })
})

describe('a conversation with thousands of attributes', () => {
  it('[COST7] refuses one more name than it may have, keeps those it has, and stays quick', () => {
    const author = createStore({ userId: 'me' })
    author.receive(message(1))
    author.transact(() => {
      for (let index = 0; index < MAX_REGISTERS; index++)
        author.conversation(bob).setAttribute(`a${index}`, index)
    })
    expect(() => author.conversation(bob).setAttribute('one more', 1)).toThrow(/name must be a name in use/)
    expect(() => author.conversation(bob).setReminder({ reminderId: 'r', version: 1 })).toThrow(
      /reminder\.reminderId must be/,
    )
    author.conversation(bob).setAttribute('a7', 'changed')
    const other = createStore({ userId: 'me' })
    other.conversation(bob).setAttribute('beyond', 1)
    author.applyUpdate(Y.encodeStateAsUpdate(other.doc))
    const { attributes } = author.conversation(bob).getSnapshot()
    expect(Object.keys(attributes)).toHaveLength(MAX_REGISTERS + 1)
    expect(attributes).toMatchObject({ a7: 'changed', beyond: 1 })
    author.receive(message(2))
    expect(author.conversation(bob).getSnapshot()).toMatchObject({ unread: 2, attributes })
    expect(author.conversation(bob).getSnapshot().attributes).toBe(attributes)
  })
})
