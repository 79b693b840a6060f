import { decodeUpdate, findGap } from '@parley/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  copyOf,
  doEdit,
  type RandomEdit,
  randomEdit,
  stateOf,
  WRITERS,
} from '../../test/support/randomEdits.js'
import { findNews } from './news.js'

const newsOf = (doc: Y.Doc, update: Uint8Array): Uint8Array | null =>
  findNews(doc, update, decodeUpdate(update))

/** A server that has what one writer had before, and the documents of all after. */
function play(
  before: readonly RandomEdit[],
  after: readonly RandomEdit[],
): { server: Y.Doc; docs: readonly Y.Doc[] } {
  const docs = Array.from({ length: WRITERS }, () => new Y.Doc())
  for (const one of before) doEdit(docs, one)
  const server = copyOf(docs[0] as Y.Doc)
  for (const one of after) doEdit(docs, one)
  return { server, docs }
}

const [edits, laterEdits] = [fc.array(randomEdit, { maxLength: 40 }), fc.array(randomEdit, { maxLength: 15 })]

describe('what is new in an update', () => {
  it('[N1] property "news says all": applied instead of the update it leaves the same document', () => {
    fc.assert(
      fc.property(edits, laterEdits, (before, after) => {
        const { server, docs } = play(before, after)
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
      fc.property(edits, laterEdits, (before, after) => {
        const { server, docs } = play(before, after)
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
