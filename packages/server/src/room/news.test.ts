import { decodeUpdate, findGap } from '@parley/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { findNews } from './news.js'

type Edit =
  | { readonly kind: 'push' | 'type'; readonly writer: number; readonly at: number; readonly text: string }
  | { readonly kind: 'delete'; readonly writer: number; readonly at: number; readonly length: number }
  | { readonly kind: 'erase'; readonly writer: number; readonly at: number; readonly length: number }
  | { readonly kind: 'sync'; readonly writer: number; readonly with: number }

const WRITERS = 3
const writer = fc.nat(WRITERS - 1)
const range = { writer, at: fc.nat(30), length: fc.nat(5) }
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('push' as const, 'type' as const),
    writer,
    at: fc.nat(30),
    text: fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }),
  }),
  fc.record({ kind: fc.constant('delete' as const), ...range }),
  fc.record({ kind: fc.constant('erase' as const), ...range }),
  fc.record({ kind: fc.constant('sync' as const), writer, with: writer }),
)

function apply(docs: readonly Y.Doc[], edit: Edit): void {
  const doc = docs[edit.writer] as Y.Doc
  const [array, text] = [doc.getArray<string>('a'), doc.getText('t')]
  if (edit.kind === 'sync') Y.applyUpdate(doc, Y.encodeStateAsUpdate(docs[edit.with] as Y.Doc))
  else if ('length' in edit) remove(edit.kind === 'delete' ? array : text, edit.at, edit.length)
  else if (edit.kind === 'push') array.insert(edit.at % (array.length + 1), [edit.text, edit.text])
  else text.insert(edit.at % (text.length + 1), edit.text)
}

function remove(type: Y.Array<string> | Y.Text, place: number, length: number): void {
  if (type.length === 0) return
  const at = place % type.length
  type.delete(at, Math.min(length, type.length - at))
}

/** All that is in a document: contents, insertions known, deletions known. */
function stateOf(doc: Y.Doc): unknown {
  return {
    array: doc.getArray('a').toJSON(),
    text: doc.getText('t').toString(),
    vector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b),
    deletions: [...Y.snapshot(doc).ds.clients].sort(([a], [b]) => a - b),
    pending: doc.store.pendingStructs ?? doc.store.pendingDs,
  }
}

function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}

const newsOf = (doc: Y.Doc, update: Uint8Array): Uint8Array | null =>
  findNews(doc, update, decodeUpdate(update))

describe('what is new in an update', () => {
  it('[N1] property "news says all": applied instead of the update it leaves the same document', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 40 }), fc.array(edit, { maxLength: 15 }), (before, after) => {
        const docs = Array.from({ length: WRITERS }, () => new Y.Doc())
        for (const one of before) apply(docs, one)
        const server = copyOf(docs[0] as Y.Doc)
        for (const one of after) apply(docs, one)
        for (const doc of docs) {
          const update = Y.encodeStateAsUpdate(doc)
          const news = newsOf(server, update)
          const [whole, part] = [copyOf(server), copyOf(server)]
          Y.applyUpdate(whole, update)
          if (news) Y.applyUpdate(part, news)
          expect(stateOf(part)).toEqual(stateOf(whole))
          expect(stateOf(part)).toMatchObject({ pending: null })
        }
      }),
      { numRuns: 400 },
    )
  })

  it('[N2] property "nothing twice": after the news was applied there is none left, and it is no larger than the update', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 40 }), fc.array(edit, { maxLength: 15 }), (before, after) => {
        const docs = Array.from({ length: WRITERS }, () => new Y.Doc())
        for (const one of before) apply(docs, one)
        const server = copyOf(docs[0] as Y.Doc)
        for (const one of after) apply(docs, one)
        for (const doc of docs) {
          const update = Y.encodeStateAsUpdate(doc)
          const news = newsOf(server, update)
          if (!news) continue
          expect(findGap(server, decodeUpdate(news))).toBe(null)
          Y.applyUpdate(server, news)
          expect(newsOf(server, update)).toBe(null)
          expect(newsOf(server, news)).toBe(null)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('[N3] is the same bytes where all is new, so that nothing is encoded for a small edit', () => {
    const server = new Y.Doc()
    const client = new Y.Doc()
    client.on('update', (update: Uint8Array) => {
      expect(newsOf(server, update)).toBe(update)
      Y.applyUpdate(server, update)
    })
    client.getText('t').insert(0, 'hello')
    client.getText('t').delete(1, 2)
    client.getArray('a').push([1, { b: [2] }])
  })

  it('[N4] of a whole document with one more letter is that letter', () => {
    const client = new Y.Doc()
    for (let n = 0; n < 200; n++) {
      client.getText('t').insert(0, `${n} is a number `)
      client.getText('t').delete(5, 3)
    }
    const server = copyOf(client)
    client.getText('t').insert(7, 'x')
    const update = Y.encodeStateAsUpdate(client)
    const news = newsOf(server, update)
    expect(update.byteLength).toBeGreaterThan(1500)
    expect(news?.byteLength).toBeLessThan(40)
  })

  it('[N4] of deletions is those that were not known', () => {
    const client = new Y.Doc()
    client.getText('t').insert(0, 'abcdefghij')
    client.getText('t').delete(2, 2)
    const server = copyOf(client)
    client.getText('t').delete(1, 3)
    const news = newsOf(server, Y.encodeStateAsUpdate(client))
    const { structs, deletions } = decodeUpdate(news as Uint8Array)
    expect(structs).toEqual([])
    expect([...deletions.values()].map((ranges) => ranges.map(({ clock, len }) => [clock, len]))).toEqual([
      [
        [1, 1],
        [4, 2],
      ],
    ])
  })
})
