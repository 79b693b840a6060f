import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeToken, SUBPROTOCOL } from '@parley/core'
import { SignJWT } from 'jose'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createRevocations } from '../src/access/revocations.js'
import { MAX_TOKEN_AGE_MS } from '../src/access/tokenAge.js'
import {
  createJwtAuthenticate,
  createLocalBusHub,
  createMemoryLog,
  openLevelLog,
  ServerError,
  type ServerOptions,
  silentLogger,
} from '../src/index.js'
import { connectRaw, isLifetime, type RawClient, startServer, until } from './support/harness.js'

const secret = 'a secret that has at least 32 characters'
const MINUTE_S = 60
const nowS = (): number => Math.floor(Date.now() / 1000)

/** A token of a user that was issued so many seconds ago. */
const issue = (
  sub: string,
  { ago = MINUTE_S, ...parley }: { ago?: number; device?: string; rooms?: string } = {},
): Promise<string> =>
  new SignJWT({ sub, parley })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt(nowS() - ago)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret))

const start = (options: Partial<ServerOptions> = {}) =>
  startServer({
    auth: createJwtAuthenticate({ secret }),
    ...options,
    timing: { expiryJitterMs: 0, ...options.timing },
  })

const enter = (url: string, token: string): Promise<RawClient> =>
  connectRaw(url, { protocols: [SUBPROTOCOL, `parley.token.${token}`] })

/** What becomes of somebody who tries a token: `in`, or the close code. */
async function attempt(url: string, token: string): Promise<'in' | number> {
  const client = await enter(url, token)
  return Promise.race([
    client.frame((frame) => frame[0] === 0).then(() => 'in' as const),
    client.closed.then(({ code }) => code),
  ])
}

const REVOKED = { code: 4401, reason: 'the token was revoked' }

