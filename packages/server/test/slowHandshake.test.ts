import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Refusal } from '../src/index.js'
import { connectRaw, startServer, until } from './support/harness.js'

/** Opens a TCP connection; tells what came back when it ends. */
function open(port: number): { socket: Socket; ended: Promise<string> } {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  return { socket, ended: new Promise((resolve) => socket.on('close', () => resolve(received))) }
}

const UPGRADE = [
  'GET /sync/alice HTTP/1.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

describe('before somebody is known', () => {
  it('[A12] a request that never gets ready is ended, whether it says nothing, little, or a letter at a time', async () => {
    const { port } = await startServer({ timing: { headersMs: 300, requestMs: 600 } })
    const silent = open(port)
    const halted = open(port)
    halted.socket.write(`${UPGRADE.join('\r\n')}\r\n`)
    const slow = open(port)
    slow.socket.write('GET /healthz HTTP/1.1\r\nX-A: ')
    const letters = setInterval(() => slow.socket.write('a'), 20)
    onTestFinished(() => clearInterval(letters))
    const body = open(port)
    body.socket.write(
      `POST /conversation/sync HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`,
    )
    const ends = await Promise.all([silent.ended, halted.ended, slow.ended, body.ended])
    for (const end of ends) expect(end === '' || end.startsWith('HTTP/1.1 408')).toBe(true)
  })

  it('[A12] frames that come before the answer are not read, and no more than 4 KiB of them are taken', async () => {
    const refusals: Refusal[] = []
    const asked: Array<() => void> = []
    const { port, server } = await startServer({
      auth: ({ uid = '' }) => new Promise((resolve) => asked.push(() => resolve({ uid }))),
      onRefused: (refusal) => refusals.push(refusal),
    })
    const client = open(port)
    client.socket.write(`${[...UPGRADE, `Host: 127.0.0.1:${port}`].join('\r\n')}\r\n\r\n`)
    await until('the hook is asked', () => asked.length === 1)
    let taken = 0
    const flood = Buffer.alloc(1024 * 1024)
    const pump = (): void => {
      while (taken < 256 && client.socket.write(flood)) taken++
      taken++
    }
    client.socket.on('drain', pump)
    pump()
    const steady = async (): Promise<boolean> => {
      const before = taken
      await new Promise((resolve) => setTimeout(resolve, 200))
      return taken === before
    }
    await until('nobody reads any more', steady)
    // What the systems' buffers hold.
    expect(taken).toBeLessThan(64)
    expect(server.connections).toBe(0)
    asked[0]?.()
    await client.ended
    const impatient = open(port)
    impatient.socket.write(
      Buffer.concat([
        Buffer.from(`${[...UPGRADE, `Host: 127.0.0.1:${port}`].join('\r\n')}\r\n\r\n`),
        Buffer.alloc(5000, 0x82),
      ]),
    )
    await until('it is refused', () => refusals.some(({ at }) => at === 'upgrade'))
    expect(refusals.at(-1)).toMatchObject({ kind: 'malformed', code: 4400, reason: /before you speak/ })
  })

  it('[A11] each refusal is told once, with code, reason, room and address, by WebSocket and HTTP alike', async () => {
    const refusals: Refusal[] = []
    const lines: Array<[object, string]> = []
    const { room, url } = await startServer({
      auth: ({ token, uid = '' }) => ({ uid: token === 'bob' ? 'bob' : uid }),
      trustProxy: ['127.0.0.1'],
      onRefused: (refusal) => refusals.push(refusal),
      logger: {
        debug: () => {},
        info: () => {},
        warn: (fields, message) => lines.push([fields, message]),
        error: () => {},
      },
    })
    const headers = { 'x-forwarded-for': '198.51.100.7' }
    await (await connectRaw(`${room('alice')}?token=bob`, { headers })).closed
    const inside = await connectRaw(`${room('alice')}?token=alice`, { headers })
    inside.socket.send('text')
    await inside.closed
    await fetch(`${url}/conversation/sync`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', token: 'bob' },
      body: JSON.stringify({ uid: 'alice', msg_count: 1 }),
    })
    await fetch(`${url}/healthz`, { headers: { ...headers, origin: 'https://evil.example' } })
    const from = { remoteAddress: '198.51.100.7' }
    expect(refusals).toEqual([
      {
        kind: 'forbidden',
        at: 'upgrade',
        code: 4403,
        reason: 'the room is not yours',
        room: 'alice',
        ...from,
      },
      {
        kind: 'malformed',
        at: 'connection',
        code: 4400,
        reason: 'text frames are not part of the protocol',
        room: 'alice',
        ...from,
      },
      { kind: 'forbidden', at: 'http', code: 403, reason: 'the room is not yours', ...from },
      { kind: 'forbidden', at: 'http', code: 403, reason: 'the Origin may not use this server', ...from },
    ])
    expect(lines).toEqual(refusals.map((refusal) => [refusal, 'refused']))
  })
})
