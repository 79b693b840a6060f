import { checkIntegration, decodeUpdate } from '@parley/core'
import * as encoding from 'lib0/encoding'
import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { createMemoryLog } from '../log/memoryLog.js'
import { silentLogger } from '../logger.js'
import { createCompactor } from './compactor.js'
import { LazyDocument } from './lazyDocument.js'
import { loadRoom } from './loadRoom.js'

describe('compaction', () => {
  it('[R7] puts no document in the place of rows that failed while it was swept', async () => {
    const store = createMemoryLog()
    await store.append('alice', new Uint8Array([0, 0]))
    const compact = vi.spyOn(store, 'compact')
    const loaded = await loadRoom(store, 'alice')
    const document = new LazyDocument(loaded.doc, () => {})
    const compactor = createCompactor({
      store,
      document,
      loaded,
      logger: silentLogger,
      room: 'alice',
      maxRowBytes: 1_000,
      effort: { steps: 0 },
      now: () => ({ version: 1, outside: [] }),
      sweep: async () => document.destroy(),
      prepare: async () => {},
    })
    await compactor.run()
    expect(compact).not.toHaveBeenCalled()
  })

  it('[WORK4] leaves the rows where they are if Yjs could not load the snapshot again', async () => {
    const store = createMemoryLog()
    const doc = new Y.Doc()
    // Each client's own insertions cost nothing here; the greatest client's one brings those of the others first in a snapshot.
    const n = 1_500
    const chain = (client: number, count: number, after: readonly number[]): Uint8Array => {
      const encoder = encoding.createEncoder()
      for (const part of [1, count, client, 0]) encoding.writeVarUint(encoder, part)
      for (let item = 0; item < count; item++) {
        encoding.writeUint8(encoder, after.length > 0 ? 4 | 128 : 4)
        if (after.length > 0) for (const part of after) encoding.writeVarUint(encoder, part)
        else {
          encoding.writeVarUint(encoder, 1)
          encoding.writeVarString(encoder, 't')
        }
        encoding.writeVarString(encoder, 'x')
      }
      encoding.writeVarUint(encoder, 0)
      return encoding.toUint8Array(encoder)
    }
    for (const update of [chain(2, n, []), chain(1, n, []), chain(3, 1, [1, n - 1])]) {
      checkIntegration(doc, decodeUpdate(update))
      Y.applyUpdate(doc, update)
      await store.append('alice', update)
    }
    const compact = vi.spyOn(store, 'compact')
    const warn = vi.fn()
    const effort = { steps: 7 }
    const loaded = await loadRoom(store, 'alice')
    const compactor = createCompactor({
      store,
      document: new LazyDocument(loaded.doc, () => {}),
      loaded,
      effort,
      logger: { ...silentLogger, warn },
      room: 'alice',
      maxRowBytes: 1_000_000,
      now: () => ({ version: 3, outside: [] }),
      sweep: async () => {},
      prepare: async () => {},
    })
    await compactor.run()
    expect(compact).not.toHaveBeenCalled()
    expect(warn).toHaveBeenCalledWith(
      expect.objectContaining({ err: expect.objectContaining({ code: 'too-large' }) }),
      expect.stringMatching(/could not be compacted/),
    )
    expect(effort.steps).toBe(7)
  })
})
