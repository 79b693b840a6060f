import { encodeAcknowledgeRequest, encodeToken, readTokenLifetime, SUBPROTOCOL } from '@parley/core'
import * as decoding from 'lib0/decoding'
import { describe, expect, it } from 'vitest'
import { AccessError, type AccessRequest, type Authenticate, type ServerOptions } from '../src/index.js'
import {
  connectRaw,
  isLifetime,
  isSyncAnswer,
  isUpdate,
  type RawClient,
  startServer,
  storedDoc,
  syncMessage,
  textUpdate,
  until,
} from './support/harness.js'

/** A token is `user lifetime rights`, joined by dots, such as `alice.60000.rw`. */
const authenticate: Authenticate = ({ uid = '', token = '' }) => {
  const [subject = '', lifetime = '', rights] = token.split('.')
  if (subject === 'broken') throw new Error('the session store is away')
  if (subject === '') throw new AccessError('unauthenticated', 'the token is unknown')
  const isService = subject === 'service'
  return {
    uid: isService ? uid : subject,
    subject,
    readOnly: rights === 'r',
    ...(lifetime === '' ? {} : { expiresAt: Date.now() + Number(lifetime) }),
  }
}

const start = (options: Partial<ServerOptions> = {}) =>
  startServer({ auth: authenticate, timing: { expiryJitterMs: 0 }, ...options })

const enter = (url: string, token: string): Promise<RawClient> =>
  connectRaw(url, { protocols: [SUBPROTOCOL, `parley.token.${token}`] })

const lifetimes = ({ frames }: RawClient): Array<number | null> =>
  frames.filter(isLifetime).map((frame) => {
    const decoder = decoding.createDecoder(frame)
    decoding.readVarUint(decoder)
    return readTokenLifetime(decoder)
  })

/** Sends a fresh token and waits for what the server says of it. */
async function renew(client: RawClient, token: string): Promise<number | null | undefined> {
  const before = lifetimes(client).length
  client.send(encodeToken(token))
  await until('the token is answered', () => lifetimes(client).length > before)
  return lifetimes(client).at(-1)
}

