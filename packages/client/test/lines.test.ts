import 'fake-indexeddb/auto'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defaultEnvironment } from '@parley/core'
import { AccessError, createMemoryLog, createServer, type ServerOptions } from '@parley/server'
import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { Client, ConnectionReasonCode } from '../src/index.js'
import { createFakePage } from './support/browser.js'
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
import { type LineOptions, startLine } from './support/lineProxy.js'

vi.setConfig({ testTimeout: 120_000 })

const ONLINE = { connection: { state: 'online' } }

/** A Parley server with all its time-outs, and a bad line to it. */
async function startParley(line: LineOptions, options: Partial<ServerOptions> = {}) {
  const server = await createServer({
    // Without authentication it would answer under its own port only, and not behind a line.
    auth: ({ uid }) => ({ uid: uid ?? '' }),
    port: 0,
    store: createMemoryLog(),
    ...options,
    timing: { drainMs: 0, ...options.timing },
  })
  const { port } = await server.listen()
  onCleanUp(() => server.close())
  const proxy = await startLine(port, line)
  onCleanUp(() => proxy.stop())
  return { url: `ws://127.0.0.1:${port}/sync`, line: proxy, server }
}

/** Fills a device with conversations whose messages do not compress well. */
function fill(client: Client, count: number): void {
  const text = (seed: number) =>
    Array.from({ length: 12 }, (_, word) => `w${(seed * 7919 + word * 104_729) % 99_991}`).join(' ')
  client.store.receive(
    Array.from({ length: count }, (_, index) => ({
      channel: { channelId: `channel ${index}`, channelType: 1 },
      messageSeq: 1,
      fromUid: 'bob',
      timestamp: 1.7e12 + index,
      payload: { text: text(index) },
    })),
  )
}

const untilOnline = (client: Client, timeout: number): Promise<void> =>
  vi.waitFor(() => expect(statusOf(client)).toMatchObject({ ...ONLINE, saved: 'server' }), {
    timeout,
    interval: 50,
  })

/** Collects the reasons that a client's connection has had. */
function reasonsOf(client: Client): Set<ConnectionReasonCode> {
  const reasons = new Set<ConnectionReasonCode>()
  client.status.subscribe(() => {
    const { reason } = statusOf(client).connection
    if (reason) reasons.add(reason.code)
  })
  return reasons
}

/** An environment in which time passes faster. */
function faster(factor: number) {
  return {
    elapsed: () => performance.now() * factor,
    schedule: (task: () => void, delayMs: number) => defaultEnvironment.schedule(task, delayMs / factor),
  }
}

describe('a slow line', () => {
  it('[NET6] [NET8] [NET9] of 18 kB/s that breaks every 20 s completes a first sync, and costs hardly more than its size', async () => {
    const { url, line } = await startParley({ down: 18_000, breakEveryMs: 20_000 })
    const { open, userId } = createUser()
    const writer = open({ url })
    fill(writer, 3_000)
    await untilStatus(writer, { saved: 'server' })
    const size = Y.encodeStateAsUpdate(writer.doc).byteLength
    expect(size).toBeGreaterThan(20 * 18_000)
    const reader = createUser(userId).open({ url: line.url, profile: 'phone' })
    await untilOnline(reader, 100_000)
    expect(reader.store.export()).toEqual(writer.store.export())
    expect(line.breaks()).toBeGreaterThan(0)
    // What was on the line when it broke, and the deletions, are sent again.
    expect(line.downBytes()).toBeLessThan(size * 1.5)
    console.log(`${size} bytes, ${line.downBytes()} on the line, which broke ${line.breaks()} times`)
  })

  it('[NET5] that breaks again and again completes an upload, and costs hardly more than its size', async () => {
    const { url, line } = await startParley({ up: 60_000, breakEveryMs: 3_000 })
    const { open, userId } = createUser()
    const writer = open({ url: line.url })
    writer.disconnect()
    await writer.ready
    fill(writer, 2_500)
    const size = Y.encodeStateAsUpdate(writer.doc).byteLength
    writer.connect()
    await sleep(500)
    // Typed while the upload is under way.
    type(writer, 'hello')
    await untilOnline(writer, 60_000)
    const reader = createUser(userId).open({ url, profile: 'phone' })
    // The first sync comes in pieces, and one of the first may bring this.
    await untilRead(reader, 'hello')
    await untilOnline(reader, 60_000)
    expect(reader.store.export()).toEqual(writer.store.export())
    expect(line.breaks()).toBeGreaterThan(0)
    expect(line.upBytes()).toBeLessThan(size * 2)
    console.log(`${size} bytes, ${line.upBytes()} on the line, which broke ${line.breaks()} times`)
  })

  it('[NET7] [NET8] [NET9] is not given up when the user returns, nor by a server whose pings are behind the answer; changes of others follow', async () => {
    const { url, line } = await startParley({ down: 50_000 }, { timing: { heartbeatMs: 800 } })
    const { open, userId } = createUser()
    const writer = open({ url })
    fill(writer, 2_000)
    await untilStatus(writer, { saved: 'server' })
    const page = createFakePage()
    const device = createUser(userId)
    const reader = device.open({
      url: line.url,
      profile: 'phone',
      // The client says something every second, and would give up a silent server after three.
      environment: device.browser.tab({ lifecycle: page.lifecycle, ...faster(10) }),
    })
    const reasons = reasonsOf(reader)
    await untilStatus(reader, { connection: { state: 'syncing' } })
    page.emit('hidden')
    page.emit('visible')
    await sleep(500)
    type(writer, 'typed meanwhile')
    await untilOnline(reader, 60_000)
    await untilRead(reader, 'typed meanwhile')
    expect(line.connections()).toBe(1)
    expect([...reasons]).toEqual([])
  })

  it('[NET7] to a stock server, which sends one message, gets more patience with each connection', async () => {
    const server = await startServer({ stock: true })
    const line = await startLine(server.port, { down: 30_000 })
    onCleanUp(() => line.stop())
    const { open, browser, userId } = createUser()
    const writer = createUser(userId).open({ url: server.url })
    fill(writer, 1_000)
    await untilStatus(writer, { saved: 'server' })
    // 30 s of silence are 1.5 s here, and the message takes 5 s.
    const reader = open({ url: line.url, profile: 'phone', environment: browser.tab(faster(20)) })
    const reasons = reasonsOf(reader)
    await untilOnline(reader, 60_000)
    expect(reasons).toContain('timeout')
    expect(reader.store.keys()).toHaveLength(1_000)
  })
})

