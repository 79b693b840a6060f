import 'fake-indexeddb/auto'
import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { GetToken } from '../src/index.js'
import { createFakePage } from './support/browser.js'
import {
  createUser,
  onCleanUp,
  sleep,
  startServer,
  statusOf,
  type,
  until,
  untilRead,
  untilStatus,
} from './support/harness.js'

const ONLINE = { connection: { state: 'online' } }

describe('sync', () => {
  it('[CL20] two devices merge what they did offline', async () => {
    const server = await startServer()
    const { open, userId } = createUser()
    const phone = createUser(userId)
    const a = open({ profile: 'laptop', url: server.url })
    const b = phone.open({ profile: 'phone', url: server.url })
    a.disconnect()
    b.disconnect()
    await Promise.all([a.ready, b.ready])
    type(a, 'from the laptop', 'ann')
    type(b, 'from the phone', 'bob')
    expect(statusOf(a)).toMatchObject({ connection: { state: 'offline', reason: { code: 'disconnected' } } })
    a.connect()
    b.connect()
    await untilRead(a, 'from the phone', 'bob')
    await untilRead(b, 'from the laptop', 'ann')
    await untilStatus(a, { saved: 'server', ...ONLINE })
    expect(a.store.export()).toEqual(b.store.export())
  })

  it('[CL21] says server only after the server has said that it is durable', async () => {
    const server = await startServer()
    const { open } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    server.hold()
    type(client, 'hello')
    await until(() => expect(server.updates.length).toBeGreaterThan(1))
    await client.flush()
    await sleep(100)
    expect(statusOf(client)).toMatchObject({ saved: 'disk', unsaved: { disk: false, server: true } })
    // An edit after the question is not covered by its answer.
    type(client, 'hello again')
    server.release()
    await untilStatus(client, { saved: 'server' })
    const asked = server.log.filter((line) => line.startsWith('ask'))
    expect(asked.length).toBeLessThanOrEqual(4)
  })

  it('[CL21] asks only after what it asks for was sent', async () => {
    const server = await startServer()
    const { open } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    for (let index = 0; index < 5; index++) {
      server.log.length = 0
      type(client, `text ${index}`)
      await untilStatus(client, { saved: 'server' })
      expect(server.log[0]).toBe('sync 2')
      expect(server.log.at(-1)).toMatch(/^ask/)
    }
  })

  it('[CL21] asks one question at a time, however many edits there are', async () => {
    const server = await startServer()
    const { open } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    server.hold()
    const before = server.log.filter((line) => line.startsWith('ask')).length
    for (let index = 0; index < 50; index++) {
      type(client, `text ${index}`, `channel ${index}`)
      await sleep(1)
    }
    await until(() => expect(server.updates.length).toBeGreaterThan(50))
    expect(server.log.filter((line) => line.startsWith('ask')).length - before).toBe(1)
    server.release()
    await untilStatus(client, { saved: 'server' })
    expect(server.log.filter((line) => line.startsWith('ask')).length - before).toBe(2)
  })

  it('[CL21] what was not confirmed when the connection broke is not until it is confirmed on the next', async () => {
    const server = await startServer()
    const { open } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    server.hold()
    type(client, 'hello')
    await until(() => expect(server.updates.length).toBeGreaterThan(1))
    server.closeAll(1012)
    await untilStatus(client, { connection: { reason: { code: 'server-restart' } } })
    expect(statusOf(client).unsaved.server).toBe(true)
    server.release()
    await untilStatus(client, { ...ONLINE, saved: 'server' })
  })

  it('[CL22] a stock server answers a SyncStep1 instead', async () => {
    const server = await startServer({ stock: true })
    const { open, room } = createUser()
    const client = open({ url: server.url })
    type(client, 'hello')
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    expect(server.log.some((line) => line.startsWith('ask'))).toBe(false)
    expect(server.room(room).store.clients.size).toBe(1)
    server.hold()
    type(client, 'hello again')
    await until(() => expect(server.updates.length).toBeGreaterThan(1))
    await sleep(500)
    expect(statusOf(client).unsaved.server).toBe(true)
    server.release()
    await untilStatus(client, { saved: 'server' })
  })

  it('[CL22] the answer to an earlier SyncStep1 is none', async () => {
    const server = await startServer({ stock: true })
    const page = createFakePage()
    const { open, browser } = createUser()
    const client = open({ url: server.url, environment: browser.tab({ lifecycle: page.lifecycle }) })
    await untilStatus(client, ONLINE)
    type(client, 'first')
    await untilStatus(client, { saved: 'server' })
    server.hold()
    // Asks for a sign of life, before the edit.
    page.emit('visible')
    await until(() => expect(server.heldCount).toBe(1))
    type(client, 'hello')
    await until(() => expect(server.heldCount).toBe(2))
    server.releaseOne()
    await sleep(100)
    expect(statusOf(client).unsaved.server).toBe(true)
    server.releaseOne()
    await untilStatus(client, { saved: 'server' })
  })

  it('[CL23] after a reload without a network the status still knows what the server has', async () => {
    const server = await startServer()
    const { open } = createUser()
    const first = open({ url: server.url })
    type(first, 'hello')
    await untilStatus(first, { ...ONLINE, saved: 'server' })
    // The note is written when nothing happens.
    await sleep(2_500)
    await first.close()
    await server.stop()
    const second = open({ url: server.url })
    await second.ready
    expect(statusOf(second)).toMatchObject({ saved: 'server', unsaved: { server: false } })
    type(second, '')
    await second.flush()
    await second.close()
    const third = open({ url: server.url })
    await third.ready
    expect(statusOf(third)).toMatchObject({ saved: 'disk', unsaved: { server: true } })
  })

  it('[CL24] an update with a gap is held whole, and the server asked for the rest', async () => {
    const server = await startServer()
    const { open, room } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, ONLINE)
    const doc = server.room(room)
    const list = doc.getArray('anything')
    list.push(['one'])
    const before = Y.encodeStateVector(doc)
    doc.transact(() => {
      list.push(['two'])
      list.delete(0, 1)
    })
    const steps = server.log.filter((line) => line === 'sync 0').length
    server.broadcast(2, Y.encodeStateAsUpdate(doc, before))
    await untilStatus(client, { connection: { state: 'syncing', reason: { code: 'gap' } } })
    expect(client.doc.store.pendingStructs).toBeNull()
    await untilStatus(client, ONLINE)
    expect(client.doc.getArray('anything').toArray()).toEqual(['two'])
    expect(server.log.filter((line) => line === 'sync 0').length).toBe(steps + 1)
  })

  it('[CL24] what no honest server sends changes nothing and ends nothing', async () => {
    const server = await startServer()
    const { open, browser } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, ONLINE)
    const state = Y.encodeStateAsUpdate(client.doc)
    server.broadcast(2, new Uint8Array([1, 2, 3, 4, 255]))
    for (const socket of server.sockets.clients) socket.send(new Uint8Array([0, 2, 200]))
    await untilStatus(client, { connection: { state: 'syncing', reason: { code: 'invalid-update' } } })
    expect(Y.encodeStateAsUpdate(client.doc)).toEqual(state)
    await untilStatus(client, ONLINE)
    type(client, 'hello')
    await untilStatus(client, { saved: 'server' })
    expect(browser.errors.length).toBeGreaterThan(0)
  })

  it('[CL25] sends no edit before what it builds on', async () => {
    const server = await startServer({ isShy: true })
    const { open } = createUser()
    const client = open({ url: server.url })
    client.disconnect()
    await client.ready
    type(client, 'one')
    client.connect()
    await untilStatus(client, { connection: { state: 'syncing' } })
    for (let index = 0; index < 5; index++) {
      type(client, `one ${index}`)
      await sleep(5)
    }
    expect(server.updates).toEqual([])
    server.greet()
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    expect(server.log.filter((line) => line === 'sync 2')).toEqual([])
    type(client, 'two')
    await untilStatus(client, { saved: 'server' })
    expect(server.log.filter((line) => line === 'sync 2')).toHaveLength(1)
    const received = new Y.Doc()
    for (const update of server.updates) {
      Y.applyUpdate(received, update)
      expect(received.store.pendingStructs).toBeNull()
    }
  })

  it('[CL25] sends nothing back to the server that came from it', async () => {
    const server = await startServer()
    const { open, userId } = createUser()
    const a = open({ url: server.url })
    const b = createUser(userId).open({ url: server.url, profile: 'phone' })
    await untilStatus(a, { ...ONLINE, saved: 'server' })
    await untilStatus(b, { ...ONLINE, saved: 'server' })
    type(b, 'hello')
    await untilRead(a, 'hello')
    type(a, 'hello again')
    await untilRead(b, 'hello again')
    expect(server.log.filter((line) => line === 'sync 2')).toHaveLength(2)
  })

  it('[CL26] a refused token is refreshed once, and then a user has to sign in', async () => {
    let valid = 'second'
    const server = await startServer({
      admit: (protocols) => (protocols.includes(`parley.token.${valid}`) ? null : 4401),
    })
    const asked: boolean[] = []
    const getToken: GetToken = async ({ refresh }) => {
      asked.push(refresh)
      return refresh ? 'second' : 'first'
    }
    const { open } = createUser()
    const client = open({ url: server.url, getToken })
    await untilStatus(client, ONLINE)
    expect(asked).toEqual([false, true])
    expect(server.log[0]).toContain('parley.1 parley.token.first')
    valid = 'third'
    server.closeAll(4401)
    await untilStatus(client, { connection: { state: 'needs-auth', reason: { code: 'token-refused' } } })
    expect(asked).toEqual([false, true, true])
    valid = 'first'
    client.connect()
    await untilStatus(client, ONLINE)
  })

  it('[CL26] without a token nobody is signed in; an app that cannot get one is tried again', async () => {
    const server = await startServer({ admit: () => 4401 })
    const { open, browser } = createUser()
    const nobody = open({ url: server.url, getToken: () => null })
    await untilStatus(nobody, { connection: { state: 'needs-auth', reason: { code: 'token-missing' } } })
    expect(server.log).toEqual([])
    const failing = vi.fn(async () => {
      throw new Error('no')
    })
    const other = createUser()
    const client = other.open({ url: server.url, getToken: failing })
    await untilStatus(client, { connection: { state: 'offline', reason: { code: 'token-unavailable' } } })
    await until(() => expect(failing.mock.calls.length).toBeGreaterThan(1))
    const third = createUser()
    await untilStatus(third.open({ url: server.url }), {
      connection: { state: 'needs-auth', reason: { code: 'token-refused' } },
    })
    expect(browser.errors).toEqual([])
  })

  it.each([
    [4403, 'forbidden'],
    [4400, 'malformed'],
    [4404, 'not-found'],
    [4413, 'too-large'],
    [4499, 'refused'],
  ])('[CL27] after %i it stops: %s', async (code, reason) => {
    const server = await startServer({ admit: () => code })
    const { open } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, { connection: { state: 'denied', reason: { code: reason } } })
    type(client, 'hello')
    await client.flush()
    await sleep(600)
    expect(server.log).toHaveLength(1)
    expect(statusOf(client)).toMatchObject({ saved: 'disk', unsaved: { server: true } })
  })

  it('[CL28] connects by itself when the server is back', async () => {
    const { open } = createUser()
    const stopped = await startServer()
    await stopped.stop()
    const client = open({ url: stopped.url })
    await untilStatus(client, { connection: { state: 'offline', reason: { code: 'unreachable' } } })
    await startServer({ port: stopped.port })
    await untilStatus(client, ONLINE)
  })

  it.each([4503, 4529])('[CL28] gives the server a pause after %i', async (code) => {
    const server = await startServer()
    const { open } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, ONLINE)
    server.closeAll(code)
    await untilStatus(client, { connection: { state: 'offline', reason: { code: 'server-busy' } } })
    await sleep(1_500)
    expect(server.log.filter((line) => line.startsWith('open'))).toHaveLength(1)
    expect(statusOf(client).connection.state).toBe('offline')
  })

  it.each(['online', 'visible'] as const)(
    '[CL28] connects at once when the page is told: %s',
    async (event) => {
      const { open, browser } = createUser()
      const page = createFakePage()
      page.isOnline = false
      const stopped = await startServer()
      await stopped.stop()
      const { schedule } = browser.tab()
      const client = open({
        url: stopped.url,
        persistence: 'memory',
        environment: browser.tab({
          lifecycle: page.lifecycle,
          locks: undefined,
          // Pauses that never end.
          schedule: (task, ms) => (ms >= 150 ? () => {} : schedule(task, ms)),
        }),
      })
      await untilStatus(client, { connection: { state: 'offline', reason: { code: 'no-network' } } })
      await startServer({ port: stopped.port })
      page.isOnline = true
      // The first is without the subprotocol, for the connection did not open with it; that does as well here.
      page.emit(event)
      await untilStatus(client, ONLINE)
    },
  )

  it('[CL29] gives up a socket that does not open', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onCleanUp(async () => void vi.useRealTimers())
    const closed = vi.fn()
    class Opening {
      readyState = 0
      close = closed
    }
    const { open, browser } = createUser()
    const client = open({
      url: 'ws://127.0.0.1:9/sync',
      persistence: 'memory',
      environment: browser.tab({
        WebSocket: Opening as unknown as typeof globalThis.WebSocket,
        locks: undefined,
      }),
    })
    await vi.advanceTimersByTimeAsync(9_000)
    expect(statusOf(client).connection.state).toBe('connecting')
    await vi.advanceTimersByTimeAsync(1_100)
    expect(statusOf(client).connection).toMatchObject({ state: 'offline', reason: { code: 'timeout' } })
    expect(closed).toHaveBeenCalled()
  })

  it.each(['visible', 'offline'] as const)(
    '[CL30] a socket that died unnoticed is found out when the page is told: %s',
    async (event) => {
      const server = await startServer()
      const { open, browser } = createUser()
      const page = createFakePage()
      const { schedule } = browser.tab()
      const client = open({
        url: server.url,
        // Ten times as fast.
        environment: browser.tab({
          lifecycle: page.lifecycle,
          schedule: (task, ms) => schedule(task, ms / 10),
        }),
      })
      await untilStatus(client, { ...ONLINE, saved: 'server' })
      page.emit(event)
      await sleep(700)
      expect(statusOf(client)).toMatchObject(ONLINE)
      server.hold()
      // Seen as it happens: the next attempt follows at once.
      const reasons = new Set<string | undefined>()
      client.status.subscribe(() => reasons.add(statusOf(client).connection.reason?.code))
      page.emit(event)
      await until(() => expect(reasons).toContain('timeout'))
      server.release()
      await untilStatus(client, ONLINE)
    },
  )

  it('[CL31] leaves no timer and no socket behind', async () => {
    const server = await startServer()
    const setInterval = vi.spyOn(globalThis, 'setInterval')
    const clearInterval = vi.spyOn(globalThis, 'clearInterval')
    const { open } = createUser()
    const client = open({ url: server.url })
    await untilStatus(client, ONLINE)
    await client.close()
    const started = setInterval.mock.results.map(({ value }) => value as unknown)
    const stopped = new Set(clearInterval.mock.calls.map(([handle]) => handle as unknown))
    expect(started.length).toBeGreaterThanOrEqual(2)
    // `vi.waitFor` has intervals of its own, which it clears.
    expect(started.filter((handle) => !stopped.has(handle))).toEqual([])
    await until(() => expect(server.sockets.clients.size).toBe(0))
    vi.restoreAllMocks()
  })

  it('[CL32] says nothing that keeps a parley server awake, and keeps a stock one talking', async () => {
    for (const stock of [false, true]) {
      const server = await startServer({ stock })
      const { open } = createUser()
      const client = open({ url: server.url })
      await untilStatus(client, { ...ONLINE, saved: 'server' })
      expect(server.log.some((line) => line === 'message 1')).toBe(stock)
      await client.close()
    }
  })
})
