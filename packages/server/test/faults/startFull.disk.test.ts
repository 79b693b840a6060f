import { readdir } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { openLevelLog } from '../../src/index.js'
import { connectStock, startServer, until } from '../support/harness.js'
import { type BrokenDisk, canMount, fullDisk, readOnlyFolder } from './support/brokenDisks.js'

const DISKS: Array<[what: string, create: () => Promise<BrokenDisk>]> = [
  ['a read-only folder', readOnlyFolder],
  ...(canMount() ? [['a full disk', fullDisk] as [string, () => Promise<BrokenDisk>]] : []),
]
const update = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getArray('values').push([text])
  return Y.encodeStateAsUpdate(doc)
}

describe.each(DISKS)('a store that is opened on %s', (_what, create) => {
  it('[OPS1] is served, refuses updates, and writes again as soon as the disk does', {
    timeout: 60_000,
  }, async () => {
    const disk = await create()
    const before = await openLevelLog({ folder: disk.folder })
    // In a table, and in the log.
    await before.append('alice', update('first'))
    await before.close()
    const again = await openLevelLog({ folder: disk.folder })
    await again.append('alice', update('second'))
    await again.close()
    await disk.harm()
    let calls = 0
    const store = await openLevelLog({ folder: disk.folder, onReadOnly: () => void calls++ })
    onTestFinished(() => store.close())
    expect(calls).toBe(1)
    const server = await startServer({ store })
    const client = connectStock(server, 'alice')
    await client.synced
    expect(client.doc.getArray('values').toArray().sort()).toEqual(['first', 'second'])
    client.provider.destroy()
    await expect(store.append('alice', update('third'))).rejects.toMatchObject({ code: 'store-unavailable' })
    await expect(store.check()).rejects.toMatchObject({ code: 'store-unavailable' })
    expect((await store.load('alice')).rows.length).toBe(2)
    await disk.mend()
    expect(await store.append('alice', update('third'))).toBe(3)
    expect((await store.load('alice')).rows.length).toBe(3)
    await server.server.close()
    await store.close()
    const after = await openLevelLog({ folder: disk.folder })
    await until('all is there', async () => (await after.load('alice')).rows.length === 3)
    await after.close()
    expect((await readdir(disk.folder)).includes('log')).toBe(true)
  })
})
