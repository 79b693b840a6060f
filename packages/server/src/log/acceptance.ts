import { afterEach, describe, expect, it } from 'vitest'
import type { Composed, LogStore, OwnAppend, RoomWriterState, ValueRange, ValueScope } from './logStore.js'

/** What the acceptance suite needs of an implementation. */
export interface LogStoreSetup {
  /** Opens a new, empty store. */
  open: () => Promise<LogStore>
  /** Closes the store and opens what it left behind. Left out by stores that forget. */
  reopen?: (store: LogStore) => Promise<LogStore>
  /** Opens what a store keeps once more, as another server would. Left out by stores that one server has for itself. */
  join?: (store: LogStore) => Promise<LogStore>
  /** Overwrites the stored bytes of a row by hand. Left out by stores that hold nothing outside of the process. */
  damage?: (store: LogStore, room: string, version: number) => Promise<LogStore>
}

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
/** Names that an encoding of keys could confuse. */
const NAMES = [
  'a',
  'a/',
  'a/b',
  'a0',
  'a%2F',
  '%',
  '/',
  ' ',
  '~!*',
  'ä',
  '名前',
  '🙂',
  'a'.repeat(200),
  '0',
  'row/a',
]

/**
 * The acceptance suite of a {@link LogStore}, for a test file of its implementation.
 *
 * @example
 * ```ts
 * import { createMemoryLog } from '@parley/server'
 * import { runLogStoreTests } from '@parley/server/testing'
 *
 * runLogStoreTests('memory', { open: async () => createMemoryLog() })
 * ```
 */
