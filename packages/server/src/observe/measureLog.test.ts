import { describe, expect, it } from 'vitest'
import { ServerError } from '../errors.js'
import { runLogStoreTests } from '../log/acceptance.js'
import { createMemoryLog } from '../log/memoryLog.js'
import { measureLog } from './measureLog.js'
import { createMetrics } from './metrics.js'

runLogStoreTests('memory, measured [T3]', {
  open: async () => measureLog(createMemoryLog(), createMetrics()),
})

describe('a measured store', () => {
  it('[T1] counts what became durable, was read, compacted and put aside', async () => {
    const metrics = createMetrics()
    const store = measureLog(createMemoryLog(), metrics)
    await store.append('alice', new Uint8Array(10))
    await store.appendOwn('alice', { compose: () => ({ update: new Uint8Array(20), clocks: 1 }) })
    await store.append('bob', new Uint8Array(30))
    await store.load('alice')
    await store.quarantine('alice', [{ version: 1, reason: 'broken' }])
    await store.compact('alice', { through: 2, snapshot: new Uint8Array(5) })
    const text = await metrics.render()
    for (const line of [
      'parley_stored_updates_total 3',
      'parley_stored_bytes_total 60',
      'parley_commit_duration_seconds_count 3',
      'parley_load_duration_seconds_count 1',
      'parley_quarantined_rows_total 1',
      'parley_compactions_total 1',
    ])
      expect(text.split('\n')).toContain(line)
    expect(text).not.toContain('parley_store_errors_total{')
  })

  it('[T1] counts what failed as failed and as nothing else', async () => {
    const metrics = createMetrics()
    const failing = async (): Promise<never> => {
      throw new ServerError('store-unavailable', 'The disk is full')
    }
    const broken = { ...createMemoryLog(), append: failing, load: failing, check: failing }
    const store = measureLog(broken, metrics)
    await expect(store.append('alice', new Uint8Array(1))).rejects.toThrow('The disk is full')
    await expect(store.load('alice')).rejects.toThrow('The disk is full')
    await expect(store.check()).rejects.toThrow('The disk is full')
    const lines = (await metrics.render()).split('\n')
    for (const operation of ['append', 'load', 'check'])
      expect(lines).toContain(`parley_store_errors_total{operation="${operation}"} 1`)
    expect(lines).toContain('parley_stored_updates_total 0')
    expect(lines).toContain('parley_commit_duration_seconds_count 0')
  })
})
