import { connect, type Socket } from 'node:net'
import { SUBPROTOCOL } from '@parley/core'
import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { createJwtAuthenticate, createMemoryLog, type Refusal } from '../src/index.js'
import { connectRaw, type Running, startServer, syncMessage, textUpdate, until } from './support/harness.js'
import { heldBytes } from './support/memory.js'
import { createWitness } from './support/witness.js'

const CONNECTIONS = 10_000
const CONCURRENCY = 50
const MIB = 1024 * 1024
/** What may be left: code that was compiled, caches, and what the garbage collector keeps for itself. */
const LEFT_BYTES = 24 * MIB

const secret = 'a secret that has at least 32 characters'
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const sign = (sub: string, expires: string | number = '1h', by = secret, aud = 'parley'): Promise<string> =>
  new SignJWT({ sub })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(aud)
    .setExpirationTime(expires)
    .sign(bytes(by))

/** A server with tokens, and those of the witness. */
async function start(options: Parameters<typeof startServer>[0] = {}) {
  const refusals = new Map<number, number>()
  const jwt = createJwtAuthenticate({ secret, audience: 'parley' })
  const running = await startServer({
    store: createMemoryLog(),
    auth: (request) => (request.token === 'witness' ? { uid: 'witness' } : jwt(request)),
    onRefused: ({ code }: Refusal) => refusals.set(code, (refusals.get(code) ?? 0) + 1),
    ...options,
    timing: { roomIdleMs: 1, firstMessageMs: 50, ...options.timing },
  })
  return { ...running, refusals }
}

/** Somebody who connects, does harm or nothing, and is gone; resolves with the close code that was seen. */
type Visitor = (room: (uid: string) => string, port: number, n: number) => Promise<number | null>

/** Connects with a token, does something once connected, and waits for the end. */
const visit = (url: string, token: string | null, act?: (socket: WebSocket) => void): Promise<number> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, token === null ? [] : [SUBPROTOCOL, `parley.token.${token}`])
    socket.on('open', () => act?.(socket))
    socket.on('error', () => {})
    socket.on('close', resolve)
  })

/** Sends some bytes by TCP and hangs up. */
const hangUp = (port: number, text: string): Promise<null> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => socket.destroy()))
    socket.on('error', () => {})
    socket.on('close', () => resolve(null))
  })

/** Does something so many times, some at a time. */
async function repeat(count: number, task: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await task(n)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
}

describe('10,000 connections that are opened and dropped', () => {
  it('[A1] [A2] [A7] [I1] get the code that is documented, leave nothing behind, and disturb nobody', {
    timeout: 300_000,
  }, async () => {
    const [good, bob, expired, forged, audience] = await Promise.all([
      sign('alice'),
      sign('bob'),
      sign('alice', Math.floor(Date.now() / 1000) - 60),
      sign('alice', '1h', 'another secret of at least 32 characters'),
      sign('alice', '1h', secret, 'others'),
    ])
    const unsigned = new UnsecuredJWT({ sub: 'alice' }).setAudience('parley').setExpirationTime('1h').encode()
    const visitors: Array<[code: number | null, Visitor]> = [
      [1006, (room) => visit(room('alice'), good, (socket) => socket.terminate())],
      [1005, (room) => visit(room('alice'), good, (socket) => socket.close())],
      // In the middle of a frame.
      [
        1006,
        (room) =>
          visit(room('alice'), good, (socket) => {
            socket.send(new Uint8Array(50_000), { fin: false }, () => socket.terminate())
          }),
      ],
      [null, (_, port) => hangUp(port, '')],
      [null, (_, port) => hangUp(port, 'GET /sync/alice HTTP/1.1\r\nConnection: Upgrade\r\nUpgr')],
      [4401, (room) => visit(room('alice'), null)],
      [4401, (room) => visit(room('alice'), expired)],
      [4401, (room) => visit(room('alice'), forged)],
      [4401, (room) => visit(room('alice'), unsigned)],
      [4401, (room) => visit(room('alice'), audience)],
      [4403, (room) => visit(room('alice'), bob)],
      [4404, (room) => visit(`${room('alice')}/nowhere`, good)],
      [4400, (room) => visit(room('alice'), good, (socket) => socket.send('text'))],
      [4400, (room) => visit(room('alice'), good, (socket) => socket.send(new Uint8Array([42])))],
    ]
    const running = await start()
    const { room, port, server, refusals } = running
    const witness = await createWitness(running)
    const meet = async (n: number): Promise<void> => {
      const [code, visitor] = visitors[n % visitors.length] as (typeof visitors)[number]
      expect([n % visitors.length, await visitor(room, port, n)]).toEqual([n % visitors.length, code])
      if (n % 500 === 0) await witness.check()
    }
    await repeat(10 * visitors.length, meet)
    const before = await heldBytes()
    refusals.clear()
    await repeat(CONNECTIONS, meet)
    await until('all are gone', () => server.connections === 2, 20_000)
    await until('their room is let go', () => server.rooms.all().length === 1, 20_000)
    await witness.check()
    witness.expectUndisturbed()
    const each = Math.floor(CONNECTIONS / visitors.length)
    expect(refusals.get(4401)).toBeGreaterThanOrEqual(5 * each)
    expect(refusals.get(4403)).toBeGreaterThanOrEqual(each)
    await until('memory is back at its level', async () => (await heldBytes()) - before < LEFT_BYTES, 20_000)
  })
})

