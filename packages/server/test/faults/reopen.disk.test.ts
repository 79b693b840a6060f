import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLevelLog } from '../../src/index.js'
import { limitedFiles } from './support/brokenDisks.js'

const LIMIT_BYTES = 256 * 1024

describe('a database that is to be opened anew', () => {
  it('[L15] and cannot be is no empty one, and is tried again by whoever reads', async () => {
    const disk = await limitedFiles(LIMIT_BYTES)
    const store = await openLevelLog({ folder: disk.folder })
    onTestFinished(() => store.close())
    await store.append('alice', new Uint8Array([1]))
    await disk.harm()
    await expect(store.append('alice', randomBytes(2 * LIMIT_BYTES))).rejects.toMatchObject({
      code: 'store-unavailable',
      cause: { message: expect.stringMatching(disk.says) },
    })
    await disk.mend()

    // The disk takes files again, so it is closed to be opened; but what names its files is not there.
    const current = join(disk.folder, 'log', 'CURRENT')
    await rename(current, `${current}.away`)
    await expect(store.append('alice', new Uint8Array([2]))).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    for (let n = 0; n < 3; n++) {
      await expect(store.load('alice')).rejects.toMatchObject({ code: 'store-unavailable' })
      await expect(store.size('alice')).rejects.toMatchObject({ code: 'store-unavailable' })
    }

    await rename(`${current}.away`, current)
    const loads = await Promise.all(Array.from({ length: 20 }, () => store.load('alice')))
    for (const { rows } of loads) expect(rows.map(({ update }) => [...update])).toEqual([[1]])
    expect(await store.append('alice', new Uint8Array([3]))).toBe(2)
  })
})
