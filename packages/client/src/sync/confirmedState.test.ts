import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { describeConfirmed, isConfirmed } from './confirmedState.js'

const URL = 'ws://127.0.0.1:4300/sync'
const POSITION = { epoch: 0, version: 7 }

describe('what the server is known to have', () => {
  it('[CL23] covers the document it was noted for, and one that holds less', () => {
    const doc = new Y.Doc()
    doc.getArray('a').push([1])
    const earlier = Y.encodeStateAsUpdate(doc)
    doc.getArray('a').push([2])
    doc.getArray('a').delete(0, 1)
    const note = describeConfirmed(doc, URL, POSITION)
    expect(isConfirmed(doc, URL, note)).toBe(true)
    const reloaded = new Y.Doc()
    Y.applyUpdate(reloaded, Y.encodeStateAsUpdate(doc))
    expect(isConfirmed(reloaded, URL, note)).toBe(true)
    const behind = new Y.Doc()
    Y.applyUpdate(behind, earlier)
    expect(isConfirmed(behind, URL, note)).toBe(true)
  })

  it('[CL23] covers neither a later insertion nor a later deletion, nor another server', () => {
    const doc = new Y.Doc()
    doc.getArray('a').push([1, 2, 3])
    const note = describeConfirmed(doc, URL, POSITION)
    expect(isConfirmed(doc, 'ws://elsewhere/sync', note)).toBe(false)
    doc.getArray('a').delete(1, 1)
    expect(isConfirmed(doc, URL, note)).toBe(false)
    const deleted = describeConfirmed(doc, URL, POSITION)
    doc.getArray('a').push([4])
    expect(isConfirmed(doc, URL, deleted)).toBe(false)
  })

  it.each([undefined, null, 'text', {}, { url: URL, snapshot: new Uint8Array([255, 255]) }])(
    '[CL23] takes %j for no note',
    (note) => {
      const doc = new Y.Doc()
      doc.getArray('a').push([1])
      expect(isConfirmed(doc, URL, note)).toBe(false)
    },
  )
})