export function runLogStoreTests(title: string, setup: LogStoreSetup): void {
  const stores: LogStore[] = []
  const open = async (): Promise<LogStore> => {
    const store = await setup.open()
    stores.push(store)
    return store
  }
  const { reopen, join, damage } = setup
  const joined = async (store: LogStore, join: NonNullable<LogStoreSetup['join']>): Promise<LogStore> => {
    const other = await join(store)
    stores.push(other)
    return other
  }

  describe(`log store: ${title}`, () => {
    afterEach(async () => {
      await Promise.all(stores.splice(0).map((store) => store.close()))
    })

    it('[L1] numbers the updates of a room from 1, each greater than the one before', async () => {
      const store = await open()
      const versions = await Promise.all(
        Array.from({ length: 50 }, (_, n) => store.append('alice', bytes(n))),
      )
      expect(versions).toEqual(Array.from({ length: 50 }, (_, n) => n + 1))
      expect(await store.append('alice', bytes(50))).toBe(51)
    })

    it('[L1] numbers each room by itself, also where rooms share a batch', async () => {
      const store = await open()
      const versions = await Promise.all(
        ['a', 'b', 'a', 'c', 'b', 'a'].map((room) => store.append(room, bytes(1))),
      )
      expect(versions).toEqual([1, 1, 2, 1, 2, 3])
    })

    it('[L2] loads what was appended, in order, byte for byte', async () => {
      const store = await open()
      const updates = [bytes(), bytes(0), bytes(255, 0, 1), new Uint8Array(100_000).fill(7)]
      for (const update of updates) await store.append('alice', update)
      const { version, snapshot, rows, damaged, epoch } = await store.load('alice')
      expect({ version, snapshot, damaged, epoch }).toEqual({
        version: 4,
        snapshot: null,
        damaged: [],
        epoch: 0,
      })
      expect(rows.map((row) => row.version)).toEqual([1, 2, 3, 4])
      expect(rows.map((row) => [...row.update])).toEqual(updates.map((update) => [...update]))
    })

    it('[L2] keeps the bytes as they were when append was called', async () => {
      const store = await open()
      const update = bytes(1, 2, 3)
      const appended = store.append('alice', update)
      await appended
      update.fill(9)
      expect([...((await store.load('alice')).rows[0]?.update ?? [])]).toEqual([1, 2, 3])
    })

    it('[L3] answers for a room that does not exist that it is empty, and creates nothing', async () => {
      const store = await open()
      expect(await store.load('nobody')).toEqual({
        epoch: 0,
        version: 0,
        snapshot: null,
        rows: [],
        damaged: [],
      })
      expect(await store.size('nobody')).toBe(null)
      await store.compact('nobody', { through: 5, snapshot: bytes(1) })
      await store.quarantine('nobody', [{ version: 1, reason: 'test' }])
      await store.delete('nobody')
      expect(await names(store)).toEqual([])
    })

    it('[L4] keeps rooms apart whatever their names', async () => {
      const store = await open()
      await Promise.all(NAMES.map((name, n) => store.append(name, bytes(n))))
      expect((await names(store)).sort()).toEqual([...NAMES].sort())
      for (const [n, name] of NAMES.entries()) {
        expect((await store.load(name)).rows.map((row) => [...row.update])).toEqual([[n]])
      }
      await store.delete('a')
      expect((await names(store)).sort()).toEqual(NAMES.filter((name) => name !== 'a').sort())
      expect((await store.load('a/b')).rows).toHaveLength(1)
    })

    it('[L5] replaces rows by a snapshot and goes on counting', async () => {
      const store = await open()
      for (let n = 0; n < 5; n++) await store.append('alice', bytes(n))
      await store.compact('alice', { through: 3, snapshot: bytes(33) })
      const { snapshot, rows, version } = await store.load('alice')
      expect(snapshot && [snapshot.version, [...snapshot.update]]).toEqual([3, [33]])
      expect(rows.map((row) => row.version)).toEqual([4, 5])
      expect(version).toBe(5)
      await store.compact('alice', { through: 5, snapshot: bytes(55) })
      expect(await store.append('alice', bytes(6))).toBe(6)
    })

    it('[L5] never loses a row that is written while it compacts', async () => {
      const store = await open()
      for (let n = 0; n < 20; n++) await store.append('alice', bytes(n))
      const later = Array.from({ length: 20 }, (_, n) => n + 20)
      const appends = later.slice(0, 10).map((n) => store.append('alice', bytes(n)))
      const compacted = store.compact('alice', { through: 20, snapshot: bytes(99) })
      appends.push(...later.slice(10).map((n) => store.append('alice', bytes(n))))
      await Promise.all([...appends, compacted])
      expect((await store.load('alice')).rows.map((row) => row.update[0])).toEqual(later)
    })

    it('[L5] keeps the rows a compaction names, and ignores a compaction that was overtaken', async () => {
      const store = await open()
      for (let n = 1; n <= 6; n++) await store.append('alice', bytes(n))
      await store.compact('alice', { through: 5, snapshot: bytes(55), keep: [2, 4] })
      await store.compact('alice', { through: 3, snapshot: bytes(33) })
      const { snapshot, rows } = await store.load('alice')
      expect(snapshot && [...snapshot.update]).toEqual([55])
      expect(rows.map((row) => row.version)).toEqual([2, 4, 6])
    })

    it('[L6] reads a room as of one moment, while it is written and compacted', async () => {
      const store = await open()
      let written = 0
      let done = false
      const writer = (async () => {
        for (let n = 1; n <= 60; n++) {
          written = await store.append('alice', bytes(n))
          if (n % 7 === 0) await store.compact('alice', { through: n, snapshot: bytes(n) })
        }
        done = true
      })()
      do {
        const atLeast = written
        const { version, snapshot, rows } = await store.load('alice')
        const seen = [
          ...Array.from({ length: snapshot?.version ?? 0 }, (_, n) => n + 1),
          ...rows.map((row) => row.version),
        ]
        expect(seen).toEqual(Array.from({ length: version }, (_, n) => n + 1))
        expect(version).toBeGreaterThanOrEqual(atLeast)
        await new Promise((resolve) => setImmediate(resolve))
      } while (!done)
      await writer
    })

    it('[L6] reads all of a room while a compaction replaces what is being read', async () => {
      const store = await open()
      const rows = 120
      for (let n = 1; n <= rows; n++) await store.append('alice', new Uint8Array(2000).fill(n))
      const seen: Array<{ through: number; rows: number }> = []
      for (let through = 10; through <= rows; through += 10) {
        const [, ...loads] = await Promise.all([
          store.compact('alice', { through, snapshot: new Uint8Array(20_000).fill(through) }),
          ...Array.from({ length: 4 }, () => store.load('alice')),
        ])
        for (const { snapshot, rows: loaded } of loads) {
          seen.push({ through: snapshot?.version ?? 0, rows: loaded.length })
          expect(loaded.map(({ update }) => update[1999])).toEqual(loaded.map(({ version }) => version))
          expect(snapshot?.update[19_999]).toBe(snapshot?.version)
        }
      }
      expect(seen.map(({ through, rows }) => through + rows)).toEqual(seen.map(() => rows))
    })

    it('[L1] serves many rooms and many callers at once', async () => {
      const store = await open()
      const rooms = Array.from({ length: 12 }, (_, n) => `room ${n}`)
      const perRoom = 25
      await Promise.all(
        rooms.flatMap((room, n) =>
          Array.from({ length: perRoom }, async (_, m) => {
            await store.append(room, bytes(n, m))
            if (m % 10 === 0) await store.values.write(`room:${room}`, new Map([[`${m % 20}`, bytes(m)]]))
          }),
        ),
      )
      expect(await store.heads(rooms)).toEqual(new Map(rooms.map((room) => [room, perRoom])))
      for (const [n, room] of rooms.entries()) {
        const { rows } = await store.load(room)
        expect(rows.map(({ version }) => version)).toEqual(rows.map((_, index) => index + 1))
        expect(new Set(rows.map(({ update }) => `${update}`)).size).toBe(perRoom)
        expect(rows.every(({ update }) => update[0] === n)).toBe(true)
      }
    })

    it('[L7] puts rows aside with the reason, and keeps them through compaction', async () => {
      const store = await open()
      for (let n = 1; n <= 4; n++) await store.append('alice', new Uint8Array(n))
      await store.quarantine('alice', [
        { version: 2, reason: 'cannot be applied' },
        { version: 99, reason: 'is not there' },
      ])
      expect((await store.load('alice')).rows.map((row) => row.version)).toEqual([1, 3, 4])
      await store.compact('alice', { through: 4, snapshot: bytes(4) })
      const size = await store.size('alice')
      expect(size?.quarantined.map(({ version, reason }) => ({ version, reason }))).toEqual([
        { version: 2, reason: 'cannot be applied' },
      ])
      expect(size?.version).toBe(4)
    })

    it('[L8] tells how much is stored', async () => {
      const store = await open()
      for (let n = 1; n <= 4; n++) await store.append('alice', new Uint8Array(1000))
      const before = await store.size('alice')
      expect(before).toMatchObject({
        epoch: 0,
        version: 4,
        rowCount: 4,
        snapshotVersion: 0,
        snapshotBytes: 0,
      })
      expect(before?.rowBytes).toBeGreaterThanOrEqual(4000)
      await store.compact('alice', { through: 3, snapshot: new Uint8Array(500) })
      const after = await store.size('alice')
      expect(after).toMatchObject({ version: 4, rowCount: 1, snapshotVersion: 3, quarantined: [] })
      expect(after?.snapshotBytes).toBeGreaterThanOrEqual(500)
    })

    it('[L9] deletes all of a room', async () => {
      const store = await open()
      for (let n = 1; n <= 4; n++) await store.append('alice', bytes(n))
      await store.append('bob', bytes(1))
      await store.quarantine('alice', [{ version: 1, reason: 'test' }])
      await store.compact('alice', { through: 3, snapshot: bytes(3) })
      await store.delete('alice')
      expect(await store.size('alice')).toBe(null)
      expect(await names(store)).toEqual(['bob'])
    })

    it('[L10] says whether it can write, and refuses every call once it is closed', async () => {
      const store = await open()
      await store.check()
      await Promise.all([store.close(), store.close()])
      await expect(store.append('alice', bytes(1))).rejects.toMatchObject({ code: 'closed' })
    })

    it('[L10] finishes what was asked for before it closes', async () => {
      const store = await open()
      const appends = Array.from({ length: 20 }, (_, n) => store.append('alice', bytes(n)))
      await store.close()
      expect(await Promise.all(appends)).toHaveLength(20)
    })

    it('[L18] keeps values beside the logs, each by itself, and lets go of those of a room with the room', async () => {
      const store = await open()
      await store.append('a', bytes(1))
      await Promise.all(
        NAMES.flatMap((scope, n) =>
          NAMES.map((name, m) => store.values.write(`room:${scope}`, new Map([[name, bytes(n, m)]]))),
        ),
      )
      await store.values.write('channel:a', new Map([['a', bytes(7)]]))
      const value = bytes(8)
      await store.values.write(
        'room:a',
        new Map([
          ['a', value],
          ['b', null],
          ['%', null],
        ]),
      )
      value.fill(9)
      const read = async (scope: ValueScope): Promise<Array<[string, number[]]>> =>
        [...(await store.values.read(scope, ['b', ...NAMES]))].map(([name, found]) => [name, [...found]])
      expect(await read('room:a/b')).toEqual(NAMES.map((name, m) => [name, [2, m]]))
      expect(await read('room:a')).toEqual(
        NAMES.flatMap((name, m) => (name === '%' ? [] : [[name, name === 'a' ? [8] : [0, m]]])),
      )
      await store.delete('a')
      expect(await read('room:a')).toEqual([])
      expect(await read('room:a/b')).toHaveLength(NAMES.length)
      expect(await read('channel:a')).toEqual([['a', [7]]])
      expect(await names(store)).toEqual([])
    })

    it('[L18] values that are read belong to who reads them, with the memory they lie in', async () => {
      const store = await open()
      await store.values.write(
        'room:a',
        new Map([
          // As it comes from Node, in memory that it shares with others.
          ['x', Buffer.from([1])],
          ['y', bytes(2)],
        ]),
      )
      const read = (): Promise<Map<string, Uint8Array>> => store.values.read('room:a', ['x', 'y'])
      const list = (): Promise<Map<string, Uint8Array>> => store.values.list('room:a', { prefix: '' })
      const together = async (): Promise<Map<string, Uint8Array>> => {
        const names = ['x', 'y']
        const found = await Promise.all(names.map((name) => store.readWithHead('a', name)))
        return new Map(names.map((name, index) => [name, found[index]?.value as Uint8Array]))
      }
      for (const get of [read, list, together]) {
        const [x, y] = [...(await get()).values()]
        const buffer = x?.buffer as ArrayBuffer
        structuredClone(buffer, { transfer: [buffer] })
        expect([x?.byteLength, y?.[0]]).toEqual([0, 2])
        y?.fill(3)
        expect([...(await get()).values()].map((value) => [...value])).toEqual([[1], [2]])
      }
    })

    it('[L18] lists values whose names begin alike, from either end', async () => {
      const store = await open()
      for (const scope of ['room:a', 'room:a/'] as const) {
        const all = ['x/01', 'x/02', 'x/10', 'x', 'x0', 'y/01', 'x%2F03', '🙂/1', '🙂/2']
        await store.values.write(scope, new Map(all.map((name, n) => [name, bytes(n)])))
      }
      const list = async (range: ValueRange): Promise<unknown> =>
        [...(await store.values.list('room:a', range))].map(([name, value]) => [name, ...value])
      const x = [
        ['x/01', 0],
        ['x/02', 1],
        ['x/10', 2],
      ]
      expect(await list({ prefix: 'x/' })).toEqual(x)
      expect(await list({ prefix: 'x/', limit: 2 })).toEqual(x.slice(0, 2))
      expect(await list({ prefix: 'x/', limit: 2, reverse: true })).toEqual([x[2], x[1]])
      expect(await list({ prefix: '🙂/', reverse: true })).toEqual([
        ['🙂/2', 8],
        ['🙂/1', 7],
      ])
      expect(await list({ prefix: 'z' })).toEqual([])
    })

    it('[L19] loads for whoever knows a version what came since, or everything where that is in the snapshot', async () => {
      const store = await open()
      for (let n = 1; n <= 6; n++) await store.append('alice', bytes(n))
      const since = async (after: number): Promise<unknown> => {
        const { version, snapshot, rows } = await store.load('alice', { after })
        return [version, snapshot?.version ?? null, rows.map((row) => row.version)]
      }
      expect(await since(0)).toEqual([6, null, [1, 2, 3, 4, 5, 6]])
      expect(await since(4)).toEqual([6, null, [5, 6]])
      expect(await since(6)).toEqual([6, null, []])
      expect(await since(9)).toEqual([6, null, []])
      await store.compact('alice', { through: 5, snapshot: bytes(55), keep: [2] })
      expect(await since(5)).toEqual([6, null, [6]])
      expect(await since(4)).toEqual([6, 5, [2, 6]])
    })

    it('[L20] tells the heads of rooms in one call', async () => {
      const store = await open()
      await Promise.all(['a', 'b', 'a', 'a/'].map((room) => store.append(room, bytes(1))))
      await store.compact('a', { through: 2, snapshot: bytes(1) })
      expect([...(await store.heads(['b', 'nobody', 'a']))].sort()).toEqual([
        ['a', 2],
        ['b', 1],
        ['nobody', 0],
      ])
      expect(await store.heads([])).toEqual(new Map())
    })

    it('[L39] reads a value of a room together with the head of the room', async () => {
      const store = await open()
      const read = async (room: string, name = 'x'): Promise<unknown> => {
        const { head, value } = await store.readWithHead(room, name)
        return [head, value && [...value]]
      }
      expect(await read('a')).toEqual([0, null])
      await store.append('a', bytes(1))
      await store.append('a', bytes(1))
      expect(await read('a')).toEqual([2, null])
      for (const scope of ['room:a', 'room:b', 'channel:a'] as const)
        await store.values.write(scope, new Map([['x', new TextEncoder().encode(scope)]]))
      expect(await read('a')).toEqual([2, [...new TextEncoder().encode('room:a')]])
      expect(await read('b')).toEqual([0, [...new TextEncoder().encode('room:b')]])
      await store.append('a', bytes(1))
      expect(await read('a')).toEqual([3, [...new TextEncoder().encode('room:a')]])
      expect(await read('a', 'y')).toEqual([3, null])
      await store.delete('a')
      expect(await read('a')).toEqual([0, null])
    })

    it("[L21] has one client id for a room's own rows, and gives no clock of it twice", async () => {
      const store = await open()
      const own = (clocks: number): OwnAppend => ({
        compose: ({ client, clock }) => ({
          update: new TextEncoder().encode(JSON.stringify([client, clock, clocks])),
          clocks,
        }),
      })
      const sizes = Array.from({ length: 40 }, (_, n) => (n % 3) + 1)
      const appended = await Promise.all(
        sizes.flatMap((clocks, n) => [
          store.appendOwn('alice', own(clocks)),
          ...(n % 4 === 0 ? [store.append('alice', bytes(n))] : []),
        ]),
      )
      const { rows } = await store.load('alice')
      expect(rows.map((row) => row.version)).toEqual(rows.map((_, index) => index + 1))
      const returned = appended.filter((row) => typeof row === 'object' && row !== null)
      expect(returned).toHaveLength(sizes.length)
      for (const { version, update } of returned) {
        expect([...(rows[version - 1]?.update ?? [])]).toEqual([...update])
      }
      const written = returned
        .sort((a, b) => a.version - b.version)
        .map(({ update }) => JSON.parse(new TextDecoder().decode(update)) as [number, number, number])
      expect(new Set(written.map(([client]) => client)).size).toBe(1)
      let next = 0
      for (const [, clock, clocks] of written) {
        expect(clock).toBe(next)
        next += clocks
      }
      expect((await store.appendOwn('bob', own(1)))?.version).toBe(1)
    })

    it('[L38] writes under a new client id once a row is in quarantine, which may be one of its own', async () => {
      const store = await open()
      const write = async (): Promise<RoomWriterState> => {
        let writer: RoomWriterState = { client: 0, clock: 0 }
        // Composed again where the store looked too early: the last time counts.
        await store.appendOwn('alice', {
          compose(as) {
            writer = as
            return { update: bytes(1), clocks: 5 }
          },
        })
        return writer
      }
      const first = await write()
      await store.quarantine('alice', [{ version: 7, reason: 'is not there' }])
      expect(await write()).toEqual({ client: first.client, clock: 5 })
      await store.quarantine('alice', [{ version: 2, reason: 'test' }])
      const renewed = await write()
      expect(renewed.clock).toBe(0)
      expect(renewed.client).not.toBe(first.client)
      expect(await write()).toEqual({ client: renewed.client, clock: 5 })
    })

    it("[IDN2] retireWriter gives a room's own rows a new client id, and leaves other clients' rooms as they are", async () => {
      const store = await open()
      const write = async (): Promise<RoomWriterState> => {
        let writer: RoomWriterState = { client: 0, clock: 0 }
        await store.appendOwn('alice', {
          compose(as) {
            writer = as
            return { update: bytes(1), clocks: 5 }
          },
        })
        return writer
      }
      expect(await store.retireWriter('nobody', [1])).toBe(false)
      const first = await write()
      expect(await store.retireWriter('alice', [first.client + 1, first.client - 1])).toBe(false)
      expect(await write()).toEqual({ client: first.client, clock: 5 })
      expect(await store.retireWriter('alice', [first.client + 1, first.client])).toBe(true)
      const next = await write()
      expect(next.clock).toBe(0)
      expect(next.client).not.toBe(first.client)
      expect((await store.load('alice')).rows).toHaveLength(3)
      expect(await names(store)).toEqual(['alice'])
    })

    it('[L21] stores nothing where nothing is composed, and values with the row', async () => {
      const store = await open()
      const refused = store.appendOwn('alice', {
        compose() {
          throw new Error('not like this')
        },
      })
      const nothing = store.appendOwn('alice', { compose: () => null })
      const stored = store.appendOwn('alice', {
        compose: ({ clock }) => ({ update: bytes(clock), clocks: 1, values: new Map([['y', bytes(2)]]) }),
      })
      await expect(refused).rejects.toThrow('not like this')
      expect(await nothing).toBe(null)
      expect((await stored)?.version).toBe(1)
      expect((await store.load('alice')).rows.map(({ update }) => [...update])).toEqual([[0]])
      expect([...((await store.values.read('room:alice', ['y'])).get('y') ?? [])]).toEqual([2])
    })

    it('[L21] shows what is composed the values as those before it left them', async () => {
      const store = await open()
      await store.values.write('room:alice', new Map([['n', bytes(0)]]))
      const seen: number[] = []
      const add = (): Promise<unknown> =>
        store.appendOwn('alice', {
          reads: ['n', 'none'],
          compose(_, values) {
            const n = values.get('n')?.[0] ?? 0
            expect(values.has('none')).toBe(false)
            if (n >= 30) return null
            return { update: bytes(n), clocks: 1, values: new Map([['n', bytes(n + 1)]]) }
          },
        })
      await Promise.all(Array.from({ length: 40 }, add))
      for (const { update } of (await store.load('alice')).rows) seen.push(update[0] as number)
      expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => n))
    })

    it('[L18] tells which scopes have values, each once', async () => {
      const store = await open()
      const scopes: ValueScope[] = ['room:a', 'room:a/', 'channel:a', 'store', 'room:🙂']
      for (const scope of scopes) {
        await store.values.write(scope, new Map(['x', 'y'].map((name) => [name, bytes(1)])))
      }
      await store.values.write(
        'room:a',
        new Map([
          ['x', null],
          ['y', null],
        ]),
      )
      const found: ValueScope[] = []
      for await (const scope of store.values.scopes()) found.push(scope)
      expect(found.sort()).toEqual(scopes.filter((scope) => scope !== 'room:a').sort())
    })

    it('[L22] tells what is stored of a room that is sound, and of one that does not exist', async () => {
      const store = await open()
      const sound = { snapshotDamage: null, numbersDamage: null }
      for (let n = 1; n <= 4; n++) await store.append('alice', bytes(n))
      await store.compact('alice', { through: 2, snapshot: bytes(22) })
      expect(await store.examine('alice')).toEqual({ ...(await store.load('alice')), ...sound })
      expect(await store.examine('nobody')).toEqual({ ...(await store.load('nobody')), ...sound })
      expect(await names(store)).toEqual(['alice'])
    })

    it('[L23] puts a room in the place of another, or where none was', async () => {
      const store = await open()
      for (let n = 1; n <= 5; n++) await store.append('alice', bytes(n))
      await store.quarantine('alice', [{ version: 2, reason: 'test' }])
      await store.compact('alice', { through: 3, snapshot: bytes(33) })
      await store.values.write('room:alice', new Map(['x', 'y', 'z'].map((name) => [name, bytes(1)])))
      const writers: RoomWriterState[] = []
      const note: OwnAppend['compose'] = (writer) => {
        writers.push(writer)
        return { update: bytes(1), clocks: 5 }
      }
      await store.appendOwn('alice', { compose: note })
      const restoration = {
        epoch: 2,
        version: 2 ** 50,
        snapshot: { version: 2 ** 50 - 2, update: bytes(44) },
        rows: [
          { version: 2 ** 50 - 1, update: bytes(45) },
          { version: 2 ** 50, update: bytes(46) },
        ],
        values: new Map([
          ['x', bytes(2)],
          ['y', null],
        ]),
      }
      for (const room of ['alice', 'bob']) {
        await store.restore(room, restoration)
        const { values: _, ...stored } = restoration
        expect(await store.load(room)).toEqual({ ...stored, damaged: [] })
        expect(await store.heads([room])).toEqual(new Map([[room, 2 ** 50]]))
      }
      expect((await store.size('alice'))?.quarantined.map(({ version }) => version)).toEqual([2])
      const values = await store.values.read('room:alice', ['x', 'y', 'z'])
      expect([...values].map(([name, value]) => [name, ...value])).toEqual([
        ['x', 2],
        ['z', 1],
      ])
      expect(await store.append('bob', bytes(1))).toBe(2 ** 50 + 1)
      await store.appendOwn('alice', { compose: note })
      // The clocks of the first one may have been given beyond what is known now.
      expect(writers[1]).toMatchObject({ clock: 0 })
      expect(writers[1]?.client).not.toBe(writers[0]?.client)
    })

    it('[L25] has all that is to be there after what is not was erased', async () => {
      const store = await open()
      await store.erase()
      for (let n = 1; n <= 4; n++) await store.append('alice', bytes(n))
      await store.append('bob', bytes(1))
      await store.values.write('channel:a', new Map([['x', bytes(1)]]))
      await store.compact('alice', { through: 3, snapshot: bytes(33) })
      await store.delete('bob')
      const reading = store.load('alice')
      const writing = store.append('alice', bytes(5))
      await Promise.all([store.erase(), store.erase({ copies: true })])
      expect(await writing).toBe(5)
      expect((await reading).snapshot?.version).toBe(3)
      expect((await store.load('alice')).rows.map(({ version }) => version)).toEqual([4, 5])
      expect([...(await store.values.read('channel:a', ['x'])).keys()]).toEqual(['x'])
      expect(await names(store)).toEqual(['alice'])
      expect(await store.append('alice', bytes(6))).toBe(6)
    })

    if (reopen) {
      it('[L11] finds again after closing all that it acknowledged', async () => {
        let store = await open()
        await Promise.all(Array.from({ length: 30 }, (_, n) => store.append(`room ${n % 3}`, bytes(n))))
        await store.values.write('room:room 1', new Map([['x', bytes(5)]]))
        await store.compact('room 1', { through: 4, snapshot: bytes(44) })
        await store.quarantine('room 2', [{ version: 1, reason: 'test' }])
        store = await reopen(store)
        stores.push(store)
        expect((await store.load('room 0')).rows.map((row) => row.update[0])).toEqual([
          0, 3, 6, 9, 12, 15, 18, 21, 24, 27,
        ])
        expect((await store.load('room 1')).snapshot?.version).toBe(4)
        expect((await store.load('room 1')).rows).toHaveLength(6)
        expect((await store.size('room 2'))?.quarantined).toHaveLength(1)
        expect(await store.append('room 1', bytes(1))).toBe(11)
        expect([...((await store.values.read('room:room 1', ['x'])).get('x') ?? [])]).toEqual([5])
      })

      it('[IDN1] gives no clock twice after closing and opening, from a copy of an earlier state too', async () => {
        let store = await open()
        const given: RoomWriterState[] = []
        const compose: OwnAppend['compose'] = (writer) => {
          given.push(writer)
          return { update: bytes(writer.clock), clocks: 3 }
        }
        for (let opening = 0; opening < 3; opening++) {
          for (let n = 0; n < 2; n++) await store.appendOwn('room 1', { compose })
          store = await reopen(store)
          stores.push(store)
        }
        expect(new Set(given.map(({ client, clock }) => `${client}/${clock}`)).size).toBe(6)
      })
    }

    if (join) {
      const compose = ({ client, clock }: RoomWriterState): Composed => ({
        update: new TextEncoder().encode(JSON.stringify([client, clock])),
        clocks: 1,
      })
      const written = (update: Uint8Array): [client: number, clock: number] =>
        JSON.parse(new TextDecoder().decode(update))

      it('[L30] counts the versions of a room for all servers together', async () => {
        const one = await open()
        const other = await joined(one, join)
        const rooms = ['a', 'b', 'c', 'd', 'e']
        const appends = 40
        const versions = await Promise.all(
          Array.from({ length: appends }, (_, n) => [
            // In opposite orders: servers that wait for each other's rooms must not wait in a circle.
            ...rooms.map((room) => one.append(room, bytes(1, n))),
            ...[...rooms].reverse().map((room) => other.append(room, bytes(2, n))),
          ]).flat(),
        )
        expect(versions).toHaveLength(2 * appends * rooms.length)
        for (const room of rooms) {
          const { rows, version } = await one.load(room)
          expect(version).toBe(2 * appends)
          expect(rows.map((row) => row.version)).toEqual(rows.map((_, index) => index + 1))
          for (const from of [1, 2]) {
            const places = rows.filter(({ update }) => update[0] === from).map(({ update }) => update[1])
            expect(places).toEqual(Array.from({ length: appends }, (_, n) => n))
          }
        }
      })

      it("[L21] [L30] gives all servers one client id for a room's own rows, and no clock twice", async () => {
        const one = await open()
        const other = await joined(one, join)
        const rows = await Promise.all(
          Array.from({ length: 30 }, () => [
            one.appendOwn('a', { compose }),
            other.appendOwn('a', { compose }),
          ]).flat(),
        )
        const stored = (await one.load('a')).rows
        expect(stored.map(({ update }) => written(update)[1])).toEqual(rows.map((_, index) => index))
        expect(new Set(stored.map(({ update }) => written(update)[0])).size).toBe(1)
        for (const row of rows) expect(stored[(row?.version ?? 0) - 1]).toEqual(row)
      })

      it('[L21] [L30] shows what one server composes the values as the other left them', async () => {
        const one = await open()
        const other = await joined(one, join)
        const add: OwnAppend = {
          reads: ['n'],
          // A sweep takes no clock.
          compose(_, values) {
            const n = values.get('n')?.[0] ?? 0
            return { update: bytes(n), clocks: 0, values: new Map([['n', bytes(n + 1)]]) }
          },
        }
        await Promise.all(
          Array.from({ length: 25 }, () => [one.appendOwn('a', add), other.appendOwn('a', add)]).flat(),
        )
        expect((await one.load('a')).rows.map(({ update }) => update[0])).toEqual(
          Array.from({ length: 50 }, (_, n) => n),
        )
      })

      it('[L9] [L30] begins anew in a room that another server deleted', async () => {
        const one = await open()
        const other = await joined(one, join)
        await one.appendOwn('a', {
          compose: (writer) => ({ ...compose(writer), values: new Map([['x', bytes(1)]]) }),
        })
        await one.appendOwn('a', { compose })
        await other.delete('a')
        expect((await one.values.read('room:a', ['x'])).size).toBe(0)
        const begun = await one.appendOwn('a', { compose })
        expect(begun && [begun.version, written(begun.update)[1]]).toEqual([1, 0])
      })

      it('[L6] [L30] reads all of a room while another server writes and compacts it', async () => {
        const one = await open()
        const other = await joined(one, join)
        let done = false
        const writer = (async () => {
          for (let n = 1; n <= 60; n++) {
            await other.append('alice', bytes(n))
            if (n % 5 === 0) await other.compact('alice', { through: n, snapshot: bytes(n) })
          }
          done = true
        })()
        do {
          const { version, snapshot, rows } = await one.load('alice')
          expect((snapshot?.version ?? 0) + rows.length).toBe(version)
        } while (!done)
        await writer
      })
    }

    if (damage) {
      it('[L12] reports a row whose bytes are no longer what was written, and serves the rest', async () => {
        let store = await open()
        for (let n = 1; n <= 5; n++) await store.append('alice', new Uint8Array(20).fill(n))
        store = await damage(store, 'alice', 3)
        stores.push(store)
        const { rows, damaged } = await store.load('alice')
        expect(rows.map((row) => row.version)).toEqual([1, 2, 4, 5])
        expect(damaged.map((row) => row.version)).toEqual([3])
        await store.quarantine('alice', damaged)
        expect((await store.load('alice')).damaged).toEqual([])
        expect((await store.size('alice'))?.quarantined.map((row) => row.version)).toEqual([3])
      })
    }
  })
}

async function names(store: LogStore): Promise<string[]> {
  const all: string[] = []
  for await (const name of store.rooms()) all.push(name)
  return all
}