describe('tokens that are taken back', () => {
  it('[A14] are refused by WebSocket and HTTP, and what they opened is closed; later ones are not', async () => {
    const { room, url, server } = await start()
    const [alice, bob] = [await issue('alice'), await issue('bob')]
    const open = await enter(room('alice'), alice)
    const others = await enter(room('bob'), bob)
    await open.frame(isLifetime)
    await server.revoke('alice')
    expect(await open.closed).toEqual(REVOKED)
    expect(await attempt(room('alice'), alice)).toBe(4401)
    const ask = async (token: string): Promise<number> => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
      const body = JSON.stringify({ uid: 'alice', msg_count: 1 })
      return (await fetch(`${url}/conversation/sync`, { method: 'POST', headers, body })).status
    }
    expect(await ask(alice)).toBe(401)
    const later = await issue('alice', { ago: -1 })
    expect(await attempt(room('alice'), later)).toBe('in')
    expect(await ask(later)).toBe(200)
    expect(others.socket.readyState).toBe(others.socket.OPEN)
    expect(await attempt(room('bob'), bob)).toBe('in')
  })

  it('[A14] of one device leave the others alone', async () => {
    const { room, server } = await start()
    const [phone, laptop, none] = [
      await issue('alice', { device: 'phone' }),
      await issue('alice', { device: 'laptop' }),
      await issue('alice'),
    ]
    const open = await Promise.all([phone, laptop, none].map((token) => enter(room('alice'), token)))
    await server.revoke('alice', 'phone')
    expect(await open[0]?.closed).toEqual(REVOKED)
    expect(await attempt(room('alice'), phone)).toBe(4401)
    expect(await attempt(room('alice'), laptop)).toBe('in')
    expect(await attempt(room('alice'), none)).toBe('in')
    for (const client of open.slice(1)) expect(client.socket.readyState).toBe(client.socket.OPEN)
  })

  it('[A14] are those of before the moment that was named; an earlier one named later takes nothing back', async () => {
    const { room, server } = await start()
    const [old, young] = [await issue('alice', { ago: 100 }), await issue('alice', { ago: 10 })]
    const open = await enter(room('alice'), young)
    await server.revoke('alice', undefined, Date.now() - 50_000)
    await server.revoke('alice', undefined, Date.now() - 90_000)
    expect(await attempt(room('alice'), old)).toBe(4401)
    expect(await attempt(room('alice'), await issue('alice', { ago: 70 }))).toBe(4401)
    expect(await attempt(room('alice'), young)).toBe('in')
    expect(open.socket.readyState).toBe(open.socket.OPEN)
  })

  it('[A14] without iat count as issued before', async () => {
    const { room, server } = await start()
    const undated = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret))
    expect(await attempt(room('alice'), undated)).toBe('in')
    await server.revoke('alice', undefined, Date.now() - 86_400_000)
    expect(await attempt(room('alice'), undated)).toBe(4401)
  })

  it('[A14] of a service are the service’s, whatever rooms they open', async () => {
    const { room, server } = await start()
    const service = await issue('im', { rooms: '*' })
    const open = await enter(room('alice'), service)
    await open.frame(isLifetime)
    await server.revoke('alice')
    expect(await attempt(room('alice'), service)).toBe('in')
    await server.revoke('im')
    expect(await open.closed).toEqual(REVOKED)
    expect(await attempt(room('bob'), service)).toBe(4401)
  })

  it('[A13] [A14] are not taken in-band, and a fresh one in time keeps the connection', {
    timeout: 20_000,
  }, async () => {
    // Late in the time over which closes are spread.
    vi.spyOn(Math, 'random').mockReturnValue(0.99)
    onTestFinished(() => void vi.restoreAllMocks())
    const { room, server } = await start({ timing: { expiryJitterMs: 2_000 } })
    const [first, second] = [
      await enter(room('alice'), await issue('alice')),
      await enter(room('alice'), await issue('alice')),
    ]
    await Promise.all([first, second].map((client) => client.frame(isLifetime)))
    await server.revoke('alice')
    first.send(encodeToken(await issue('alice', { ago: 30 })))
    expect(await first.closed).toEqual(REVOKED)
    second.send(encodeToken(await issue('alice', { ago: -1 })))
    await until('it is answered', () => second.frames.filter(isLifetime).length === 2)
    await new Promise((resolve) => setTimeout(resolve, 2_300))
    expect(second.socket.readyState).toBe(second.socket.OPEN)
  })

  it('[A14] stay so after a restart, and when all else of the user is deleted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-revoked-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const token = await issue('alice')
    const first = await start({ store: await openLevelLog({ folder }) })
    await first.server.revoke('alice')
    await first.store.delete('alice')
    await first.server.close()
    const second = await start({ store: await openLevelLog({ folder }) })
    expect(await attempt(second.room('alice'), token)).toBe(4401)
    await second.server.close()
  })

  it('[A14] are so on all nodes, though the bus tells nothing', async () => {
    const store = { ...createMemoryLog(), close: async () => {} }
    const hub = createLocalBusHub()
    const silent = { publish: () => {}, subscribe: () => () => {}, close: async () => {} }
    const told = await start({ store, bus: hub.connect() })
    const teller = await start({ store, bus: hub.connect(), timing: { revokedPollMs: 60_000 } })
    const deaf = await start({ store, bus: silent, timing: { revokedPollMs: 50 } })
    const token = await issue('alice')
    const open = await Promise.all([told, deaf].map(({ room }) => enter(room('alice'), token)))
    await Promise.all(open.map((client) => client.frame(isLifetime)))
    await teller.server.revoke('alice')
    for (const { closed } of open) expect(await closed).toEqual(REVOKED)
    for (const { room } of [told, teller, deaf]) expect(await attempt(room('alice'), token)).toBe(4401)
  })

  it('[A14] are all at once closed over a while', async () => {
    const { room, server } = await start({ timing: { expiryJitterMs: 600 } })
    const clients = await Promise.all(
      Array.from({ length: 12 }, async () => enter(room('alice'), await issue('alice'))),
    )
    await Promise.all(clients.map((client) => client.frame(isLifetime)))
    const times: number[] = []
    for (const { closed } of clients) void closed.then(() => times.push(performance.now()))
    await server.revoke('alice')
    await Promise.all(clients.map(({ closed }) => closed))
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(100)
  })

  it('[A14] are none if it cannot be stored, or makes no sense', async () => {
    const store = createMemoryLog()
    let broken = true
    const { room, server } = await start({
      store: {
        ...store,
        values: {
          ...store.values,
          async write(scope, values) {
            if (broken) throw new ServerError('store-unavailable', 'the disk is full')
            return store.values.write(scope, values)
          },
        },
      },
    })
    const token = await issue('alice')
    await expect(server.revoke('alice')).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(await attempt(room('alice'), token)).toBe('in')
    broken = false
    for (const [uid, device, before] of [
      ['', undefined, undefined],
      ['x'.repeat(201), undefined, undefined],
      ['alice', '', undefined],
      ['alice', undefined, Date.now() + 60_000],
      ['alice', undefined, Number.NaN],
      ['alice', undefined, -1],
    ] as const)
      await expect(server.revoke(uid, device, before)).rejects.toMatchObject({ code: 'invalid-argument' })
    await server.revoke('alice')
    expect(await attempt(room('alice'), token)).toBe(4401)
  })

  it('[A14] are forgotten once they are too old to be taken anyway, and not before', async () => {
    const { values } = createMemoryLog()
    let now = Date.parse('2026-01-01T00:00:00Z')
    const revocations = createRevocations({ values, logger: silentLogger, now: () => now })
    const count = async (): Promise<number> => (await values.list('access', { prefix: '' })).size
    const first = { uid: 'alice', issuedAt: now - 1_000 }
    await revocations.revoke('alice')
    await revocations.revoke('bob')
    now += MAX_TOKEN_AGE_MS / 2
    await revocations.revoke('bob')
    now += MAX_TOKEN_AGE_MS / 2
    await revocations.sweep()
    expect(await revocations.check([first])).toEqual([true])
    now += 1_000
    await revocations.sweep()
    expect(await revocations.check([first, { uid: 'bob', issuedAt: 0 }])).toEqual([false, true])
    now += MAX_TOKEN_AGE_MS
    await revocations.sweep()
    expect(await count()).toBe(0)
  })

  it('[A14] and a token that is older than a year is not taken, whatever it says of its end', async () => {
    const { room } = await start()
    const days = 24 * 60 * MINUTE_S
    expect(await attempt(room('alice'), await issue('alice', { ago: 367 * days }))).toBe(4401)
    expect(await attempt(room('alice'), await issue('alice', { ago: 365 * days }))).toBe('in')
  })
})
