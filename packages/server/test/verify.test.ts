import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Channel, createStore } from '@parley/core'
import { ClassicLevel } from 'classic-level'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { verifyStore } from '../src/admin/repair/verify.js'
import {
  createMemoryLog,
  createRooms,
  defaultLimits,
  defaultTiming,
  type LogStore,
  openLevelLog,
  repairFolder,
  ServerError,
  silentLogger,
  verifyFolder,
} from '../src/index.js'
import { connectStock, startServer, storedDoc, until } from './support/harness.js'

const ROOMS = Array.from({ length: 12 }, (_, n) => `user ${n}`)
const NOW = Date.parse('2026-03-01T12:00:00Z')
/** What each user's devices hold, whatever becomes of the server. */
const devices = new Map<string, Y.Doc>()
let original = ''

async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'parley-verify-'))
}

/** A device that receives a message and writes a draft; all of it as one update. */
function act(doc: Y.Doc, n: number): Uint8Array {
  const before = Y.encodeStateVector(doc)
  const store = createStore({ userId: 'me', doc })
  const channel: Channel = { channelId: `peer ${n % 5}`, channelType: 1 }
  const payload = { text: randomBytes(300).toString('base64') }
  store.receive({ channel, messageSeq: n + 1, fromUid: 'bob', timestamp: NOW + n, payload })
  store.conversation(channel).draft.set(`draft ${n}`)
  store.close()
  return Y.encodeStateAsUpdate(doc, before)
}

// Three times, so that there are tables of several ages, and a log.
beforeAll(async () => {
  original = await newFolder()
  for (const room of ROOMS) devices.set(room, new Y.Doc())
  for (let round = 0; round < 3; round++) {
    const store = await openLevelLog({ folder: original })
    for (let n = round * 10; n < round * 10 + 10; n++) {
      for (const room of ROOMS) await store.append(room, act(devices.get(room) as Y.Doc, n))
    }
    if (round === 1) {
      for (const room of ROOMS.slice(0, 6)) {
        const { version } = await store.load(room)
        await store.compact(room, {
          through: version,
          snapshot: Y.encodeStateAsUpdate(await storedDoc(store, room)),
        })
      }
    }
    await store.close()
  }
  return () => rm(original, { recursive: true })
})

function covers(doc: Y.Doc, other: Y.Doc): boolean {
  const known = Y.decodeStateVector(Y.encodeStateVector(doc))
  return [...Y.decodeStateVector(Y.encodeStateVector(other))].every(
    ([client, clock]) => (known.get(client) ?? 0) >= clock,
  )
}

async function copyOfOriginal(): Promise<string> {
  const folder = await newFolder()
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await cp(join(original, 'log'), join(folder, 'log'), { recursive: true })
  return folder
}

async function byHand(
  folder: string,
  change: (level: ClassicLevel<string, Buffer>) => Promise<void>,
): Promise<void> {
  const level = new ClassicLevel<string, Buffer>(join(folder, 'log'), { valueEncoding: 'buffer' })
  await level.open()
  await change(level)
  await level.close()
}

async function flipIn(level: ClassicLevel<string, Buffer>, key: string): Promise<void> {
  const value = Buffer.from((await level.get(key)) ?? '')
  value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
  await level.put(key, value)
}

const keyOf = (kind: string, room: string, version?: number): string =>
  [kind, encodeURIComponent(room), ...(version ? [version.toString(16).padStart(14, '0')] : [])].join('/')

async function withStore<Result>(folder: string, use: (store: LogStore) => Promise<Result>): Promise<Result> {
  const store = await openLevelLog({ folder })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

/** The document of a room as a server would serve it, or the code of why it does not. */
async function served(store: LogStore, room: string): Promise<Y.Doc | string> {
  const rooms = createRooms({ store, limits: defaultLimits, timing: defaultTiming, logger: silentLogger })
  try {
    const { document, release } = await rooms.acquire(room)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, document.encodeState())
    release()
    return doc
  } catch (error) {
    if (error instanceof ServerError) return error.code
    throw error
  } finally {
    await rooms.close()
  }
}

/** A device that was offline all the while. */
function deviceOf(room: string): Y.Doc {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(devices.get(room) as Y.Doc))
  return doc
}

const exported = (doc: Y.Doc): unknown => {
  const store = createStore({ userId: 'me', doc })
  const state = store.export()
  store.close()
  return state
}
/** True if all that the device knew is there: what a repair wrote again may be there too, as recovered drafts. */
const isWhole = (room: string, doc: Y.Doc): boolean => {
  const both = deviceOf(room)
  Y.applyUpdate(both, Y.encodeStateAsUpdate(doc))
  const [a, b] = [doc, both].map((one) => JSON.stringify(exported(one)))
  return a === b && Y.encodeStateVector(both).length === Y.encodeStateVector(doc).length
}

