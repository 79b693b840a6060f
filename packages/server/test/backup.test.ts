import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import * as Y from 'yjs'
import { createMembers } from '../src/gateway/members.js'
import {
  createAdmin,
  createMemoryLog,
  type LogStore,
  openLevelLog,
  restoreBackup,
  ServerError,
  writeBackup,
} from '../src/index.js'
import { connectStock, startServer, storedDoc, textUpdate, until } from './support/harness.js'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const DATA = new URL('../../../test/data/ubuntu-irc/', import.meta.url)

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-backup-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function newLevel(): Promise<LogStore> {
  const store = await openLevelLog({ folder: await newFolder() })
  onTestFinished(() => store.close())
  return store
}

/** A store with what real users have, values beside it, a room of values only, a snapshot and rows that wait. */
async function fill(store: LogStore): Promise<LogStore> {
  const { server } = await startServer({ store })
  const file = await readFile(new URL('conversation-sync.tsdd.json', DATA), 'utf8')
  await createAdmin({ store, rooms: server.rooms }).import('Pici', file)
  for (let n = 0; n < 5; n++) await store.append('ann/ä', textUpdate(`${n}`, n))
  const before = await store.load('ann/ä')
  const snapshot = Y.mergeUpdates(before.rows.slice(0, 3).map(({ update }) => update))
  await store.compact('ann/ä', { through: 3, snapshot })
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'x')
  const known = Y.encodeStateVector(doc)
  doc.getText('t').insert(1, 'y')
  await store.append('waits', Y.encodeStateAsUpdate(doc, known))
  await createMembers(store).set({ channelId: 'g', channelType: 2 }, ['Pici', 'ann/ä'])
  await store.values.write('room:nobody', new Map([['polled', new Uint8Array([1])]]))
  return store
}

