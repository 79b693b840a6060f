import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runLogStoreTests } from './acceptance.js'
import { openLevelLog } from './levelLog.js'
import type { LogStore } from './logStore.js'
import { encodeValue } from './rowCodec.js'

const folders: string[] = []
const folderOf = new WeakMap<LogStore, string>()

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-log-'))
  folders.push(folder)
  return folder
}

async function openIn(folder: string): Promise<LogStore> {
  const store = await openLevelLog({ folder })
  folderOf.set(store, folder)
  return store
}

/** Changes the database of a store by hand. */
async function byHand(
  store: LogStore,
  change: (level: ClassicLevel<string, Buffer>) => Promise<void>,
): Promise<LogStore> {
  const folder = folderOf.get(store) ?? ''
  await store.close()
  const level = new ClassicLevel<string, Buffer>(join(folder, 'log'), { valueEncoding: 'buffer' })
  await level.open()
  await change(level)
  await level.close()
  return openIn(folder)
}

async function flipLastByte(level: ClassicLevel<string, Buffer>, key: string): Promise<void> {
  const value = Buffer.from((await level.get(key)) ?? '')
  value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
  await level.put(key, value)
}

/** Watches the writes of all databases, or lets each fail. */
function watchWrites(failure?: Error): { options: unknown[]; restore: () => void } {
  const options: unknown[] = []
  const { batch: begin } = ClassicLevel.prototype
  const spy = vi.spyOn(ClassicLevel.prototype, 'batch').mockImplementation(function (this: ClassicLevel) {
    const batch = begin.call(this)
    const write = batch.write.bind(batch)
    batch.write = async (given?: Parameters<typeof write>[0]) => {
      options.push(given)
      if (!failure) return given ? write(given) : write()
      await batch.close()
      throw failure
    }
    return batch
  } as typeof begin)
  return { options, restore: () => spy.mockRestore() }
}

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
})

runLogStoreTests('classic-level', {
  open: async () => openIn(await newFolder()),
  async reopen(store) {
    await store.close()
    return openIn(folderOf.get(store) ?? '')
  },
  damage: (store, room, version) =>
    byHand(store, (level) => flipLastByte(level, `row/${room}/${version.toString(16).padStart(14, '0')}`)),
})