describe('verify', () => {
  it('[V1] finds a sound store sound, and changes nothing', async () => {
    const folder = await copyOfOriginal()
    const report = await verifyFolder(folder)
    expect(report).toEqual({
      sound: true,
      rooms: 12,
      rows: 6 * 10 + 6 * 30,
      damage: [],
      files: [],
      waiting: [],
      quarantined: [],
    })
    expect(await verifyStore(createMemoryLog())).toMatchObject({ sound: true, rooms: 0 })
    const { found, now, copy, repaired } = await repairFolder(folder, NOW)
    expect([found, now, copy, repaired]).toEqual([report, report, null, []])
  })

  it('[V1] names what of rooms is damaged: snapshots, numbers, rows, gaps, rows that cannot be applied or wait', async () => {
    const folder = await copyOfOriginal()
    await byHand(folder, async (level) => {
      await flipIn(level, keyOf('snapshot', 'user 0', 20))
      await flipIn(level, keyOf('meta', 'user 1'))
      await flipIn(level, keyOf('row', 'user 6', 30))
      await level.del(keyOf('row', 'user 7', 30))
      await level.del(keyOf('meta', 'user 8'))
    })
    await withStore(folder, async (store) => {
      await store.append('user 9', new Uint8Array([1, 2, 3]))
      await store.append('user 10', act(new Y.Doc(), 0).slice(0, -1))
      const doc = new Y.Doc()
      act(doc, 1)
      await store.append('user 11', act(doc, 2))
      await store.quarantine('user 10', [{ version: 31, reason: 'test' }])
    })
    const report = await verifyFolder(folder)
    expect(report.sound).toBe(false)
    expect(report.damage.map(({ room, part, version }) => [room, part, version]).sort()).toEqual([
      ['user 0', 'snapshot', undefined],
      ['user 1', 'numbers', undefined],
      ['user 6', 'row', 30],
      ['user 7', 'gap', 30],
      ['user 8', 'numbers', undefined],
      ['user 9', 'row', 31],
    ])
    expect(report.waiting).toEqual([{ room: 'user 11', versions: [31] }])
    expect(report.quarantined).toMatchObject([{ room: 'user 10', version: 31, reason: 'test' }])
    expect(await verifyFolder(folder)).toEqual(report)
  })

  it('[V3] does not serve a room empty whose first entries are lost, for all the others wait for them', async () => {
    const folder = await copyOfOriginal()
    await byHand(folder, async (level) => {
      await flipIn(level, keyOf('row', 'user 6', 1))
      await level.del(keyOf('row', 'user 7', 1))
    })
    await withStore(folder, async (store) => {
      for (const room of ['user 6', 'user 7']) expect(await served(store, room)).toBe('store-damaged')
    })
    expect((await repairFolder(folder, NOW)).repaired.length).toBe(2)
    await withStore(folder, async (store) => {
      for (const room of ['user 6', 'user 7']) {
        const doc = await served(store, room)
        if (typeof doc === 'string') expect.unreachable(doc)
        const sound = createStore({ userId: 'me', doc })
        expect(sound.keys().length).toBe(5)
        sound.close()
      }
    })
  })

  it('[V2] repairs rooms: what is sound is served, what is not is kept, and devices bring the rest', async () => {
    const folder = await copyOfOriginal()
    await byHand(folder, async (level) => {
      await flipIn(level, keyOf('snapshot', 'user 0', 20))
      await flipIn(level, keyOf('meta', 'user 1'))
      await flipIn(level, keyOf('row', 'user 6', 12))
      await level.del(keyOf('row', 'user 7', 30))
      for (let n = 1; n <= 30; n++) await flipIn(level, keyOf('row', 'user 8', n))
    })
    await withStore(folder, async (store) => {
      for (const room of ['user 0', 'user 1']) expect(await served(store, room)).toBe('store-damaged')
    })
    const { now, repaired, lost, copy } = await repairFolder(folder, NOW)
    expect([...repaired].sort()).toEqual(['user 0', 'user 1', 'user 6', 'user 7'])
    expect([lost, copy]).toEqual([['user 8'], null])
    expect(now.damage.every(({ room }) => room === 'user 8')).toBe(true)
    const store = await openLevelLog({ folder })
    const server = await startServer({ store })
    // All of it is damaged: it is not served as if it were empty.
    expect(await served(store, 'user 8')).not.toBeInstanceOf(Y.Doc)
    const kept = (await store.size('user 0'))?.quarantined ?? []
    expect(kept.map(({ version }) => version)).toEqual([20])
    expect(kept[0]?.bytes).toBeGreaterThan(1000)
    for (const room of ['user 0', 'user 1', 'user 6', 'user 7']) {
      const doc = await storedDoc(store, room)
      expect((await store.load(room)).version).toBeGreaterThan(NOW)
      const sound = createStore({ userId: 'me', doc })
      // What came after the damage says what it says, though it builds on what is not there.
      const { lastMessage } = sound.conversation({ channelId: 'peer 3', channelType: 1 }).getSnapshot()
      expect(lastMessage?.messageSeq).toBeGreaterThanOrEqual(room === 'user 6' ? 29 : 24)
      sound.close()
      const client = connectStock(server, room, { doc: deviceOf(room) })
      await client.synced
      await until(`${room} is whole`, async () => isWhole(room, await storedDoc(store, room)))
    }
    expect(await verifyStore(store)).toMatchObject({ waiting: [] })
  })

  it('[V2] makes the files anew where entries lie under keys that they cannot be found by', {
    timeout: 120_000,
  }, async () => {
    // Not compressed, so that a key can be found in a table and made another one of the same room.
    const folder = await newFolder()
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const store = await openLevelLog({ folder })
    const doc = new Y.Doc()
    for (let n = 0; n < 30; n++) await store.append('alice', act(doc, n))
    await store.close()
    const level = new ClassicLevel(join(folder, 'log'), { compression: false })
    await level.open()
    await level.compactRange('a', 'z')
    await level.close()
    const tables = (await readdir(join(folder, 'log'))).filter((name) => name.endsWith('.ldb'))
    const path = join(folder, 'log', tables.at(-1) ?? '')
    const bytes = await readFile(path)
    // The first of a block has its key in full; its last digit but one becomes another.
    const at = bytes.indexOf('row/alice/') + 'row/alice/'.length + 12
    expect(at).toBeGreaterThan(30)
    bytes[at] = 'e'.charCodeAt(0)
    await writeFile(path, bytes)
    const { found, now, copy } = await repairFolder(folder, NOW)
    expect([found.sound, now.sound]).toEqual([false, true])
    const again = await openLevelLog({ folder })
    const server = await startServer({ store: again })
    const { synced } = connectStock(server, 'alice', { doc })
    await synced
    await until('whole', async () => {
      const stored = await storedDoc(again, 'alice')
      return (
        Y.encodeStateVector(stored).length >= Y.encodeStateVector(doc).length &&
        stored.store.clients.has(doc.clientID)
      )
    })
    if (copy) expect((await readdir(copy)).length).toBeGreaterThan(0)
  })

  it('[V3] files cut, flipped and removed: nothing is served that is damaged, nothing sound is lost, no room is served empty', {
    timeout: 120_000,
  }, async () => {
    const files = (await readdir(join(original, 'log'))).filter((name) =>
      /^(\d+\.|MANIFEST|CURRENT)/.test(name),
    )
    expect(files.filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(0)
    let damagedTables = 0
    for (const file of files) {
      for (const how of ['removed', 'cut', 'flipped early', 'flipped late'] as const) {
        const folder = await newFolder()
        await cp(join(original, 'log'), join(folder, 'log'), { recursive: true })
        const path = join(folder, 'log', file)
        const { size } = await stat(path)
        if (how === 'removed') await rm(path)
        else if (how === 'cut') await truncate(path, Math.floor(size * 0.6))
        else {
          const bytes = await readFile(path)
          const at = Math.floor(size * (how === 'flipped early' ? 0.2 : 0.7))
          bytes[at] = (bytes[at] ?? 0) ^ 16
          await writeFile(path, bytes)
        }
        const title = `${file} ${how}`
        const before = await verifyFolder(folder)
        // A table also holds what was written over since.
        if (!before.sound && file.endsWith('.ldb')) damagedTables++
        else expect([title, before.sound]).toEqual([title, file.endsWith('.ldb')])
        // What is served before the repair is what was written, or a part of it that is told of.
        const servedBefore = new Map<string, Y.Doc>()
        const opened = await openLevelLog({ folder }).catch((error: ServerError) => error.code)
        if (typeof opened !== 'string') {
          for (const room of ROOMS) {
            const doc = await served(opened, room)
            if (doc instanceof Y.Doc) servedBefore.set(room, doc)
            if (!(doc instanceof Y.Doc)) expect([title, doc]).toEqual([title, 'store-damaged'])
            else if (before.sound) expect([title, room, isWhole(room, doc)]).toEqual([title, room, true])
            else expect([title, room, doc.store.clients.size]).toEqual([title, room, 1])
          }
          await opened.close()
        } else expect([title, opened]).toEqual([title, 'store-damaged'])
        const { now, copy } = await repairFolder(folder, NOW)
        expect([title, now.files, now.damage.filter(({ part }) => part !== 'numbers')]).toEqual([
          title,
          [],
          [],
        ])
        if (copy) expect((await readdir(copy)).length).toBeGreaterThan(0)
        const store = await openLevelLog({ folder })
        const server = await startServer({ store })
        for (const room of ROOMS) {
          const doc = await served(store, room)
          const before = servedBefore.get(room)
          // What could be read before the repair is there after it.
          if (before)
            expect([title, room, doc instanceof Y.Doc && covers(doc, before)]).toEqual([title, room, true])
          if (!(doc instanceof Y.Doc)) continue
          const { provider, synced } = connectStock(server, room, { doc: deviceOf(room) })
          await synced
          await until(`${title}: ${room} is whole`, async () => isWhole(room, await storedDoc(store, room)))
          provider.destroy()
        }
        await server.server.close()
        await rm(folder, { recursive: true })
      }
    }
    expect(damagedTables).toBeGreaterThan(0)
  })
})