describe('a fresh token on an open connection', () => {
  it('[A13] moves the end of the connection, which is told when it begins and after each fresh one', async () => {
    const { room } = await start()
    const client = await enter(room('alice'), 'alice.300.rw')
    await client.frame(isLifetime)
    expect(lifetimes(client)[0]).toBeGreaterThan(100)
    expect(lifetimes(client)[0]).toBeLessThanOrEqual(300)
    expect(await renew(client, 'alice.60000.rw')).toBeGreaterThan(50_000)
    await new Promise((resolve) => setTimeout(resolve, 500))
    client.send(0, 0, 1, 0)
    await client.frame(isSyncAnswer)
    expect(await renew(client, 'alice..rw')).toBe(null)
    expect(await renew(client, 'alice.100.rw')).toBeLessThanOrEqual(100)
    expect(await client.closed).toEqual({ code: 4401, reason: 'the token has expired' })
  })

  it('[A13] that is not valid closes with 4401, after what was sent before it is stored', async () => {
    const { room, store } = await start()
    const client = await enter(room('alice'), 'alice.60000.rw')
    client.send(syncMessage(2, textUpdate('before')))
    client.send(encodeToken(''))
    client.send(syncMessage(2, textUpdate('after')))
    expect(await client.closed).toEqual({ code: 4401, reason: 'the token is unknown' })
    expect((await storedDoc(store, 'alice')).getText('t').toString()).toMatch(/^(after)?before(after)?$/)
  })

  it('[A13] of another user closes with 4403, though it might open the room by itself', async () => {
    const { room } = await start()
    for (const [first, second] of [
      ['alice..rw', 'bob..rw'],
      ['alice..rw', 'service..rw'],
      ['service..rw', 'alice..rw'],
    ] as const) {
      const client = await enter(room('alice'), first)
      client.send(encodeToken(second))
      expect(await client.closed).toMatchObject({ code: 4403 })
    }
    const service = await enter(room('alice'), 'service..rw')
    expect(await renew(service, 'service.60000.rw')).toBeGreaterThan(50_000)
  })

  it('[A13] with other rights gives and takes them', async () => {
    const { room, store } = await start()
    const client = await enter(room('alice'), 'alice..r')
    await renew(client, 'alice..rw')
    client.send(syncMessage(2, textUpdate('written')))
    client.send(encodeAcknowledgeRequest(7))
    await client.frame((frame) => frame[0] === 112)
    expect((await storedDoc(store, 'alice')).getText('t').toString()).toBe('written')
    await renew(client, 'alice..r')
    client.send(syncMessage(2, textUpdate('no longer')))
    expect(await client.closed).toEqual({ code: 4403, reason: 'this connection may only read' })
    expect((await storedDoc(store, 'alice')).getText('t').toString()).toBe('written')
  })

  it('[A13] that cannot be judged changes nothing: the answer is what is left of the one before', async () => {
    const { room } = await start()
    const client = await enter(room('alice'), 'alice.60000.rw')
    await client.frame(isLifetime)
    const [first] = lifetimes(client)
    const left = await renew(client, 'broken')
    expect(left).toBeLessThanOrEqual(first ?? 0)
    expect(left).toBeGreaterThan(50_000)
  })

  it('[A13] is judged one at a time, the newest of those that wait', async () => {
    const asked: AccessRequest[] = []
    const waiting: Array<() => void> = []
    const { room } = await start({
      async auth(request) {
        asked.push(request)
        if (asked.length > 1) await new Promise<void>((resolve) => waiting.push(resolve))
        return authenticate(request)
      },
    })
    const client = await enter(room('alice'), 'alice..rw')
    for (let n = 1; n <= 1_000; n++) client.send(encodeToken(`alice.${100_000 + n}.rw`))
    client.send(0, 0, 1, 0)
    await client.frame(isSyncAnswer)
    expect(waiting).toHaveLength(1)
    waiting[0]?.()
    await until('the next one is asked', () => waiting.length === 2)
    expect(asked.at(-1)).toMatchObject({ uid: 'alice', token: 'alice.101000.rw', headers: {} })
    waiting[1]?.()
    await until('it is answered', () => lifetimes(client).length === 2)
  })

  it('[A13] belongs to parley.1, and is no longer than a request may be', async () => {
    const { room } = await start()
    const stock = await connectRaw(`${room('alice')}?token=alice.60000.rw`)
    stock.send(0, 0, 1, 0)
    stock.send(encodeToken('alice..rw'))
    expect(await stock.closed).toEqual({ code: 4400, reason: 'tokens belong to the subprotocol parley.1' })
    expect(stock.frames.filter(isLifetime)).toEqual([])
    const client = await enter(room('alice'), 'alice..rw')
    client.send(encodeToken('x'.repeat(20_000)))
    expect(await client.closed).toEqual({ code: 4400, reason: 'a token may have 16384 bytes' })
  })

  it('[A13] is answered by a server that asks nobody who they are', async () => {
    const { room } = await start({ auth: 'open' })
    const client = await enter(room('alice'), 'whatever')
    expect(await renew(client, 'something')).toBe(null)
  })
})

describe('read-only', () => {
  it('[A2] looks and hears of changes; a change is answered with 4403, by HTTP with 403', async () => {
    const running = await start()
    const { room, store, url } = running
    await store.append('alice', textUpdate('hello'))
    const reader = await enter(room('alice'), 'alice..r')
    reader.send(syncMessage(0, new Uint8Array([0])))
    await reader.frame(isSyncAnswer)
    const writer = await enter(room('alice'), 'alice..rw')
    writer.send(syncMessage(1, textUpdate('from a writer')))
    await reader.frame(isUpdate)
    // What changes nothing is no change.
    reader.send(syncMessage(1, new Uint8Array([0, 0])))
    reader.send(encodeAcknowledgeRequest(1))
    await reader.frame((frame) => frame[0] === 112)
    reader.send(syncMessage(2, textUpdate('mine')))
    expect(await reader.closed).toEqual({ code: 4403, reason: 'this connection may only read' })
    const ask = async (path: string, body: object): Promise<number> => {
      const headers = { 'content-type': 'application/json', token: 'alice..r' }
      return (await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })).status
    }
    expect(await ask('/conversation/sync', { uid: 'alice', msg_count: 1 })).toBe(200)
    const unread = { uid: 'alice', channel_id: 'bob', channel_type: 1, unread: 0 }
    expect(await ask('/conversations/setUnread', unread)).toBe(403)
    expect(await ask('/conversations/clearUnread', unread)).toBe(403)
    expect(await ask('/conversations/delete', unread)).toBe(403)
    expect((await storedDoc(store, 'alice')).getText('t').toString()).not.toContain('mine')
  })
})
