import { cp, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { type LogStore, openLevelLog, refuseUnfinished, repairFolder, verifyFolder } from '../src/index.js'
import { isTable } from '../src/log/levelFiles.js'
import { mergeEntries } from '../src/log/levelMerge.js'
import { boundsOf, entriesOf, scanTable } from '../src/log/levelTable.js'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const ROOMS = Array.from({ length: 40 }, (_, n) => `user${String(n).padStart(2, '0')}`)

let original = ''
const truth = new Map<string, string>()
const folders: string[] = []

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-recovery-'))
  folders.push(folder)
  return folder
}

async function copyOf(folder: string): Promise<string> {
  const copy = await newFolder()
  await cp(join(folder, 'log'), join(copy, 'log'), { recursive: true })
  return copy
}

async function stateOf(store: LogStore, room: string): Promise<string> {
  const { snapshot, rows, damaged } = await store.load(room)
  if (damaged.length > 0) throw new Error('rows are damaged')
  const doc = new Y.Doc()
  for (const { update } of snapshot ? [snapshot, ...rows] : rows) Y.applyUpdate(doc, update)
  return JSON.stringify(doc.getMap('values').toJSON())
}

async function states(folder: string): Promise<Map<string, string>> {
  const store = await openLevelLog({ folder })
  try {
    await refuseUnfinished(store)
    const found = new Map<string, string>()
    for (const room of ROOMS) found.set(room, await stateOf(store, room).catch(() => 'refused'))
    return found
  } finally {
    await store.close()
  }
}

/** Rooms in several tables and a log, each of a later round than the other. */
async function fill(folder: string): Promise<void> {
  const docs = new Map(ROOMS.map((room) => [room, new Y.Doc()]))
  for (let round = 0; round < 4; round++) {
    const store = await openLevelLog({ folder })
    for (const [index, room] of ROOMS.entries()) {
      const doc = docs.get(room) as Y.Doc
      for (let n = 0; n < 3; n++) {
        const before = Y.encodeStateVector(doc)
        doc.getMap('values').set(`${round}.${n}`, `${room} ${'x'.repeat(index * 7)}`)
        await store.append(room, Y.encodeStateAsUpdate(doc, before))
      }
      if (round === 1 && index % 3 === 0) {
        const { version } = await store.load(room)
        await store.compact(room, { through: version, snapshot: Y.encodeStateAsUpdate(doc) })
      }
    }
    await store.values.write('access', new Map([[`round ${round}`, Buffer.from('revoked')]]))
    await store.close()
  }
}

beforeAll(async () => {
  original = await newFolder()
  await fill(original)
  for (const [room, state] of await states(await copyOf(original))) truth.set(room, state)
})
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

/** The rooms of which something lies in a range of bytes of a table; all where that is not known. */
async function roomsIn(folder: string, file: string, from: number, to: number): Promise<Set<string>> {
  const bytes = await readFile(join(folder, 'log', file))
  const table = scanTable(bytes)
  const hit = table.blocks.filter(({ offset, size }) => offset < to && offset + size + 5 > from)
  const rooms = new Set<string>()
  for (const block of hit) {
    for (const { key } of entriesOf(table.file, block)) {
      const [, owner = ''] = Buffer.from(key).toString().split('/')
      rooms.add(decodeURIComponent(owner).replace(/^room:/, ''))
    }
  }
  return rooms
}

const tablesOf = async (folder: string): Promise<string[]> =>
  (await readdir(join(folder, 'log'))).filter(isTable).sort()

/** Nothing that was not written is served, and what is not is refused. */
async function expectNothingWrong(folder: string, title: string): Promise<void> {
  const found = await states(folder).catch((error: Error) => error.message)
  if (typeof found === 'string')
    expect([title, found]).toEqual([title, expect.stringContaining('parley verify --repair')])
  else for (const [room, state] of found) expect([title, room, state]).toEqual([title, room, truth.get(room)])
}

