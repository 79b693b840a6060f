import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openLevelLog } from './levelLog.js'
import type { LogStore } from './logStore.js'

let folder: string
let store: LogStore
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-erase-'))
  store = await openLevelLog({ folder })
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** A text that no compression shortens, so that it lies in a file as it is. */
const secret = (): string => randomBytes(48).toString('base64')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The files that hold a text. */
async function filesWith(text: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    // LevelDB tidies up in the background: a file may be gone by now.
    const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0))
    // Compression may take a first or a last character together with what stands beside it.
    if (bytes.includes(text.slice(4, -4))) found.push(entry.name)
  }
  return found
}

/** Writes so much that LevelDB moves what is there to files, and those to deeper levels. */
async function bury(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const rows = Array.from({ length: 64 }, (_, i) =>
      store.append(`room ${(n * 7 + i) % 200}`, randomBytes(8_192)),
    )
    await Promise.all(rows)
  }
}

describe('erasing from LevelDB', () => {
  it('[L25] leaves no byte of what was deleted or replaced in any file, wherever it lay', {
    timeout: 60_000,
  }, async () => {
    // How much is written after the text, and after its deletion: from all in memory to all in the deepest level.
    for (const [before, after] of [
      [0, 0],
      [8, 0],
      [0, 8],
      [12, 40],
      [40, 12],
    ] as const) {
      const texts = {
        row: secret(),
        snapshot: secret(),
        value: secret(),
        room: secret(),
        quarantine: secret(),
      }
      await store.append('room 3', bytesOf(texts.row))
      await store.append('room 5', bytesOf(texts.room))
      await store.quarantine('room 5', [{ version: 1, reason: 'test' }])
      await store.append('room 5', bytesOf(texts.quarantine))
      await store.values.write('room:room 3', new Map([['x', bytesOf(texts.value)]]))
      await store.values.write('channel:c', new Map([['y', bytesOf(texts.value)]]))
      const { version } = await store.load('room 3')
      await store.compact('room 3', { through: version, snapshot: bytesOf(texts.snapshot) })
      await bury(before)
      for (const text of [texts.snapshot, texts.value])
        await expect.poll(() => filesWith(text)).not.toEqual([])
      await store.compact('room 3', {
        through: await store.append('room 3', bytesOf('-')),
        snapshot: bytesOf('-'),
      })
      await store.values.write('room:room 3', new Map([['x', bytesOf('-')]]))
      await store.values.write('channel:c', new Map([['y', null]]))
      await store.delete('room 5')
      await bury(after)
      const kept = secret()
      await store.append('room 3', bytesOf(kept))
      await store.erase()
      await store.close()
      for (const [name, text] of Object.entries(texts)) {
        expect([before, after, name, await filesWith(text)]).toEqual([before, after, name, []])
      }
      expect(await filesWith(kept)).not.toEqual([])
      store = await openLevelLog({ folder })
      expect((await store.load('room 3')).rows.at(-1)?.update).toEqual(bytesOf(kept))
    }
  })

  it('[L25] erases what an earlier process did not get to, though somebody reads meanwhile', async () => {
    const text = secret()
    await store.append('alice', bytesOf(text))
    await store.append('bob', bytesOf(text))
    await store.compact('alice', { through: 1, snapshot: bytesOf('-') })
    await store.delete('bob')
    await store.close()
    store = await openLevelLog({ folder })
    expect(await filesWith(text)).not.toEqual([])
    const reading = Array.from({ length: 50 }, () => store.load('alice'))
    await store.erase()
    await Promise.all(reading)
    expect(await filesWith(text)).toEqual([])
  })

  it('[L25] tries again what could not be erased', async () => {
    const text = secret()
    await store.append('alice', bytesOf(text))
    await store.append('bob', bytesOf('-'))
    await store.delete('alice')
    const failure = vi
      .spyOn(ClassicLevel.prototype, 'compactRange')
      .mockRejectedValueOnce(new Error('No space left on device'))
    await expect(store.erase()).rejects.toMatchObject({ code: 'store-unavailable' })
    failure.mockRestore()
    expect(await filesWith(text)).not.toEqual([])
    expect((await store.load('bob')).version).toBe(1)
    await store.erase()
    expect(await filesWith(text)).toEqual([])
  })
})
