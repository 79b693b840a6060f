import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { createRevocations } from '../src/access/revocations.js'
import { createMemoryLog, silentLogger, withDiskFloor } from '../src/index.js'
import { connectRaw, connectStock, startServer, syncMessage, textUpdate, until } from './support/harness.js'

const GIB = 1024 ** 3
const floor = { folder: '/', minFreeBytes: GIB }

describe('a disk that is almost full', () => {
  it('[L30] takes no more updates, with a close to be retried, is read all the same, and goes on by itself', async () => {
    let free = 10 * GIB
    const store = await withDiskFloor(createMemoryLog(), {
      ...floor,
      intervalMs: 20,
      measure: async () => ({ free, size: 100 * GIB }),
    })
    const running = await startServer({ store })
    const reader = connectStock(running, 'alice')
    await reader.synced
    reader.doc.getText('t').insert(0, 'before')
    await until('it is stored', async () => (await store.load('alice')).version === 1)
    free = GIB / 2
    await until('it is noticed', () =>
      store.check().then(
        () => false,
        () => true,
      ),
    )
    expect((await fetch(`${running.url}/readyz`)).status).toBe(503)
    const writer = await connectRaw(running.room('alice'))
    writer.send(syncMessage(1, new Uint8Array([0, 0])))
    writer.send(syncMessage(2, textUpdate('more')))
    expect(await writer.closed).toMatchObject({ code: 4503 })
    await expect(
      store.appendOwn('alice', { compose: () => ({ update: new Uint8Array([0, 0]), clocks: 0 }) }),
    ).rejects.toThrow('no space')
    const other = connectStock(running, 'alice')
    await other.synced
    expect(other.doc.getText('t').toString()).toBe('before')
    await createRevocations({ values: store.values, logger: silentLogger }).revoke('mallory')
    await store.compact('alice', { through: 1, snapshot: Y.encodeStateAsUpdate(other.doc) })
    free = 2 * GIB
    await until('it is noticed', () =>
      store.check().then(
        () => true,
        () => false,
      ),
    )
    other.doc.getText('t').insert(0, 'again, as ')
    await until('it is stored', async () => (await store.load('alice')).version === 2)
  })
})

describe('the floor', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ['enough', 2 * GIB, 100 * GIB, true],
    ['less than the floor', GIB - 1, 100 * GIB, false],
    ['a twentieth of a small disk', 2 * 1024 ** 2, 32 * 1024 ** 2, true],
    ['less than that', 1024 ** 2, 32 * 1024 ** 2, false],
  ])('[L30] %s', async (_name, free, size, takes) => {
    const store = await withDiskFloor(createMemoryLog(), { ...floor, measure: async () => ({ free, size }) })
    const appended = store.append('alice', new Uint8Array([0, 0])).then(
      () => true,
      () => false,
    )
    expect(await appended).toBe(takes)
    await store.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('[L30] that cannot be measured refuses nothing; a real one is measured', async () => {
    const blind = await withDiskFloor(createMemoryLog(), {
      ...floor,
      measure: async () => {
        throw new Error('no such folder')
      },
    })
    expect(await blind.append('alice', new Uint8Array([0, 0]))).toBe(1)
    const absurd = await withDiskFloor(createMemoryLog(), { folder: '/', minFreeBytes: 1 })
    expect(await absurd.append('alice', new Uint8Array([0, 0]))).toBe(1)
    for (const store of [blind, absurd]) await store.close()
  })
})
