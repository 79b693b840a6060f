import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type JWTPayload, SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createJwtAuthenticate, createMemoryLog, createServer, defaultLimits } from '../src/index.js'
import { send } from './support/gateway.js'
import { connectRaw, isSyncAnswer, type Running, startServer, until } from './support/harness.js'

const SECRET = 'a secret that has at least 32 characters'
const EARLIER = 'the secret before, of at least 32 characters'
const SYNC = '/conversation/sync'
const INGEST = '/v1/ingest/messages'
/** 32 MiB. */
const LARGE = 32 * 1024 * 1024

function sign(claims: JWTPayload | object, secret = SECRET): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ sub: 'alice', iat: now, exp: now + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

const serve = (options: Parameters<typeof startServer>[0] = {}): Promise<Running> =>
  startServer({ auth: createJwtAuthenticate({ secret: SECRET }), ...options })

/** Sends only the head of a request that announces a body, and resolves with the head of the response. */
async function sendHead(
  { port }: Running,
  head: string,
): Promise<{ status: number; socket: ReturnType<typeof connect> }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.write(`${head}\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\r\n`)
  const [data] = (await once(socket, 'data')) as [Buffer]
  return { status: Number(data.toString().split(' ')[1]), socket }
}

describe('a request by HTTP', () => {
  it('[AUTH1] is refused by its head, before a byte of its body is sent', async () => {
    const running = await serve({ gateway: { ingestToken: 'ingest', webhookToken: 'webhook' } })
    const closed = await serve()
    const reader = await sign({ parley: { readOnly: true } })
    const length = `Content-Length: ${LARGE}`
    for (const [on, head, status] of [
      [running, `POST ${SYNC} HTTP/1.1\r\n${length}`, 401],
      [running, `POST ${SYNC} HTTP/1.1\r\nTransfer-Encoding: chunked`, 401],
      [running, `POST ${SYNC} HTTP/1.1\r\ntoken: forged\r\n${length}`, 401],
      [running, `POST /conversations/setUnread HTTP/1.1\r\ntoken: ${reader}\r\n${length}`, 403],
      [running, `POST ${INGEST} HTTP/1.1\r\n${length}`, 401],
      [running, `PUT /v1/channels/2/g/members HTTP/1.1\r\nAuthorization: Bearer no\r\n${length}`, 401],
      [running, `POST /v1/webhook/no HTTP/1.1\r\n${length}`, 401],
      [closed, `POST ${INGEST} HTTP/1.1\r\nAuthorization: Bearer no\r\n${length}`, 403],
      [closed, `POST /v1/webhook/no HTTP/1.1\r\n${length}`, 403],
      [closed, `POST /nowhere HTTP/1.1\r\n${length}`, 404],
    ] as const) {
      expect([head, (await sendHead(on, head)).status]).toEqual([head, status])
    }
  })

  it('[HTTP3] that is refused may send 1 MiB more of its body, then its connection is closed', async () => {
    const running = await serve()
    const { status, socket } = await sendHead(running, `POST ${SYNC} HTTP/1.1\r\nContent-Length: ${LARGE}`)
    expect(status).toBe(401)
    socket.write(Buffer.alloc(512 * 1024))
    await delay(100)
    expect(socket.destroyed).toBe(false)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(Buffer.alloc(LARGE / 2))
    await closed
    expect(socket.bytesWritten).toBeLessThan(LARGE)
  })

  it('[HTTP4] counts with all its bytes, also when its body is chunked or it is refused', async () => {
    const limits = {
      bytesPerAddress: { perSecond: 1, burst: 10_000 },
      requestsPerAddress: { perSecond: 0.001, burst: 1_000 },
    }
    for (const chunked of [true, false]) {
      const { url } = await serve({ limits, trustProxy: ['loopback'] })
      const headers = { 'x-forwarded-for': '198.51.100.7', 'content-type': 'application/json' }
      const body = JSON.stringify({ uid: 'alice', filler: 'x'.repeat(6_000) })
      const post = async (): Promise<number> =>
        (
          await fetch(url + SYNC, {
            method: 'POST',
            headers,
            ...(chunked ? { body: new Blob([body]).stream(), duplex: 'half' } : { body }),
          } as RequestInit)
        ).status
      const statuses: number[] = []
      for (let n = 0; n < 4; n++) {
        statuses.push(await post())
        // What a chunked body had is known when it ends.
        await delay(20)
      }
      expect([chunked, statuses]).toEqual([chunked, [401, 401, 429, 429]])
    }
  })

  it('[HTTP4] counts against its user, also when its body is wrong', async () => {
    const running = await serve({ limits: { requestsPerUser: { perSecond: 0.001, burst: 3 } } })
    const headers = { token: await sign({}) }
    const statuses = []
    for (let n = 0; n < 5; n++) statuses.push((await send(running, 'POST', SYNC, '{', headers)).status)
    expect(statuses).toEqual([400, 400, 400, 429, 429])
  })

  it('[HTTP4] with a wrong ingest token counts against its address', async () => {
    const running = await serve({
      gateway: { ingestToken: 'ingest' },
      limits: { requestsPerAddress: { perSecond: 0.001, burst: 3 } },
      trustProxy: ['loopback'],
    })
    const statuses = []
    for (const token of ['ingest', 'ingest', 'no', 'no', 'no', 'ingest']) {
      const headers = { 'x-forwarded-for': '198.51.100.7', authorization: `Bearer ${token}` }
      statuses.push((await send(running, 'POST', INGEST, [], headers)).status)
    }
    expect(statuses).toEqual([200, 200, 401, 401, 401, 429])
    expect(defaultLimits.requestsPerAddress.burst).toBeGreaterThan(1_000)
  })
})