const stateOf = async (store: LogStore, room: string): Promise<unknown> => {
  const doc = await storedDoc(store, room)
  return [[...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(), doc.getText('t').toString()]
}

describe('backups', () => {
  for (const [from, to] of [
    ['level', 'memory'],
    ['memory', 'level'],
  ]) {
    it(`[B1] hold all that is stored, taken from ${from} and put into ${to}`, async () => {
      const open = (kind: string | undefined) => (kind === 'level' ? newLevel() : createMemoryLog())
      const store = await fill(await open(from))
      const path = join(await newFolder(), 'backup')
      const manifest = await writeBackup({ store, path, now: NOW })
      expect(manifest).toMatchObject({ rooms: 3, damaged: [], createdAt: '2026-03-01T12:00:00.000Z' })
      const other = await open(to)
      expect(await restoreBackup({ store: other, path, now: NOW + 1 })).toMatchObject({ rooms: 3 })
      for (const room of ['Pici', 'ann/ä', 'waits']) {
        expect(await stateOf(other, room)).toEqual(await stateOf(store, room))
      }
      const exported = await Promise.all(
        [store, other].map(async (one) => {
          const { server } = await startServer({ store: one })
          return createAdmin({ store: one, rooms: server.rooms }).export('Pici')
        }),
      )
      expect(exported[1]).toEqual(exported[0])
      expect(exported[0]?.conversations).toHaveLength(64)
      expect((await other.load('waits')).rows).toHaveLength(1)
      expect(await createMembers(other).of({ channelId: 'g', channelType: 2 })).toEqual(['Pici', 'ann/ä'])
      expect((await other.values.read('room:nobody', ['polled'])).size).toBe(1)
    })
  }

  it('[B1] are one folder that appears when all is in it, and can be read with any tool', async () => {
    const store = await fill(createMemoryLog())
    const folder = await newFolder()
    const path = join(folder, 'backup')
    const { load } = store
    let seen: string[] = []
    store.load = async (room) => {
      seen = await readdir(folder)
      return load(room)
    }
    await writeBackup({ store, path, now: NOW })
    expect(seen).toHaveLength(1)
    expect(seen[0]).not.toBe('backup')
    expect(await readdir(folder)).toEqual(['backup'])
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    const lines = gunzipSync(await readFile(join(path, 'rooms.ndjson.gz')))
      .toString()
      .trimEnd()
      .split('\n')
    const [first] = lines.map((line) => JSON.parse(line) as object)
    expect(first).toMatchObject({ room: 'Pici', epoch: 0, version: 1 })
  })

  it('[B1] leave nothing behind when they fail, and touch no folder that holds something', async () => {
    const store = await fill(createMemoryLog())
    const folder = await newFolder()
    const path = join(folder, 'backup')
    store.load = () => Promise.reject(new Error('I/O error'))
    await expect(writeBackup({ store, path, now: NOW })).rejects.toThrow('I/O error')
    expect(await readdir(folder)).toEqual([])
    await writeFile(join(folder, 'other'), 'x')
    for (const taken of [folder, join(folder, 'other')]) {
      await expect(writeBackup({ store, path: taken, now: NOW })).rejects.toMatchObject({
        code: 'invalid-argument',
      })
    }
    expect(await readdir(folder)).toEqual(['other'])
  })

  it('[B1] are taken while rooms are written: each is as of one moment, with all that was acknowledged before', async () => {
    const store = await newLevel()
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let n = 0; n < 300; n++) doc.getText('t').insert(n, 'x')
    for (const update of updates.slice(0, 100)) await store.append('alice', update)
    const path = join(await newFolder(), 'backup')
    const writing = (async () => {
      for (const [n, update] of updates.slice(100).entries()) {
        const version = await store.append('alice', update)
        if (n % 50 === 0) {
          const { snapshot, rows } = await store.load('alice')
          const all = [...(snapshot ? [snapshot] : []), ...rows].map((row) => row.update)
          await store.compact('alice', { through: version, snapshot: Y.mergeUpdates(all) })
        }
      }
    })()
    await writeBackup({ store, path, now: NOW })
    await writing
    const other = createMemoryLog()
    await restoreBackup({ store: other, path, now: NOW })
    const restored = await storedDoc(other, 'alice')
    expect(restored.store.pendingStructs).toBe(null)
    expect(restored.getText('t').length).toBeGreaterThanOrEqual(100)
  })

  it('[B1] hold what is sound where something is damaged, and name the rest', async () => {
    const store = await fill(createMemoryLog())
    const { load } = store
    store.load = async (room) => {
      if (room === 'ann/ä') throw new ServerError('store-damaged', 'its snapshot cannot be read')
      const stored = await load(room)
      return room === 'waits' ? { ...stored, rows: [], damaged: [{ version: 1, reason: 'cut off' }] } : stored
    }
    const path = join(await newFolder(), 'backup')
    expect(await writeBackup({ store, path, now: NOW })).toMatchObject({
      rooms: 2,
      damaged: [
        { room: 'ann/ä', reason: 'its snapshot cannot be read' },
        { room: 'waits', version: 1, reason: 'cut off' },
      ],
    })
    expect(await restoreBackup({ store: createMemoryLog(), path, now: NOW })).toMatchObject({ rooms: 2 })
  })

  it('[B2] are refused, with a reason and nothing changed, where they cannot be what is wanted', async () => {
    const store = await fill(createMemoryLog())
    const path = join(await newFolder(), 'backup')
    await writeBackup({ store, path, now: NOW })
    const manifest = await readFile(join(path, 'manifest.json'), 'utf8')
    const lines = await readFile(join(path, 'rooms.ndjson.gz'))
    const refused = async (into: LogStore, reason: RegExp, now = NOW): Promise<void> => {
      await expect(restoreBackup({ store: into, path, now })).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringMatching(reason),
      })
    }
    await refused(store, /holds something already/)
    const values = createMemoryLog()
    await values.values.write('channel:1:g', new Map([['members', new Uint8Array([1])]]))
    await refused(values, /holds something already/)
    const empty = createMemoryLog()
    await refused(empty, /clock/, NOW - 1)
    await writeFile(join(path, 'rooms.ndjson.gz'), lines.subarray(0, -1))
    await refused(empty, /damaged/)
    await rm(join(path, 'rooms.ndjson.gz'))
    await refused(empty, /lacks its rooms\.ndjson\.gz/)
    await writeFile(join(path, 'rooms.ndjson.gz'), lines)
    await writeFile(join(path, 'manifest.json'), manifest.replace('"formatVersion": 1', '"formatVersion": 2'))
    await refused(empty, /has format 2; this version reads 1/)
    await writeFile(join(path, 'manifest.json'), '{}')
    await refused(empty, /no backup of Parley/)
    await rm(join(path, 'manifest.json'))
    await refused(empty, /manifest\.json cannot be read/)
    for await (const _ of empty.values.scopes()) expect.unreachable()
    await writeFile(join(path, 'manifest.json'), manifest)
    expect(await restoreBackup({ store: empty, path, now: NOW })).toMatchObject({ rooms: 3 })
  })

  it('[B2] restored in part are not served, and can be restored again', async () => {
    const store = await fill(createMemoryLog())
    const path = join(await newFolder(), 'backup')
    await writeBackup({ store, path, now: NOW })
    const half = createMemoryLog()
    const failing = vi.spyOn(half, 'restore').mockRejectedValueOnce(new Error('No space left on device'))
    await expect(restoreBackup({ store: half, path, now: NOW })).rejects.toThrow('No space left')
    await expect(startServer({ store: half })).rejects.toMatchObject({ code: 'store-damaged' })
    failing.mockRestore()
    await restoreBackup({ store: half, path, now: NOW })
    const { server } = await startServer({ store: half })
    expect(server.address).not.toBe(null)
  })

  it('[B3] go on with versions above every one ever given, from whatever backup and however often', async () => {
    let store = createMemoryLog()
    await store.append('alice', textUpdate('a'))
    const path = join(await newFolder(), 'backup')
    await writeBackup({ store, path, now: NOW })
    let greatest = 1
    for (let days = 1; days <= 5; days++) {
      // Many more rows than were in the backup, and the same backup again.
      for (let n = 0; n < 1000; n++)
        greatest = Math.max(greatest, await store.append('alice', textUpdate(`${n}`)))
      store = createMemoryLog()
      await restoreBackup({ store, path, now: NOW + days * 86_400_000 })
      const { version, snapshot, rows } = await store.load('alice')
      expect(version).toBeGreaterThan(greatest)
      expect([snapshot?.version, ...rows.map((row) => row.version)]).toEqual([version - 1, version])
      expect(snapshot?.version).toBeGreaterThan(greatest)
    }
    expect(greatest).toBeLessThan(2 ** 51)
  })

  it('[B3] give the server another client id, so that what it wrote after the backup fits beside what it writes now', async () => {
    let store = createMemoryLog()
    const write = (text: string) =>
      store.appendOwn('alice', {
        compose: ({ client, clock }) => {
          const doc = new Y.Doc()
          doc.clientID = client
          if (clock > 0) doc.getText('t').insert(0, '-'.repeat(clock))
          const known = Y.encodeStateVector(doc)
          doc.getText('t').insert(clock, text)
          return { update: Y.encodeStateAsUpdate(doc, known), clocks: text.length }
        },
      })
    await write('a')
    const path = join(await newFolder(), 'backup')
    await writeBackup({ store, path, now: NOW })
    await write('bc')
    const device = await storedDoc(store, 'alice')
    store = createMemoryLog()
    await restoreBackup({ store, path, now: NOW })
    await write('xyz')
    const restored = await storedDoc(store, 'alice')
    Y.applyUpdate(restored, Y.encodeStateAsUpdate(device))
    Y.applyUpdate(device, Y.encodeStateAsUpdate(restored))
    const text = device.getText('t').toString()
    expect(restored.getText('t').toString()).toBe(text)
    expect([...text].sort().join('')).toBe('abcxyz')
  })

  it('[B4] get from the stock client what they lack, insertions and deletions, when it connects', async () => {
    const store = createMemoryLog()
    const first = await startServer({ store })
    const client = connectStock(first, 'alice')
    await client.synced
    client.doc.getText('t').insert(0, 'before, deleted after')
    await until('stored', async () => (await storedDoc(store, 'alice')).getText('t').length > 0)
    const path = join(await newFolder(), 'backup')
    await writeBackup({ store, path, now: NOW })
    client.doc.getText('t').delete(6, 15)
    client.doc.getText('t').insert(6, ' and after')
    await until(
      'stored',
      async () => (await storedDoc(store, 'alice')).getText('t').toString() === 'before and after',
    )
    await first.server.close()
    const restored = createMemoryLog()
    await restoreBackup({ store: restored, path, now: NOW })
    expect((await storedDoc(restored, 'alice')).getText('t').toString()).toBe('before, deleted after')
    await startServer({ store: restored, port: first.port })
    await until(
      'sent again',
      async () => (await storedDoc(restored, 'alice')).getText('t').toString() === 'before and after',
    )
  })
})
