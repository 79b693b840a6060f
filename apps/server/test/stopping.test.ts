import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { newFolder, type Serving, serve } from './support/parley.js'
import { readiness, until } from './support/watch.js'
import { lostOf, startWriter } from './support/writers.js'

const RESTARTS = 4
const WRITERS = 24
const ROOMS = 8

/** A port that nobody has now. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return String(port)
}

/** Upgrades to a WebSocket and then neither reads nor answers. */
async function connectMute({ url }: Serving): Promise<void> {
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => {})
  const headers = [
    'GET /sync/mute HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  socket.write(`${headers.join('\r\n')}\r\n\r\n`)
  await once(socket, 'data')
  socket.pause()
}

describe('stopping', () => {
  it(`[D2] loses nothing that was acknowledged over ${RESTARTS} restarts under load`, {
    timeout: 120_000,
  }, async () => {
    const data = await newFolder()
    const port = await freePort()
    const start = (): Promise<Serving> => serve(data, ['--port', port], { PARLEY_STOP_DELAY: '0' })
    let serving = await start()
    const writers = Array.from({ length: WRITERS }, (_, n) =>
      startWriter(serving, `room ${n % ROOMS}`, { name: `writer ${n}` }),
    )
    await Promise.all(writers.map(({ connected }) => connected))
    for (let restart = 0; restart < RESTARTS; restart++) {
      const before = writers.map(({ safe }) => safe)
      await until('everybody writes', () => writers.every(({ safe }, n) => safe > (before[n] ?? 0)))
      expect(await serving.stop('SIGTERM')).toBe(0)
      await until('everybody is closed', () => writers.every(({ closes }) => closes.length > restart))
      serving = await start()
      await Promise.all(writers.map(({ reconnect }) => reconnect(serving)))
    }
    for (const { stop } of writers) stop()
    expect(await lostOf(serving, writers)).toEqual([])
    expect(writers.map(({ closes }) => closes.slice(0, RESTARTS))).toEqual(
      writers.map(() => Array.from({ length: RESTARTS }, () => 1012)),
    )
  })

  it('[D3] says that it is not ready, and serves on until others have noticed', {
    timeout: 30_000,
  }, async () => {
    const serving = await serve(await newFolder(), [], { PARLEY_STOP_DELAY: '6' })
    expect(await readiness(serving)).toBe(200)
    const ended = serving.stop('SIGTERM')
    await until('it is not ready', async () => (await readiness(serving)) === 503)
    const late = startWriter(serving, 'alice', { name: 'late', restMs: 20 })
    await late.connected
    await until('it stores what comes in', () => late.safe > 0)
    expect(await ended).toBe(0)
    await until('it has closed the connection', () => late.closes.length === 1)
    expect(late.closes).toEqual([1012])
  })

  it('[D4] ends with 0 though clients neither read nor answer', { timeout: 60_000 }, async () => {
    const serving = await serve(await newFolder(), [], { PARLEY_STOP_DELAY: '0' })
    for (let n = 0; n < 5; n++) await connectMute(serving)
    expect(await serving.stop('SIGTERM')).toBe(0)
  })

  it('[D5] ends at once when it is told a second time, in whichever way', { timeout: 60_000 }, async () => {
    for (const [first, second] of [
      ['SIGTERM', 'SIGTERM'],
      ['SIGTERM', 'SIGINT'],
      ['SIGINT', 'SIGTERM'],
    ] as const) {
      const serving = await serve(await newFolder(), [], { PARLEY_STOP_DELAY: '60' })
      const ended = serving.stop(first)
      await until('it stops', async () => (await readiness(serving)) === 503)
      serving.child.kill(second)
      expect(await ended).toBe(second)
    }
  })
})
