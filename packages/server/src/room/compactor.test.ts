import { describe, expect, it, vi } from 'vitest'
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
      now: () => ({ version: 1, outside: [] }),
      sweep: async () => document.destroy(),
      prepare: async () => {},
    })
    await compactor.run()
    expect(compact).not.toHaveBeenCalled()
  })
})