describe('an acknowledgement', () => {
  it('[WAIT2] that is not answered ends the connection, and the edit is saved on the next one', async () => {
    const server = await startServer()
    const { open, browser } = createUser()
    const client = open({ url: server.url, environment: browser.tab(faster(20)) })
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    const reasons = reasonsOf(client)
    server.hold()
    // It is heard of all the while, as a server with a heartbeat is: it only does not acknowledge.
    const heartbeat = setInterval(() => {
      for (const socket of server.sockets.clients) socket.send(new Uint8Array([1, 1, 0]))
    }, 200)
    onCleanUp(async () => clearInterval(heartbeat))
    type(client, 'hello')
    await until(() => expect([...reasons]).toContain('not-acknowledged'))
    expect(statusOf(client).unsaved.server).toBe(true)
    server.release()
    await untilStatus(client, { ...ONLINE, saved: 'server' })
  })
})

describe('a token', () => {
  it('[NET3] [NET10] may hold any characters, and be long', async () => {
    for (const token of ['alice’s "token", / 100 % ü', 'x'.repeat(10_000), 'a b']) {
      const { url } = await startParley(
        {},
        {
          auth: (request) => {
            if (request.token !== token) throw new AccessError('unauthenticated', 'the token is unknown')
            return { uid: request.uid ?? '' }
          },
        },
      )
      const { open, browser } = createUser()
      const client = open({ url, getToken: () => token })
      type(client, 'hello')
      await untilStatus(client, { ...ONLINE, saved: 'server' })
      expect(statusOf(client).connection.reason).toBeUndefined()
      expect(browser.warnings).toEqual([])
    }
  })

  it('[NET4] is not said to need a message because the server was away for a moment', async () => {
    const free = await startLine(1, {})
    await free.stop()
    const { open, browser, userId } = createUser()
    const client = open({ url: free.url, getToken: () => 'token' })
    await untilStatus(client, { connection: { state: 'offline', reason: { code: 'unreachable' } } })
    // The next attempt is without the subprotocol.
    const server = await createServer({
      auth: ({ token }) => {
        if (token !== 'token') throw new AccessError('unauthenticated', 'the token is unknown')
        return { uid: userId }
      },
      port: Number(new URL(free.url).port),
      store: createMemoryLog(),
      timing: { drainMs: 0 },
    })
    onCleanUp(() => server.close())
    await server.listen()
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    await sleep(500)
    expect(statusOf(client).connection.reason).toBeUndefined()
    expect(browser.warnings).toEqual([])
    await client.close()
  })
})

describe('an address where no WebSocket opens', () => {
  it('[NET1] [NET2] is explained by what it answers to HTTP', async () => {
    for (const [status, code, warnings] of [
      [404, 'wrong-address', 1],
      [200, 'wrong-address', 1],
      [426, 'no-upgrade', 1],
      [502, 'unreachable', 0],
    ] as const) {
      const server = createHttpServer((_, response) => response.writeHead(status).end('something'))
      server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      onCleanUp(() => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      })
      const { open, browser } = createUser()
      const client = open({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/sync` })
      await untilStatus(client, { connection: { reason: { code } } })
      await sleep(1_000)
      expect(browser.warnings).toHaveLength(warnings)
      type(client, 'hello')
      expect(await client.flush()).toBe(null)
      expect(read(client)).toBe('hello')
      await client.close()
    }
  })
})
