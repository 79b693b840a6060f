import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkLevelFiles } from './levelFiles.js'
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

  it('[L26] are refused where a bit of the log is flipped, wherever, which LevelDB itself passes over', {
    timeout: 60_000,
  }, async () => {
    const log = await one(/\.log$/)
    const original = await readFile(path(log))
    for (let n = 0; n < 60; n++) {
      const at = n === 0 ? 0 : n === 1 ? original.length - 1 : Math.floor((original.length * n) / 60)
      await flip(log, at)
      const [found] = await checkLevelFiles(folder)
      expect([at, found]).toMatchObject([at, { file: log }])
      if (found && !found.torn) await openingFails()
      // Torn is only what may have been the last write: the length of the last record.
      else expect(scanRecords(await readFile(path(log))).records.length).toBe(39)
      await writeFile(path(log), original)
    }
    await flip(log, 40_000)
    const level = new ClassicLevel(join(folder, 'log'))
    await level.open()
    await level.close()
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
      for (const how of ['missing', 'cut', 'flipped'] as const) {
        if (how === 'missing') await rm(path(file))
        else if (how === 'cut') await truncate(path(file), Math.floor((copies.get(file)?.length ?? 0) / 2))
        else await flip(file, 5)
        // The bytes of a table are looked at when they are read, and where a log is cut it is torn.
        const passes =
          (how === 'flipped' && tables.includes(file)) || (how === 'cut' && file.endsWith('.log'))
        if (!passes) {
          expect([file, how, (await checkLevelFiles(folder)).length > 0]).toEqual([file, how, true])
          await openingFails()
        }
        for (const [name, bytes] of copies) await writeFile(path(name), bytes)
      }
    }
    await (await openLevelLog({ folder })).close()
  })
})