describe('a JSON Web Token', () => {
  it('[AUTH2] [AUTH3] is refused with the claim that is wrong, by HTTP and WebSocket', async () => {
    const running = await serve()
    const now = Math.floor(Date.now() / 1000)
    for (const [claims, reason] of [
      [{ iat: now + 120 }, "the token's iat is in the future"],
      [{ iat: now + 10 * 365 * 86_400, exp: now + 20 * 365 * 86_400 }, "the token's iat is in the future"],
      [{ iat: 'yesterday' }, "the token's iat is missing or wrong"],
      [{ sub: 7 }, "the token's sub must be a string of 1 to 200 characters"],
      [{ sub: '' }, "the token's sub must be a string of 1 to 200 characters"],
      [{ sub: ['alice'] }, "the token's sub must be a string of 1 to 200 characters"],
      [{ parley: 'admin' }, "the token's parley must be an object"],
      [{ exp: now - 60 }, 'the token has expired: its exp has passed'],
    ] as const) {
      const token = await sign(claims)
      const answer = await send(running, 'POST', SYNC, { uid: 'alice' }, { token })
      expect([claims, answer.status, answer.body]).toEqual([claims, 401, { msg: reason }])
      const client = await connectRaw(`${running.room('alice')}?token=${token}`)
      expect(await client.closed).toEqual({ code: 4401, reason })
    }
  })

  it('[AUTH2] that is issued at this moment by a clock that is 3 s fast is taken', async () => {
    const running = await serve()
    const token = await sign({ iat: Math.floor(Date.now() / 1000) + 3 })
    expect((await send(running, 'POST', SYNC, { uid: 'alice' }, { token })).status).toBe(200)
  })

  it('[AUTH4] that allows reading only sends no awareness, and its connection stays', async () => {
    const running = await serve()
    const [reader, other] = [
      await connectRaw(`${running.room('alice')}?token=${await sign({ parley: { readOnly: true } })}`),
      await connectRaw(`${running.room('alice')}?token=${await sign({})}`),
    ]
    const awareness = [1, 11, 1, 7, 1, 7, ...Buffer.from('{"a":1}')]
    reader.send(...awareness)
    other.send(...awareness.map((byte, index) => (index === 3 ? 9 : byte)))
    await until('the reader sees the other', () =>
      reader.frames.some((frame) => frame[0] === 1 && frame[3] === 9),
    )
    reader.send(0, 0, 1, 0)
    await reader.frame(isSyncAnswer)
    expect(other.frames.some((frame) => frame[0] === 1 && frame[3] === 7)).toBe(false)
  })

  it('[AUTH5] is taken if either of two secrets signed it, and not if another did', async () => {
    const both = await serve({ auth: createJwtAuthenticate({ secret: [SECRET, EARLIER] }) })
    const statusOf = async (on: Running, secret: string): Promise<number> =>
      (await send(on, 'POST', SYNC, { uid: 'alice' }, { token: await sign({}, secret) })).status
    expect(await statusOf(both, SECRET)).toBe(200)
    expect(await statusOf(both, EARLIER)).toBe(200)
    expect(await statusOf(both, 'another secret of at least 32 characters')).toBe(401)
    expect(await statusOf(await serve(), EARLIER)).toBe(401)
    expect(() => createJwtAuthenticate({ secret: [SECRET, 'short'] })).toThrow('at least 32 bytes')
    expect(() => createJwtAuthenticate({ secret: [] })).toThrow('at least 32 bytes')
  })
})

describe('the tokens of an IM server', () => {
  it('[AUTH5] are valid beside those that they replace', async () => {
    const running = await serve({
      gateway: { ingestToken: ['new', 'old'], webhookToken: ['new-hook', 'old-hook'] },
    })
    for (const [token, status] of [
      ['new', 200],
      ['old', 200],
      ['older', 401],
    ] as const) {
      const headers = { authorization: `Bearer ${token}` }
      expect((await send(running, 'POST', INGEST, [], headers)).status).toBe(status)
      expect((await send(running, 'POST', `/v1/webhook/${token}-hook`, [])).status).toBe(status)
    }
  })

  it('[AUTH6] open what they are for and nothing else', async () => {
    const running = await serve({ gateway: { ingestToken: 'ingest', webhookToken: 'hook' } })
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    expect((await send(running, 'POST', '/v1/webhook/hook', [])).status).toBe(200)
    expect((await send(running, 'POST', '/v1/webhook', [], bearer('ingest'))).status).toBe(200)
    for (const path of ['/v1/webhook', INGEST])
      expect((await send(running, 'POST', path, [], bearer('hook'))).status).toBe(401)
    expect((await send(running, 'PUT', '/v1/channels/2/g/members', [], bearer('hook'))).status).toBe(401)
    expect((await send(running, 'POST', '/v1/webhook/ingest', [])).status).toBe(401)
    // The path is closed where only the other token is set.
    const without = await serve({ gateway: { ingestToken: 'ingest' } })
    expect((await send(without, 'POST', '/v1/webhook/ingest', [])).status).toBe(403)
    const same = createServer({
      store: createMemoryLog(),
      auth: createJwtAuthenticate({ secret: SECRET }),
      gateway: { ingestToken: 'same', webhookToken: ['other', 'same'] },
    })
    await expect(same).rejects.toThrow('webhookToken must differ from ingestToken')
  })
})
