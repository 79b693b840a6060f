import { decodeUpdate, findGap } from '@parley/core'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { copyOf, doEdit, randomEdit, stateOf, WRITERS } from '../../test/support/randomEdits.js'
import { readEdit } from './edit.js'
import { LazyDocument } from './lazyDocument.js'
import { findNews } from './news.js'
import { prepareUpdates } from './prepare.js'

const lazyDocument = (onFault = (_error: unknown): void => {}): LazyDocument =>
  new LazyDocument(new Y.Doc(), onFault)

/** What reaches a server: an edit, a whole document, or nothing for now; and somebody may look at the document then. */
const delivery = fc.record({
  edit: randomEdit,
  sends: fc.constantFrom('edit', 'edit', 'edit', 'state', 'nothing'),
  looks: fc.boolean(),
})

/** Takes an update in as a room does, and by the book; returns what a room stores of it. */
function take(lazy: LazyDocument, plain: Y.Doc, update: Uint8Array): Uint8Array | null {
  const decoded = decodeUpdate(update)
  const gap = findGap(plain, decoded)
  const prepared = prepareUpdates(lazy, [update])
  if (gap) {
    expect(prepared.outcome).toBe('gap')
    return null
  }
  const news = findNews(plain, update, decoded)
  expect(prepared.outcome).toBe(news ? 'news' : 'known')
  if (prepared.outcome !== 'news' || !news) return null
  expect(prepared.news).toEqual(news)
  if (prepared.edit) lazy.addEdit(prepared.news, prepared.edit)
  else lazy.add(prepared.news)
  Y.applyUpdate(plain, news)
  return news
}

