import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkLevelFiles, correctLevelFiles } from './levelFiles.js'
import { openLevelLog } from './levelLog.js'
import { scanRecords } from './levelRecords.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-files-'))
  await grow()
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const path = (file: string): string => join(folder, 'log', file)
const filesOf = async (pattern: RegExp): Promise<string[]> =>
  (await readdir(join(folder, 'log'))).filter((name) => pattern.test(name)).sort()
async function one(pattern: RegExp): Promise<string> {
  const [file = ''] = await filesOf(pattern)
  return file
}

/** Leaves tables, a list of files with several records, and a log with records of all kinds. */
async function grow(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const store = await openLevelLog({ folder })
    for (let n = 0; n < 40; n++) await store.append(`room ${n % 7}`, randomBytes(n % 10 === 0 ? 40_000 : 300))
    await store.close()
  }
}

async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(path(file))
  bytes[at] = (bytes[at] ?? 0) ^ 4
  await writeFile(path(file), bytes)
}

const openingFails = (): Promise<void> =>
  expect(openLevelLog({ folder })).rejects.toMatchObject({ code: 'store-damaged' })

describe('the files of a LevelDB', () => {
  it('[L26] are sound as LevelDB leaves them, and of a folder where there are none', async () => {
    expect(await checkLevelFiles(folder)).toEqual([])
    expect(await checkLevelFiles(join(folder, 'nothing'))).toEqual([])
    const { records, damagedAt, tornAt } = scanRecords(await readFile(path(await one(/\.log$/))))
    expect([records.length, damagedAt, tornAt]).toEqual([40, [], null])
    // The database that is being made for the first time, when the power fails.
    const fresh = await mkdtemp(join(tmpdir(), 'parley-files-'))
    await (await openLevelLog({ folder: fresh })).close()
    for (const file of await readdir(join(fresh, 'log'))) {
      if (!file.startsWith('MANIFEST')) await rm(join(fresh, 'log', file))
    }
    expect(await checkLevelFiles(fresh)).toEqual([])
    await rm(fresh, { recursive: true })
  })

  it('[REC1] are corrected where a single bit is flipped, in any file, before LevelDB opens them', {
    timeout: 60_000,
  }, async () => {
    const files = await filesOf(/^(\d+\.|MANIFEST|CURRENT)/)
    for (const file of files) {
      const original = await readFile(path(file))
      // Its ends, where headers, lengths and the footer of a table are, and places in between.
      const places = [...Array(12).keys()].flatMap((n) => [n, original.length - 1 - n])
      for (let n = 1; n < 20; n++) places.push(Math.floor((original.length * n) / 20))
      for (const at of places.filter((place) => place >= 0 && place < original.length)) {
        await flip(file, at)
        const found = await checkLevelFiles(folder)
        expect([file, at, found]).toMatchObject([file, at, [{ file, torn: false, correctable: true }]])
        const copy = await correctLevelFiles(folder, found, at)
        expect([file, at, (await readFile(path(file))).equals(original)]).toEqual([file, at, true])
        expect((await readFile(join(copy, file))).equals(original)).toBe(false)
        await rm(copy, { recursive: true })
      }
    }
    expect(await checkLevelFiles(folder)).toEqual([])
    await flip(await one(/\.log$/), 40_000)
    const corrected: string[] = []
    const store = await openLevelLog({
      folder,
      onCorrected: (found, copy) => void corrected.push(...found.map(({ file }) => file), copy),
    })
    await store.close()
    expect(corrected).toEqual([expect.stringMatching(/\.log$/), expect.stringContaining('log.damaged-')])
    expect(await checkLevelFiles(folder)).toEqual([])
  })

  it('[REC2] are refused where more than a bit is wrong, with the command to run', {
    timeout: 60_000,
  }, async () => {
    for (const file of await filesOf(/^(\d+\.|MANIFEST)/)) {
      const original = await readFile(path(file))
      const bytes = Buffer.from(original)
      bytes.fill(0xa5, Math.floor(bytes.length / 3), Math.floor(bytes.length / 3) + 16)
      await writeFile(path(file), bytes)
      const found = await checkLevelFiles(folder)
      expect([file, found.length > 0 && found.every((one) => !one.correctable)]).toEqual([file, true])
      await expect(openLevelLog({ folder })).rejects.toThrow('Run parley verify --repair')
      expect((await readFile(path(file))).equals(bytes)).toBe(true)
      await writeFile(path(file), original)
    }
  })

  it('[L26] are torn where the log breaks off, which keeps nobody from opening them', async () => {
    const log = await one(/\.log$/)
    const { size } = await stat(path(log))
    for (const bytes of [size - 1, size - 200, Math.floor(size / 2)]) {
      await truncate(path(log), bytes)
      expect(await checkLevelFiles(folder)).toMatchObject([{ file: log, torn: true }])
    }
    await (await openLevelLog({ folder })).close()
    expect(await checkLevelFiles(folder)).toEqual([])
  })

  it('[L26] are refused where one is missing or cut, before LevelDB begins anew or removes what it does not know', async () => {
    const copies = new Map<string, Buffer>()
    for (const file of await readdir(join(folder, 'log'))) copies.set(file, await readFile(path(file)))
    const tables = await filesOf(/\.ldb$/)
    expect(tables.length).toBeGreaterThan(0)
    for (const file of ['CURRENT', await one(/^MANIFEST/), await one(/\.log$/), ...tables]) {
      for (const how of ['missing', 'cut'] as const) {
        if (how === 'missing') await rm(path(file))
        else await truncate(path(file), Math.floor((copies.get(file)?.length ?? 0) / 2))
        // Where a log is cut it is torn, and what CURRENT says follows from the one list of files there is.
        const passes = file === 'CURRENT' || (how === 'cut' && file.endsWith('.log'))
        if (!passes) {
          expect([file, how, (await checkLevelFiles(folder)).length > 0]).toEqual([file, how, true])
          await openingFails()
        } else await (await openLevelLog({ folder })).close()
        for (const name of await readdir(join(folder, 'log'))) await rm(path(name))
        for (const [name, bytes] of copies) await writeFile(path(name), bytes)
      }
    }
    await (await openLevelLog({ folder })).close()
  })
})