describe('a store whose files are damaged', () => {
  it('[REC2] [REC3] loses only what lies in zeroed bytes of a table, and the repair names those rooms', {
    timeout: 120_000,
  }, async () => {
    for (const table of await tablesOf(original)) {
      const { length } = await readFile(join(original, 'log', table))
      for (let at = 0; at < length; at += Math.max(1024, Math.floor(length / 6))) {
        const title = `${table} zeroed from ${at}`
        const folder = await copyOf(original)
        const path = join(folder, 'log', table)
        const bytes = await readFile(path)
        const end = Math.min(length, at + 1024)
        if (bytes.subarray(at, end).every((byte) => byte === 0)) continue
        const hit = await roomsIn(folder, table, at, end)
        bytes.fill(0, at, end)
        await writeFile(path, bytes)
        expect([title, (await verifyFolder(folder)).sound]).toEqual([title, false])
        await expectNothingWrong(folder, title)
        const { now, repaired, lost, copy } = await repairFolder(folder, NOW)
        expect([title, now.files, copy === null]).toEqual([title, [], false])
        const after = await states(folder)
        for (const room of ROOMS) {
          if (hit.has(room)) continue
          expect([title, room, after.get(room)]).toEqual([title, room, truth.get(room)])
        }
        // What changed is known of.
        const changed = ROOMS.filter((room) => after.get(room) !== truth.get(room))
        for (const room of changed) {
          const isNamed = repaired.includes(room) || lost.includes(room) || after.get(room) === '{}'
          expect([title, room, isNamed]).toEqual([title, room, true])
        }
        await rm(folder, { recursive: true })
      }
    }
  })

  it('[REC3] keeps every room where the list of files, what names it, or the index and footer of a table are gone', {
    timeout: 120_000,
  }, async () => {
    const damages: ReadonlyArray<[string, (location: string) => Promise<void>]> = [
      ['CURRENT removed', (location) => rm(join(location, 'CURRENT'))],
      [
        'list of files removed',
        async (location) => {
          for (const name of await readdir(location))
            if (name.startsWith('MANIFEST')) await rm(join(location, name))
        },
      ],
      [
        'list of files zeroed',
        async (location) => {
          for (const name of await readdir(location))
            if (name.startsWith('MANIFEST')) await writeFile(join(location, name), Buffer.alloc(200))
        },
      ],
      [
        'footers overwritten',
        async (location) => {
          for (const name of (await readdir(location)).filter(isTable)) {
            const bytes = await readFile(join(location, name))
            await writeFile(join(location, name), bytes.fill(0xff, bytes.length - 20))
          }
        },
      ],
      [
        'two tables have each other’s names',
        async (location) => {
          const [a = '', b = ''] = (await readdir(location)).filter(isTable).sort()
          await rename(join(location, a), join(location, 'x'))
          await rename(join(location, b), join(location, a))
          await rename(join(location, 'x'), join(location, b))
        },
      ],
    ]
    expect((await tablesOf(original)).length).toBeGreaterThan(1)
    for (const [title, damage] of damages) {
      const folder = await copyOf(original)
      await damage(join(folder, 'log'))
      await expectNothingWrong(folder, title)
      const { now, lost } = await repairFolder(folder, NOW)
      expect([title, now.sound, lost]).toEqual([title, true, []])
      expect([title, await states(folder)]).toEqual([title, truth])
    }
  })

  it('[REC3] takes nothing from a table of another store that has the name of one of its own', async () => {
    const other = await newFolder()
    const store = await openLevelLog({ folder: other })
    await store.append('mallory', new Uint8Array([0, 0]))
    for (const room of ROOMS) await store.append(room, new Uint8Array([0, 0]))
    await store.close()
    await (await openLevelLog({ folder: other })).close()
    const [foreign = ''] = await tablesOf(other)
    const tables = await tablesOf(original)
    expect(tables.length).toBeGreaterThan(1)
    for (const table of tables) {
      const folder = await copyOf(original)
      const path = join(folder, 'log', table)
      await cp(join(other, 'log', foreign), path)
      await expectNothingWrong(folder, table)
      await repairFolder(folder, NOW)
      const repaired = await openLevelLog({ folder })
      for await (const room of repaired.rooms()) expect(ROOMS).toContain(room)
      await repaired.close()
    }
  })

  it('[REC3] goes on with a repair that was interrupted, and does not serve the store before', async () => {
    const folder = await copyOf(original)
    const [table = ''] = await tablesOf(folder)
    await truncate(join(folder, 'log', table), 100)
    await repairFolder(folder, NOW)
    // As after a crash between the two names, and before the rooms were looked at.
    await rename(join(folder, 'log'), join(folder, 'log.rebuilt'))
    await cp(join(original, 'log'), join(folder, 'log.replaced'), { recursive: true })
    const store = await openLevelLog({ folder })
    const rooms: string[] = []
    for await (const room of store.rooms()) rooms.push(room)
    expect(rooms.length).toBeGreaterThan(0)
    await store.values.write('store', new Map([['repairing', Buffer.from('"all"')]]))
    await expect(refuseUnfinished(store)).rejects.toThrow('parley verify --repair')
    await store.close()
    expect((await readdir(folder)).filter((name) => /rebuilt|replaced/.test(name))).toEqual([])
    const { repaired, now } = await repairFolder(folder, NOW + 1000)
    expect([repaired.length, now.sound]).toEqual([rooms.length, true])
  })
})

describe('the reader of tables', () => {
  it('[REC3] reads the entries that LevelDB reads, packed or not, by the index or without it', async () => {
    for (const compression of [true, false]) {
      const location = join(await newFolder(), 'log')
      const level = new ClassicLevel<string, Uint8Array>(location, { compression, valueEncoding: 'view' })
      await level.open()
      for (let n = 0; n < 500; n++)
        await level.put(`key ${n % 300}`, Buffer.from(`value ${n} ${'abc'.repeat(n % 50)}`))
      await level.del('key 7')
      await level.compactRange('a', 'z')
      const expected = await level.iterator().all()
      await level.close()
      const [table = ''] = (await readdir(location)).filter(isTable)
      const bytes = await readFile(join(location, table))
      const whole = scanTable(bytes)
      expect([whole.flips, whole.damaged, whole.reason, boundsOf(whole) !== null]).toEqual([
        [],
        [],
        null,
        true,
      ])
      bytes.fill(0xff, bytes.length - 48)
      const withoutIndex = scanTable(bytes)
      expect(withoutIndex.blocks).toEqual(whole.blocks)
      for (const { file, blocks } of [whole, withoutIndex]) {
        const entries = mergeEntries([blocks.flatMap((block) => [...entriesOf(file, block)])])
        const live = [...entries].filter(({ value }) => value !== null)
        const found = live.map(({ key, value }) => [
          Buffer.from(key).toString(),
          Buffer.from(value ?? '').toString(),
        ])
        expect(found).toEqual(expected.map(([key, value]) => [key, Buffer.from(value).toString()]))
      }
    }
  })
})