describe('a document that edits are applied to when somebody looks', () => {
  it('[N5] property "as if applied at once": what is new, what fits and what is there are the same', () => {
    fc.assert(
      fc.property(fc.array(delivery, { maxLength: 60 }), (deliveries) => {
        const docs = Array.from({ length: WRITERS }, () => new Y.Doc())
        const lazy = lazyDocument()
        const plain = new Y.Doc()
        for (const { edit, sends, looks } of deliveries) {
          const doc = docs[edit.writer] as Y.Doc
          let sent = new Uint8Array([0, 0])
          const collect = (update: Uint8Array): void => {
            sent = new Uint8Array(update)
          }
          doc.on('update', collect)
          doEdit(docs, edit)
          doc.off('update', collect)
          if (sends === 'edit') take(lazy, plain, sent)
          else if (sends === 'state') take(lazy, plain, Y.encodeStateAsUpdate(doc))
          for (const { clientID } of docs) {
            expect(lazy.clockOf(clientID)).toBe(Y.getState(plain.store, clientID))
          }
          if (looks) expect(stateOf(lazy.doc)).toEqual(stateOf(plain))
        }
        expect(stateOf(lazy.doc)).toEqual(stateOf(plain))
      }),
      { numRuns: 400 },
    )
  })

  it('[N5] who types costs one transaction for many letters', () => {
    const lazy = lazyDocument()
    const transactions = vi.fn()
    lazy.doc.on('afterTransaction', transactions)
    const writer = new Y.Doc()
    const plain = new Y.Doc()
    writer.on('update', (update: Uint8Array) => take(lazy, plain, update))
    for (let n = 0; n < 200; n++) {
      writer.getText('t').insert(n % 7, 'letter')
      writer.getText('t').delete(n % 3, 4)
    }
    expect(lazy.doc.getText('t').toString()).toBe(writer.getText('t').toString())
    expect(transactions.mock.calls.length).toBeLessThanOrEqual(400 / 8 + 1)
  })

  it('[N5] applies an edit at once that is large', () => {
    const lazy = lazyDocument()
    const { doc } = lazy
    const writer = new Y.Doc()
    writer.on('update', (update: Uint8Array) => {
      const edit = readEdit(lazy, decodeUpdate(update))
      if (edit) lazy.addEdit(update, edit)
    })
    writer.getText('t').insert(0, 'a')
    writer.getText('t').insert(1, 'b'.repeat(20_000))
    expect(doc.getText('t').length).toBe(20_001)
  })

  it('[WORK1] sees no edit where Yjs would have to look for the place of an insertion', () => {
    const lazy = lazyDocument()
    const writer = new Y.Doc()
    const isEdit = (change: () => void): boolean => {
      const before = Y.encodeStateVector(writer)
      change()
      const update = Y.encodeStateAsUpdate(writer, before)
      const edit = readEdit(lazy, decodeUpdate(update))
      if (edit) lazy.addEdit(update, edit)
      else lazy.add(update)
      return edit !== null
    }
    const text = writer.getText('t')
    const map = writer.getMap('m')
    expect(isEdit(() => text.insert(0, 'hello'))).toBe(true)
    expect(isEdit(() => text.insert(5, ' world'))).toBe(true)
    lazy.catchUp()
    expect(isEdit(() => text.insert(3, 'in the middle'))).toBe(true)
    lazy.catchUp()
    expect(isEdit(() => text.insert(0, 'in front'))).toBe(true)
    expect(isEdit(() => map.set('k', 1))).toBe(true)
    lazy.catchUp()
    expect(isEdit(() => map.set('k', 2))).toBe(true)
    lazy.catchUp()
    // Somebody who has not heard of that writes at the same places.
    const other = copyOf(writer)
    text.insert(text.length, ' at the end')
    text.insert(2, 'x')
    lazy.add(Y.encodeStateAsUpdate(writer))
    for (const place of [0, 2]) {
      const before = Y.encodeStateVector(other)
      other.getText('t').insert(place === 0 ? other.getText('t').length : place, 'y')
      const update = Y.encodeStateAsUpdate(other, before)
      expect(readEdit(lazy, decodeUpdate(update))).toBeNull()
      expect(prepareUpdates(lazy, [update])).toMatchObject({ outcome: 'news', edit: null, steps: 1 })
      lazy.add(update)
    }
  })

  it('[N5] sees no edit where types are nested, something is missing, or something was deleted before', () => {
    const lazy = lazyDocument()
    const edits = (change: (doc: Y.Doc) => void, writer = new Y.Doc()): boolean => {
      const before = Y.encodeStateVector(writer)
      change(writer)
      return readEdit(lazy, decodeUpdate(Y.encodeStateAsUpdate(writer, before))) !== null
    }
    expect(edits((doc) => doc.getText('t').insert(0, 'plain'))).toBe(true)
    expect(edits((doc) => doc.getArray('a').push([new Y.Map()]))).toBe(false)
    const writer = new Y.Doc()
    writer.getText('t').insert(0, 'not sent')
    expect(edits((doc) => doc.getText('t').insert(3, 'x'), writer)).toBe(false)
    const known = copyOf(writer)
    const first = Y.encodeStateAsUpdate(writer)
    lazy.addEdit(first, readEdit(lazy, decodeUpdate(first)) as NonNullable<ReturnType<typeof readEdit>>)
    const deletes = (doc: Y.Doc): void => {
      doc.getText('t').insert(8, '!')
      doc.getText('t').delete(0, 3)
    }
    known.clientID = 1
    const before = Y.encodeStateVector(known)
    deletes(known)
    const deletion = Y.encodeStateAsUpdate(known, before)
    const edit = readEdit(lazy, decodeUpdate(deletion))
    expect(edit).toMatchObject({ client: 1, deleted: [{ client: writer.clientID, from: 0, to: 3 }] })
    lazy.addEdit(deletion, edit as NonNullable<typeof edit>)
    // The same letters once more, by another one.
    writer.clientID = 2
    const again = Y.encodeStateVector(writer)
    deletes(writer)
    expect(readEdit(lazy, decodeUpdate(Y.encodeStateAsUpdate(writer, again)))).toBe(null)
  })

  it('[R7] says so whenever somebody looks if an edit turns out not to fit', () => {
    const onFault = vi.fn()
    const lazy = lazyDocument(onFault)
    const writer = new Y.Doc()
    writer.getText('t').insert(0, 'a')
    const before = Y.encodeStateVector(writer)
    writer.getText('t').insert(1, 'b')
    lazy.addEdit(Y.encodeStateAsUpdate(writer, before), { client: writer.clientID, end: 2, deleted: [] })
    expect(() => lazy.doc).toThrow('in part')
    // Nor is anything taken for an edit of it.
    expect(() => readEdit(lazy, decodeUpdate(Y.encodeStateAsUpdate(writer)))).toThrow('in part')
    expect(() => lazy.doc).toThrow('in part')
    expect(onFault).toHaveBeenCalledTimes(1)
  })
})
