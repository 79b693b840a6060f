import { cp, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openLevelLog } from '@parley/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bitsOf,
  filesOf,
  makeStore,
  placeOf,
  readAll,
  type StoreFile,
  scratchFolder,
  type Truth,
  tryFlip,
} from './flips.js'

/** A few seconds; `pnpm test:bitflips` takes all. */
const SAMPLE = 90
/** So many milliseconds the sample may take on a machine that has other things to do. */
const TIMEOUT_MS = 120_000

describe('a flipped bit in a small store', () => {
  let folder: string
  let files: StoreFile[]
  let truth: Truth
  beforeAll(async () => {
    folder = await mkdtemp(join(await scratchFolder(), 'parley-bitflips-'))
    await makeStore(join(folder, 'store'))
    files = await filesOf(join(folder, 'store'))
    await cp(join(folder, 'store'), join(folder, 'sound'), { recursive: true })
    const store = await openLevelLog({ folder: join(folder, 'sound') })
    truth = await readAll(store)
    await store.close()
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('[REC1] [REC2] is never served as a value, stops no start without a command to run, and a repair loses no room', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const total = bitsOf(files)
    // Every file has its part of the sample, the small ones too.
    expect(files.map(({ name }) => name.replace(/\d+/, 'N')).sort()).toEqual([
      'log/CURRENT',
      'log/MANIFEST-N',
      'log/N.ldb',
      'log/N.log',
    ])
    const numbers = Array.from({ length: SAMPLE }, (_, n) => Math.floor(((n + 0.5) * total) / SAMPLE))
    const current = files.findIndex(({ name }) => name.endsWith('CURRENT'))
    const before = bitsOf(files.slice(0, current))
    for (let n = 0; n < 10; n++)
      numbers.push(before + Math.floor((n * bitsOf(files.slice(current, current + 1))) / 10))
    for (const number of numbers) {
      const { wrong, lost, unnamed, ...place } = await tryFlip(
        join(folder, 'store'),
        join(folder, 'work'),
        truth,
        placeOf(files, number),
      )
      expect({ ...place, wrong, lost, unnamed }).toEqual({ ...place, wrong: [], lost: [], unnamed: null })
    }
  })
})
