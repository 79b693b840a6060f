import 'fake-indexeddb/auto'
import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { Client } from '../src/index.js'
import { createTabChannel } from '../src/tabs/tabChannel.js'
import {
  createUser,
  onCleanUp,
  read,
  sleep,
  startServer,
  statusOf,
  type,
  until,
  untilRead,
  untilStatus,
} from './support/harness.js'
import { rowsOf } from './support/rows.js'

const ONLINE = { connection: { state: 'online' } }

const leaders = (clients: Client[]) => clients.filter((client) => statusOf(client).tab === 'leader')

describe('tabs', () => {
  it('[CL40] agree at once, and a new one learns what is not on disk', async () => {
    const { open } = createUser()
    const a = open({ persistence: 'memory' })
    const b = open({ persistence: 'memory' })
    await Promise.all([a.ready, b.ready])
    type(a, 'hello')
    type(b, 'to Carol', 'carol')
    await untilRead(b, 'hello')
    await untilRead(a, 'to Carol', 'carol')
    const c = open({ persistence: 'memory' })
    await untilRead(c, 'hello')
    expect(a.store.export()).toEqual(b.store.export())
  })

  it('[CL41] each stores its own edits and only those; the leader what comes from the server', async () => {
    const server = await startServer()
    const { open, database, userId } = createUser()
    const tabs = [open({ url: server.url }), open({ url: server.url }), open({ url: server.url })]
    await Promise.all(tabs.map((tab) => tab.ready))
    for (const tab of tabs) await untilStatus(tab, ONLINE)
    const before = (await rowsOf(database)).length
    for (const [index, tab] of tabs.entries()) {
      for (let edit = 0; edit < 10; edit++) {
        type(tab, `text ${edit}`, `channel ${index}`)
        await tab.flush()
      }
    }
    for (const tab of tabs) await untilRead(tab, 'text 9', 'channel 2')
    // 30 edits; y-indexeddb made more than 90 rows of them.
    const rows = (await rowsOf(database)).length - before
    expect(rows).toBeLessThanOrEqual(30)
    const other = createUser(userId).open({ url: server.url, profile: 'phone' })
    type(other, 'from the phone', 'dave')
    for (const tab of tabs) await untilRead(tab, 'from the phone', 'dave')
    await until(async () => {
      const doc = new Y.Doc()
      for (const row of await rowsOf(database)) Y.applyUpdate(doc, row)
      expect(Y.encodeStateVector(doc)).toEqual(Y.encodeStateVector(tabs[0]?.doc as Y.Doc))
    })
  })

  it('[CL42] one holds the socket for all; edits of the others reach the server, and they know when', async () => {
    const server = await startServer()
    const { open } = createUser()
    const a = open({ url: server.url })
    await untilStatus(a, ONLINE)
    const b = open({ url: server.url })
    await untilStatus(b, { ...ONLINE, tab: 'follower', saved: 'server' })
    expect(server.log.filter((line) => line.startsWith('open'))).toHaveLength(1)
    server.hold()
    type(b, 'hello')
    await until(() => expect(server.updates.length).toBeGreaterThan(1))
    await b.flush()
    await sleep(100)
    expect(statusOf(b)).toMatchObject({ saved: 'disk', unsaved: { server: true } })
    server.release()
    await untilStatus(b, { saved: 'server' })
    server.closeAll(4403)
    await untilStatus(b, { connection: { state: 'denied', reason: { code: 'forbidden' } } })
  })

  it('[CL43] when the leader is closed another one takes over, with the edits it had not confirmed', async () => {
    const server = await startServer()
    const { open } = createUser()
    const a = open({ url: server.url })
    await untilStatus(a, ONLINE)
    const b = open({ url: server.url })
    await untilStatus(b, ONLINE)
    server.hold()
    type(b, 'hello')
    await untilRead(a, 'hello')
    await a.close()
    server.release()
    await untilStatus(b, { ...ONLINE, tab: 'leader', saved: 'server' })
    expect(server.log.filter((line) => line.startsWith('open'))).toHaveLength(2)
  })

  it('[CL43] edits of tabs that follow a new leader are confirmed by it', async () => {
    const server = await startServer()
    const { open } = createUser()
    const a = open({ url: server.url })
    await untilStatus(a, ONLINE)
    const b = open({ url: server.url })
    await untilStatus(b, ONLINE)
    const c = open({ url: server.url })
    await untilStatus(c, { ...ONLINE, saved: 'server' })
    server.hold()
    type(c, 'hello')
    await untilRead(a, 'hello')
    await untilRead(b, 'hello')
    await a.close()
    server.release()
    await untilStatus(b, { ...ONLINE, tab: 'leader' })
    await untilStatus(c, { ...ONLINE, tab: 'follower', saved: 'server' })
  })

  it('[CL44] a leader that falls silent loses the lead soon, and follows when it wakes up', async () => {
    const server = await startServer()
    const { open, browser } = createUser()
    let frozen = false
    /** A tab whose messages and timers wait while it is frozen, as Chromium's do. */
    const later: Array<() => void> = []
    const inTab = (task: () => void) => (frozen ? later.push(task) : task())
    const environment = browser.tab()
    const Channel = environment.BroadcastChannel as unknown as new (name: string) => BroadcastChannel
    const a = open({
      url: server.url,
      environment: {
        ...environment,
        schedule: (task, delay) => environment.schedule(() => inTab(task), delay),
        BroadcastChannel: class {
          constructor(name: string) {
            const channel = new Channel(name)
            const add = channel.addEventListener.bind(channel) as EventTarget['addEventListener']
            channel.addEventListener = (type: string, listener: unknown) =>
              add(type, (event) => inTab(() => (listener as (event: Event) => void)(event)))
            // biome-ignore lint/correctness/noConstructorReturn: it only changes the listener
            return channel
          }
        } as unknown as new (
          name: string,
        ) => BroadcastChannel,
      },
    })
    await untilStatus(a, { ...ONLINE, tab: 'leader' })
    const b = open({ url: server.url })
    await untilStatus(b, { ...ONLINE, tab: 'follower' })
    await sleep(1_500)
    expect(statusOf(b).tab).toBe('follower')
    frozen = true
    const since = Date.now()
    await untilStatus(b, { tab: 'leader' })
    // Two seconds by design; the rest is for machines that are busy with other tests.
    expect(Date.now() - since).toBeLessThan(5_000)
    type(b, 'hello')
    await untilStatus(b, { ...ONLINE, saved: 'server' })
    frozen = false
    for (const task of later.splice(0)) task()
    await untilStatus(a, { ...ONLINE, tab: 'follower' })
    await untilRead(a, 'hello')
    type(a, 'hello again')
    await untilStatus(a, { saved: 'server' })
    expect(leaders([a, b])).toEqual([b])
    await until(() => expect(server.sockets.clients.size).toBe(1))
  })

  it('[CL45] an update of another tab with a gap is held whole, and its whole state asked for', async () => {
    const { open, browser, database } = createUser()
    const a = open({ persistence: 'memory' })
    await a.ready
    const forger = createTabChannel(database, 'forger', browser.tab())
    onCleanUp(async () => forger.close())
    const doc = new Y.Doc()
    const list = doc.getArray('anything')
    list.push(['one'])
    const before = Y.encodeStateVector(doc)
    doc.transact(() => {
      list.push(['two'])
      list.delete(0, 1)
    })
    const asked = vi.fn()
    forger.subscribe((message) => {
      if (message.type !== 'hello') return
      asked()
      forger.post({
        type: 'state',
        to: message.from,
        update: Y.encodeStateAsUpdate(doc, message.vector),
        vector: Y.encodeStateVector(doc),
        edit: 2,
        answer: true,
      })
    })
    forger.post({ type: 'update', update: Y.encodeStateAsUpdate(doc, before), edit: 2 })
    await until(() => expect(asked).toHaveBeenCalled())
    await until(() => expect(a.doc.getArray('anything').toArray()).toEqual(['two']))
    expect(a.doc.store.pendingStructs).toBeNull()
    forger.post({ type: 'update', update: new Uint8Array([1, 2, 3, 4, 255]) })
    await until(() => expect(browser.errors).toHaveLength(1))
    type(a, 'hello')
    expect(read(a)).toBe('hello')
  })

  it('[CL46] without locks every tab connects for itself, and they still agree at once', async () => {
    const server = await startServer()
    const { open, browser } = createUser()
    const environment = () => browser.tab({ locks: undefined })
    const a = open({ url: server.url, environment: environment() })
    const b = open({ url: server.url, environment: environment() })
    await untilStatus(a, { ...ONLINE, tab: 'alone' })
    await untilStatus(b, { ...ONLINE, tab: 'alone' })
    server.hold()
    type(a, 'hello')
    await untilRead(b, 'hello')
    server.release()
    await untilStatus(a, { saved: 'server' })
    expect(server.log.filter((line) => line.startsWith('open'))).toHaveLength(2)
  })

  it('[CL47] an offline tab reaches the server through the one that is online, and its later edits too', async () => {
    const server = await startServer()
    const { open, browser, room } = createUser()
    const online = open({ url: server.url, environment: browser.tab({ locks: undefined }) })
    const offline = open({ environment: browser.tab({ locks: undefined }) })
    await untilStatus(online, ONLINE)
    await offline.ready
    type(offline, 'one')
    type(offline, 'one two')
    await until(() => expect(server.room(room).store.clients.size).toBeGreaterThan(0))
    await until(() =>
      expect(Y.encodeStateVector(server.room(room))).toEqual(Y.encodeStateVector(offline.doc)),
    )
    type(offline, 'one two three')
    await until(() =>
      expect(Y.encodeStateVector(server.room(room))).toEqual(Y.encodeStateVector(offline.doc)),
    )
    expect(server.room(room).store.pendingStructs).toBeNull()
  })

  it('[CL48] the device is taken off the network and put back in all of its tabs', async () => {
    const server = await startServer()
    const { open } = createUser()
    const a = open({ url: server.url })
    await untilStatus(a, ONLINE)
    const b = open({ url: server.url })
    await untilStatus(b, ONLINE)
    b.disconnect()
    const off = { connection: { state: 'offline', reason: { code: 'disconnected' } } }
    await untilStatus(a, off)
    await untilStatus(b, off)
    type(b, 'hello')
    await untilRead(a, 'hello')
    await b.flush()
    expect(statusOf(b).saved).toBe('disk')
    b.connect()
    await untilStatus(b, { ...ONLINE, saved: 'server' })
  })

  it('[CL48] a tab that is opened while the device is off the network stays off it, even when it leads', async () => {
    const server = await startServer()
    const { open } = createUser()
    const a = open({ url: server.url })
    await untilStatus(a, ONLINE)
    a.disconnect()
    const b = open({ url: server.url })
    const off = { connection: { state: 'offline', reason: { code: 'disconnected' } } }
    await untilStatus(b, off)
    await a.close()
    await untilStatus(b, { ...off, tab: 'leader' })
    b.connect()
    await untilStatus(b, ONLINE)
  })

  it('[CL43] what the last leader passed on and did not store is stored by the next', async () => {
    const server = await startServer()
    const { open, database, userId } = createUser()
    const forgetful = open({ url: server.url, persistence: 'memory' })
    await untilStatus(forgetful, { ...ONLINE, tab: 'leader' })
    const b = open({ url: server.url })
    await untilStatus(b, { ...ONLINE, tab: 'follower' })
    const phone = createUser(userId).open({ url: server.url, profile: 'phone' })
    type(phone, 'from the phone')
    await untilRead(b, 'from the phone')
    expect(await rowsOf(database)).toEqual([])
    await forgetful.close()
    await until(async () => {
      const doc = new Y.Doc()
      for (const row of await rowsOf(database)) Y.applyUpdate(doc, row)
      expect(Y.encodeStateVector(doc)).toEqual(Y.encodeStateVector(b.doc))
    })
  })

  it("[CL47] nothing goes through y-websocket's own channel, where it would never reach the server", async () => {
    const server = await startServer()
    const { open, browser } = createUser()
    const alone = () => browser.tab({ locks: undefined, BroadcastChannel: undefined })
    const online = open({ url: server.url, environment: alone(), persistence: 'memory' })
    const { WebSocket } = browser.tab()
    // A tab of the same room whose socket opens and loses everything.
    class Mute extends (WebSocket as unknown as new (url: string, protocols: string[]) => object) {
      send() {}
    }
    const offline = open({
      url: server.url,
      environment: { ...alone(), WebSocket: Mute as unknown as typeof globalThis.WebSocket },
      persistence: 'memory',
    })
    offline.disconnect()
    await untilStatus(online, ONLINE)
    type(offline, 'hello')
    offline.connect()
    await untilStatus(offline, { connection: { state: 'syncing' } })
    await sleep(300)
    expect(read(online)).toBeUndefined()
    expect(statusOf(offline).unsaved.server).toBe(true)
  })
})
