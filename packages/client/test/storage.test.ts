import 'fake-indexeddb/auto'
import { createRequire } from 'node:module'
import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { createClient, databaseName } from '../src/index.js'
import { createMemoryStorage } from '../src/storage/memoryStorage.js'
import { createFakePage } from './support/browser.js'
import {
  BOB,
  createUser,
  onCleanUp,
  read,
  sleep,
  statusOf,
  type,
  until,
  untilRead,
  untilStatus,
} from './support/harness.js'
import { addRow, notesOf, rowsOf, withStores } from './support/rows.js'

const quotaError = () => new DOMException('Full', 'QuotaExceededError')

/** Makes every transaction that writes fail as a full disk does: it is aborted when it is to be committed. */
function fillDisk(): () => void {
  const spy = vi.spyOn(IDBTransaction.prototype, 'commit').mockImplementation(function (
    this: IDBTransaction,
  ) {
    Object.defineProperty(this, 'error', { get: quotaError, configurable: true })
    this.abort()
  })
  return () => spy.mockRestore()
}

describe('storage', () => {
  it('[CL1] says disk when the edit is in a committed row, and not before', async () => {
    const { open, database } = createUser()
    const client = open()
    await client.ready
    expect(statusOf(client)).toMatchObject({ storage: { state: 'indexeddb' }, unsaved: { disk: false } })
    type(client, 'hello')
    expect(statusOf(client)).toMatchObject({ saved: 'memory', unsaved: { disk: true } })
    await untilStatus(client, { saved: 'disk', unsaved: { disk: false } })
    const doc = new Y.Doc()
    for (const row of await rowsOf(database)) Y.applyUpdate(doc, row)
    expect(Y.encodeStateVector(doc)).toEqual(Y.encodeStateVector(client.doc))
  })

  it('[CL1] loads what an earlier page stored, edits made before it was loaded included', async () => {
    const { open } = createUser()
    const first = open()
    type(first, 'hello')
    await first.close()
    const second = open()
    type(second, 'to Carol', 'carol')
    await second.ready
    expect(read(second)).toBe('hello')
    await second.close()
    const third = open()
    await third.ready
    expect([read(third), read(third, 'carol')]).toEqual(['hello', 'to Carol'])
  })

  it('[CL2] a full disk throws nothing into an edit, mutes no document, and shows', async () => {
    const { open, browser } = createUser()
    const client = open()
    await client.ready
    const emptyDisk = fillDisk()
    onCleanUp(async () => emptyDisk())
    type(client, 'hello')
    await untilStatus(client, {
      storage: { state: 'indexeddb', reason: { code: 'quota-exceeded' } },
      saved: 'memory',
    })
    type(client, 'hello again')
    expect(read(client)).toBe('hello again')
    emptyDisk()
    await untilStatus(client, { storage: { state: 'indexeddb' }, unsaved: { disk: false }, saved: 'disk' })
    expect(statusOf(client).storage.reason).toBeUndefined()
    await client.close()
    const next = open()
    await next.ready
    expect(read(next)).toBe('hello again')
    expect(browser.errors).toEqual([])
  })

  it('[CL2] a listener that throws mutes nothing', async () => {
    const { open, browser } = createUser()
    const client = open()
    await client.ready
    client.store.onChange(() => {
      throw new Error('from a listener')
    })
    client.status.subscribe(() => {
      throw new Error('from another')
    })
    type(client, 'one')
    type(client, 'one two')
    await untilStatus(client, { saved: 'disk' })
    expect(browser.errors.length).toBeGreaterThan(0)
    await client.close()
    const next = open()
    await next.ready
    expect(read(next)).toBe('one two')
  })

  it.each(['edited', 'only loaded'])(
    '[CL3] a database deleted under a client that has %s is opened again and gets everything',
    async (what) => {
      const { open, database } = createUser()
      const first = open()
      type(first, 'hello')
      await first.ready
      await first.flush()
      if (what === 'only loaded') await first.close()
      const client = what === 'edited' ? first : open()
      await client.ready
      await new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase(database)
        request.onsuccess = resolve
        request.onerror = reject
      })
      expect(statusOf(client)).toMatchObject({
        storage: { state: 'memory', reason: { code: 'connection-lost' } },
        saved: 'memory',
      })
      if (what === 'edited') type(client, 'hello')
      await untilStatus(client, { storage: { state: 'indexeddb' }, saved: 'disk' })
      await client.close()
      const next = open()
      await next.ready
      expect(read(next)).toBe('hello')
    },
  )

  it('[CL4] flush settles after everything before it is committed', async () => {
    const { open } = createUser()
    const client = open()
    await client.ready
    for (let index = 0; index < 25; index++) type(client, `text ${index}`, `channel ${index}`)
    expect(statusOf(client).unsaved.disk).toBe(true)
    await client.flush()
    expect(statusOf(client)).toMatchObject({ saved: 'disk', unsaved: { disk: false } })
  })

  it('[CL4] many edits at once share a transaction and a row', async () => {
    const { open, database } = createUser()
    const client = open()
    await client.ready
    for (let index = 0; index < 25; index++) type(client, `text ${index}`, `channel ${index}`)
    await client.flush()
    expect((await rowsOf(database)).length).toBeLessThanOrEqual(3)
  })

  it('[CL4] a page that is hidden or frozen is flushed, and so is its clock', async () => {
    const { open, browser } = createUser()
    const page = createFakePage()
    const flush = vi.fn(async () => {})
    const client = open({
      environment: browser.tab({ lifecycle: page.lifecycle }),
      persistence: (context) => ({
        ...createMemoryStorage({ code: 'chosen', message: context.name }),
        flush,
      }),
    })
    await client.ready
    type(client, 'hello')
    expect(browser.localStorage.values.size).toBe(0)
    page.emit('hidden')
    expect(flush).toHaveBeenCalledTimes(1)
    expect(browser.localStorage.values.size).toBe(1)
    page.emit('frozen')
    expect(flush).toHaveBeenCalledTimes(2)
  })

  it('[CL5] rows that cannot be read are put aside and reported, and the rest loads', async () => {
    const { open, database } = createUser()
    const first = open()
    type(first, 'hello')
    await first.close()
    // Bytes that are no update, an update whose item refers to itself, and no bytes at all.
    const selfReferring = new Uint8Array([1, 1, 1, 0, 0x84, 1, 0, 1, 65, 0, 0])
    await addRow(database, new Uint8Array([1, 2, 3, 4, 255]))
    await addRow(database, selfReferring)
    await addRow(database, 'nonsense')
    const second = open()
    await second.ready
    expect(read(second)).toBe('hello')
    await untilStatus(second, { storage: { state: 'indexeddb', quarantined: 3 } })
    expect((await notesOf(database)).filter((key) => String(key).startsWith('quarantine/'))).toHaveLength(3)
    type(second, 'hello again')
    await second.close()
    const third = open()
    await third.ready
    expect(statusOf(third).storage).toEqual({ state: 'indexeddb', quarantined: 0 })
    expect(read(third)).toBe('hello again')
  })

  it('[CL6] a row whose predecessor is missing is not applied in part, and is when that has come', async () => {
    const { open, database } = createUser()
    const source = new Y.Doc()
    const updates: Uint8Array[] = []
    const array = source.getArray('anything')
    for (const change of [() => array.push([1]), () => array.push([2]), () => array.delete(0, 1)]) {
      const before = Y.encodeStateVector(source)
      change()
      updates.push(Y.encodeStateAsUpdate(source, before))
    }
    const [one, two] = updates as [Uint8Array, Uint8Array]
    await addRow(database, two)
    const first = open()
    await first.ready
    expect(first.doc.getArray('anything').length).toBe(0)
    expect(first.doc.store.pendingStructs).toBeNull()
    await first.close()
    await addRow(database, one)
    const second = open()
    await second.ready
    expect(second.doc.getArray('anything').toArray()).toEqual([1, 2])
  })

  it('[CL14] what was done after a row that is lost is written again, and only once', async () => {
    const { open, database } = createUser()
    const first = open()
    await first.ready
    type(first, 'hello')
    await first.flush()
    type(first, 'to Carol', 'carol')
    first.store.conversation(BOB).setAttribute('color', 'green')
    await first.close()
    const keys = await withStores(database, (updates) => updates.getAllKeys())
    expect(keys.length).toBeGreaterThan(1)
    await withStores(database, (updates) => updates.put(new Uint8Array([1, 2, 3, 4, 255]), keys[0]))
    const carol = { ...BOB, channelId: 'carol' }
    for (const quarantined of [keys.length, 0]) {
      const client = open()
      await client.ready
      await until(() => {
        const { recovered } = client.store.conversation(carol).getSnapshot().drafts
        expect(recovered.map(({ text }) => text)).toEqual(['to Carol'])
      })
      expect(client.store.conversation(BOB).getSnapshot().attributes).toEqual({ color: 'green' })
      await untilStatus(client, { saved: 'disk', storage: { quarantined } })
      await sleep(2_200)
      expect(client.store.conversation(carol).getSnapshot().drafts.recovered).toHaveLength(1)
      await client.close()
    }
  })

  it('[CL7] a page load adds no row', async () => {
    const { open, database } = createUser()
    const first = open()
    type(first, 'hello')
    await first.close()
    const before = (await rowsOf(database)).length
    for (let loads = 0; loads < 3; loads++) {
      const client = open()
      await client.ready
      await client.close()
    }
    expect((await rowsOf(database)).length).toBe(before)
  })

  it('[CL7] many rows become one when nothing happens, without what was cleared, and lose nothing', async () => {
    const { open, database } = createUser()
    const secret = 'the quick brown secret'
    const other = new Y.Doc()
    other.getText('notes').insert(0, secret)
    await addRow(database, Y.encodeStateAsUpdate(other))
    other.getText('notes').delete(0, secret.length)
    await addRow(database, Y.encodeStateAsUpdate(other))
    for (let index = 0; index < 100; index++) {
      const before = Y.encodeStateVector(other)
      other.getArray('anything').push([index])
      await addRow(database, Y.encodeStateAsUpdate(other, before))
    }
    expect(new TextDecoder().decode((await rowsOf(database))[0])).toContain(secret)
    const client = open()
    type(client, 'hello')
    await until(async () => expect(await rowsOf(database)).toHaveLength(1))
    expect(new TextDecoder().decode((await rowsOf(database))[0])).not.toContain(secret)
    await client.close()
    const next = open()
    await next.ready
    expect(read(next)).toBe('hello')
    expect(next.doc.getArray('anything').length).toBe(100)
  })

  it('[CL7] compaction takes in rows it had not heard of', async () => {
    const { open, database } = createUser()
    const other = new Y.Doc()
    for (let index = 0; index < 100; index++) {
      const before = Y.encodeStateVector(other)
      other.getArray('anything').push([index])
      await addRow(database, Y.encodeStateAsUpdate(other, before))
    }
    const client = open()
    await client.ready
    // Written by somebody who told nobody, after this client has loaded.
    const silent = new Y.Doc()
    silent.getArray('silent').push(['here'])
    await addRow(database, Y.encodeStateAsUpdate(silent))
    await until(async () => expect(await rowsOf(database)).toHaveLength(1))
    expect(client.doc.getArray('silent').toArray()).toEqual(['here'])
  })

  it('[CL8] destroy settles when the database is gone, and the other tabs go on in memory', async () => {
    const { open, database, browser } = createUser()
    const a = open()
    const b = open()
    await Promise.all([a.ready, b.ready])
    type(a, 'hello')
    await untilRead(b, 'hello')
    await a.destroy()
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(database)
    expect([...browser.localStorage.values.keys()]).toEqual([])
    await untilStatus(b, { storage: { state: 'memory', reason: { code: 'destroyed-elsewhere' } } })
    type(b, 'still here')
    expect(read(b)).toBe('still here')
    await sleep(1_500)
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(database)
    await a.destroy()
  })

  it('[CL9] users and profiles share nothing, whatever they are called', async () => {
    const names = [
      { userId: 'a/b' },
      { userId: 'a', profile: 'b' },
      { userId: 'a' },
      { userId: 'a%2Fb' },
      { userId: 'a', epoch: 1 },
    ].map(databaseName)
    expect(new Set(names).size).toBe(names.length)
    const { open, browser, userId } = createUser()
    const left = open({ profile: 'left' })
    const right = createClient({ userId, profile: 'right', environment: browser.tab() })
    onCleanUp(() => right.close())
    type(left, 'hello')
    await left.flush()
    await right.ready
    await sleep(50)
    expect(read(right)).toBeUndefined()
  })

  it('[CL10] works without IndexedDB, and says so', async () => {
    const { open, browser } = createUser()
    const client = open({ environment: browser.tab({ indexedDB: undefined }) })
    await client.ready
    type(client, 'hello')
    await client.flush()
    expect(statusOf(client)).toMatchObject({
      ready: true,
      saved: 'memory',
      storage: { state: 'memory', reason: { code: 'unavailable' } },
      connection: { state: 'local-only', reason: { code: 'no-url' } },
      unsaved: { disk: true, server: true },
    })
  })

  it('[CL10] a database that does not open leaves the client in memory, ready all the same', async () => {
    const { open, browser } = createUser()
    const refused = vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('Not here', 'SecurityError')
    })
    onCleanUp(async () => refused.mockRestore())
    const client = open()
    await client.ready
    expect(statusOf(client).storage).toMatchObject({ state: 'memory', reason: { code: 'refused' } })
    type(client, 'hello')
    refused.mockRestore()
    void client.flush()
    // It opens later, and what waited is stored.
    await untilStatus(client, { storage: { state: 'indexeddb' }, saved: 'disk' })
    expect(browser.errors).toHaveLength(1)
  })

  it('[CL10] runs where there is nothing of a browser', async () => {
    const client = createClient({ userId: 'alice', persistence: 'memory' })
    await client.ready
    type(client, 'hello')
    expect(read(client)).toBe('hello')
    expect(statusOf(client)).toMatchObject({ storage: { reason: { code: 'chosen' } }, tab: 'alone' })
    await client.close()
    await client.close()
  })

  it('[CL11] the clock does not fall back when the last edits and the wall clock do', async () => {
    const { open, browser } = createUser()
    let now = 2_000_000_000_000
    const environment = () => browser.tab({ now: () => now, indexedDB: undefined })
    const first = open({ environment: environment() })
    type(first, 'hello')
    const mark = first.store.highWater
    await first.close()
    now = 1_000_000_000_000
    const second = open({ environment: environment() })
    expect(second.store.highWater).toEqual(mark)
    type(second, 'later')
    expect(second.store.highWater.ms).toBeGreaterThanOrEqual(mark.ms)
  })

  it('[CL12] refuses what it cannot work with, and names the field', () => {
    const bad = (options: object, field: string) =>
      expect(() => createClient({ userId: 'alice', ...options })).toThrowError(
        expect.objectContaining({ name: 'ParleyError', code: 'invalid-argument', field }),
      )
    bad({ url: 'http://localhost' }, 'url')
    bad({ url: 'nonsense' }, 'url')
    bad({ url: 'ws://localhost/sync?token=1' }, 'url')
    bad({ userId: '' }, 'userId')
    bad({ userId: '..' }, 'userId')
  })

  it('[CL12] refuses a document of another copy of yjs', () => {
    // The CommonJS build of the same version, which warns that it is the second.
    const silence = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { Doc } = createRequire(import.meta.url)('yjs') as typeof Y
    silence.mockRestore()
    expect(() => createClient({ userId: 'alice', doc: new Doc() })).toThrowError(
      expect.objectContaining({ code: 'duplicate-yjs' }),
    )
  })
})