describe('log store: classic-level, its own', () => {
  let store: LogStore
  let folder: string
  const update = new Uint8Array([1, 2, 3])

  beforeEach(async () => {
    folder = await newFolder()
    store = await openIn(folder)
  })
  afterEach(async () => {
    await store.close()
  })

  it('[L13] writes all rooms in one synced batch while the last one is being written', async () => {
    await store.append('warm up', update)
    const { options } = watchWrites()
    await Promise.all(Array.from({ length: 200 }, (_, n) => store.append(`room ${n % 50}`, update)))
    expect(options.length).toBeLessThanOrEqual(2)
    expect(options.length).toBeGreaterThan(0)
    for (const given of options) expect(given).toEqual({ sync: true })
  })

  it('[L14] refuses a second opener in the same process, and stays usable and locked', async () => {
    await expect(openLevelLog({ folder })).rejects.toMatchObject({ code: 'store-locked' })
    await expect(openLevelLog({ folder: `${folder}/../${folder.split('/').at(-1)}` })).rejects.toMatchObject({
      code: 'store-locked',
    })
    expect(await store.append('alice', update)).toBe(1)
    // Another process is still kept out: a failed second open would have let go of LevelDB's lock.
    const script = `import { ClassicLevel } from 'classic-level'
      await new ClassicLevel(${JSON.stringify(join(folder, 'log'))}).open().then(
        () => console.log('opened'), (error) => console.log(error.cause?.code))`
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
    })
    expect(`${other.stdout}${other.stderr}`.trim()).toBe('LEVEL_LOCKED')
  })

  it('[L14] gives the folder to one of two who ask at the same moment', async () => {
    await store.close()
    const both = await Promise.allSettled([openLevelLog({ folder }), openLevelLog({ folder })])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const result of both) {
      if (result.status === 'fulfilled') store = result.value
      else
        expect(result.reason).toMatchObject({
          code: 'store-locked',
          message: `The data folder ${folder} is in use by this process`,
        })
    }
    expect(await store.append('alice', update)).toBe(1)
  })

  it('[L14] names the process that has the folder', async () => {
    const script = `import { ClassicLevel } from 'classic-level'
      import { writeFileSync } from 'node:fs'
      await new ClassicLevel(${JSON.stringify(join(folder, 'log'))}).open()
      writeFileSync(${JSON.stringify(join(folder, 'parley.lock'))}, JSON.stringify({ pid: process.pid, started: 1 }))
      console.log('ready')
      setInterval(() => {}, 1000)`
    await store.close()
    const { spawn } = await import('node:child_process')
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: import.meta.dirname })
    try {
      await new Promise((resolve) => other.stdout.once('data', resolve))
      await expect(openLevelLog({ folder })).rejects.toThrow(`in use by process ${other.pid}`)
    } finally {
      other.kill('SIGKILL')
      await new Promise((resolve) => other.once('exit', resolve))
    }
    store = await openIn(folder)
  })

  it('[L14] is not held up by the lock file of a process that is gone', async () => {
    await store.close()
    await writeFile(join(folder, 'parley.lock'), JSON.stringify({ pid: process.pid, started: 1 }))
    store = await openIn(folder)
    expect(await store.append('alice', update)).toBe(1)
  })

  it('[L15] rejects the appends of a failed write, goes on reading, and writes again when it can', async () => {
    await store.append('alice', update)
    const failing = watchWrites(new Error('No space left on device'))
    const failed = await Promise.allSettled([store.append('alice', update), store.append('bob', update)])
    expect(failed.map((result) => result.status)).toEqual(['rejected', 'rejected'])
    await expect(store.append('alice', update)).rejects.toMatchObject({ code: 'store-unavailable' })
    await expect(store.check()).rejects.toMatchObject({ code: 'store-unavailable' })
    expect((await store.load('alice')).rows).toHaveLength(1)
    failing.restore()
    const reopened = vi.spyOn(ClassicLevel.prototype, 'open')
    const versions = await Promise.all([
      store.append('alice', update),
      store.append('alice', update),
      store.load('alice'),
    ])
    expect(versions.slice(0, 2)).toEqual([2, 3])
    // Nothing may be written behind what a failed write left in the file.
    expect(reopened).toHaveBeenCalledTimes(1)
    expect((await store.load('alice')).rows).toHaveLength(3)
  })

  it('[L16] refuses to load a room whose snapshot is damaged, and leaves the others alone', async () => {
    await store.append('alice', update)
    await store.append('bob', update)
    await store.compact('alice', { through: 1, snapshot: update })
    store = await byHand(store, (level) => flipLastByte(level, 'snapshot/alice/00000000000001'))
    await expect(store.load('alice')).rejects.toMatchObject({ code: 'store-damaged' })
    expect((await store.load('bob')).rows).toHaveLength(1)
  })

  it('[L16] refuses to append to a room whose numbers are damaged, and stores the rest of the batch', async () => {
    await store.append('alice', update)
    store = await byHand(store, (level) => flipLastByte(level, 'meta/alice'))
    const [alice, bob] = await Promise.allSettled([
      store.append('alice', update),
      store.append('bob', update),
    ])
    expect(alice).toMatchObject({ status: 'rejected', reason: { code: 'store-damaged' } })
    expect(bob).toEqual({ status: 'fulfilled', value: 1 })
  })

  it('[L16] refuses a room whose numbers are gone or older than its rows, and lists it still', async () => {
    for (let n = 0; n < 3; n++) await store.append('alice', update)
    await store.append('bob', update)
    await store.compact('bob', { through: 1, snapshot: update })
    let old: Buffer | undefined
    store = await byHand(store, async (level) => {
      old = await level.get('meta/alice')
      await level.del('meta/alice')
      await level.del('meta/bob')
    })
    for (const room of ['alice', 'bob']) {
      await expect(store.load(room)).rejects.toMatchObject({ code: 'store-damaged' })
      await expect(store.append(room, update)).rejects.toMatchObject({ code: 'store-damaged' })
      expect(await store.examine(room)).toMatchObject({
        numbersDamage: expect.stringContaining('is missing'),
        version: room === 'alice' ? 3 : 1,
      })
    }
    const listed: string[] = []
    for await (const room of store.rooms()) listed.push(room)
    expect(listed.sort()).toEqual(['alice', 'bob'])
    store = await byHand(store, async (level) => {
      await level.put('meta/alice', old ?? Buffer.alloc(0))
      await level.put(
        'row/alice/00000000000009',
        (await level.get('row/alice/00000000000001')) ?? Buffer.alloc(0),
      )
    })
    // A damaged row is no reason: it may have any number.
    expect((await store.load('alice')).damaged).toMatchObject([{ version: 9 }])
    const row = encodeValue('row/alice/00000000000009', update)
    store = await byHand(store, (level) => level.put('row/alice/00000000000009', Buffer.from(row)))
    await expect(store.load('alice')).rejects.toThrow('is older than the rows')
  })

  it('[L24] keeps what cannot be read of a room that is put in its place', async () => {
    for (let n = 1; n <= 3; n++) await store.append('alice', update)
    await store.compact('alice', { through: 1, snapshot: update })
    store = await byHand(store, async (level) => {
      await flipLastByte(level, 'snapshot/alice/00000000000001')
      await flipLastByte(level, 'row/alice/00000000000003')
      await flipLastByte(level, 'meta/alice')
    })
    const remains = await store.examine('alice')
    expect(remains).toMatchObject({ version: 3, snapshot: null, snapshotDamage: expect.any(String) })
    expect(remains.numbersDamage).toContain('checksum does not match')
    expect(remains.rows.map(({ version }) => version)).toEqual([2])
    expect(remains.damaged.map(({ version }) => version)).toEqual([3])
    await store.restore('alice', { ...remains, version: 100, values: new Map() })
    expect(await store.load('alice')).toMatchObject({ version: 100, snapshot: null, damaged: [] })
    const kept = (await store.size('alice'))?.quarantined ?? []
    expect(kept.map(({ version, bytes }) => [version, bytes > 5])).toEqual([
      [0, true],
      [1, true],
      [3, true],
    ])
  })

  it('[L16] refuses a store of a later format', async () => {
    await expect(
      byHand(store, (level) => level.put('format', Buffer.from(encodeValue('format', Buffer.from('3'))))),
    ).rejects.toMatchObject({ code: 'store-damaged' })
    // The folder was let go of: what failed to open does not keep the next one out.
    await expect(openLevelLog({ folder })).rejects.toMatchObject({ code: 'store-damaged' })
  })

  it('[L17] keeps the folder to its owner', async () => {
    const inner = join(folder, 'new')
    const other = await openLevelLog({ folder: inner })
    expect((await stat(inner)).mode & 0o777).toBe(0o700)
    await other.close()
  })
})