/** Bare TCP after an upgrade, to send frames in pieces. */
async function upgrade(running: Running, uid: string): Promise<{ socket: Socket; ended: Promise<void> }> {
  const socket = connect(running.port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.write(
    [
      `GET /sync/${uid}?token=${await sign(uid)} HTTP/1.1`,
      `Host: 127.0.0.1:${running.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n'),
  )
  await new Promise((resolve) => socket.once('data', resolve))
  return { socket, ended }
}

/** The head of a masked binary frame of so many bytes; the mask is zero, so that what follows is what it is. */
function frameHead(length: number): Buffer {
  const head = Buffer.alloc(14)
  head.set([0x82, 0xff])
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

describe('who is slow', () => {
  it('[I11] a message that trickles in is given up; one over a thin line arrives', {
    timeout: 30_000,
  }, async () => {
    const running = await start({ timing: { heartbeatMs: 200 } })
    const witness = await createWitness(running)
    const trickling = await upgrade(running, 'mallory')
    trickling.socket.write(frameHead(32 * MIB))
    const drops = setInterval(() => trickling.socket.write(Buffer.alloc(1)), 50)
    onTestFinished(() => clearInterval(drops))
    // 40 KB over more than the time in which the other is given up.
    const honest = await upgrade(running, 'alice')
    const message = Buffer.from(syncMessage(1, textUpdate('x'.repeat(40_000))))
    honest.socket.write(frameHead(message.byteLength))
    for (let at = 0; at < message.byteLength; at += 2_000) {
      honest.socket.write(message.subarray(at, at + 2_000))
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    await trickling.ended
    await until('it is stored', async () => (await running.store.load('alice')).version === 1)
    await witness.check()
    witness.expectUndisturbed()
  })

  it('[I3] [I7] updates that are never completed and answers that are never read take a bounded share', {
    timeout: 60_000,
  }, async () => {
    const running = await start({
      timing: { heartbeatMs: 2_000 },
      limits: { bufferedBytes: 200_000, queuedBytes: 500_000 },
    })
    const { room, store, server, refusals } = running
    const witness = await createWitness(running)
    await store.append('alice', textUpdate('x'.repeat(1_000_000)))
    const token = await sign('alice')
    const enter = () => connectRaw(room('alice'), { protocols: [SUBPROTOCOL, `parley.token.${token}`] })
    const before = await heldBytes()
    // Each builds on something that nobody has, and the server's question is never answered.
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'missing')
    const has = Y.encodeStateVector(doc)
    doc.getText('t').insert(0, 'y'.repeat(100_000))
    const incomplete = syncMessage(2, Y.encodeStateAsUpdate(doc, has))
    const never = await Promise.all(Array.from({ length: 20 }, enter))
    for (let n = 0; n < 20; n++) for (const client of never) client.send(incomplete)
    for (const { closed } of never)
      expect(await closed).toMatchObject({ code: 4503, reason: expect.stringMatching(/^sync again/) })
    // Each asks for all there is and reads nothing, while another writes.
    const deaf = await Promise.all(Array.from({ length: 20 }, enter))
    for (const { socket, send } of deaf) {
      socket.pause()
      for (let n = 0; n < 10; n++) send(0, 0, 1, 0)
    }
    const writer = await enter()
    writer.send(syncMessage(1, new Uint8Array([0, 0])))
    let written = 0
    await until(
      'all of them are closed',
      () => {
        if (writer.socket.bufferedAmount === 0 && (refusals.get(4508) ?? 0) < deaf.length) {
          writer.send(syncMessage(2, textUpdate('z'.repeat(50_000), 1_000 + written)))
          written++
        }
        return server.connections === 3
      },
      40_000,
    )
    expect(refusals.get(4508)).toBe(deaf.length)
    await witness.check()
    writer.socket.terminate()
    for (const { socket } of [...never, ...deaf]) socket.terminate()
    await until('they are gone', () => server.connections === 2)
    await until('their room is let go', () => server.rooms.all().length === 1)
    witness.expectUndisturbed()
    const stored = (await store.size('alice'))?.rowBytes ?? 0
    const snapshot = (await store.size('alice'))?.snapshotBytes ?? 0
    for (const client of [...never, ...deaf, writer]) client.frames.length = 0
    expect((await heldBytes()) - before - stored - snapshot).toBeLessThan(LEFT_BYTES)
  })
})
