import { encodeAcknowledgeRequest, SUBPROTOCOL } from '@parley/core'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  createMemoryLog,
  defaultLimits,
  type Limits,
  type Refusal,
  ServerError,
  type ServerOptions,
} from '../src/index.js'
import {
  connectRaw,
  connectStock,
  isSyncAnswer,
  type RawClient,
  startServer,
  syncMessage,
  textUpdate,
  until,
} from './support/harness.js'

const NEVER = { perSecond: 0.001, burst: 3 }
const NOTHING_MORE = syncMessage(1, new Uint8Array([0, 0]))

/** A server behind a proxy that says where clients are, as the tests do. */
async function start(limits: Partial<Limits>, options: Partial<ServerOptions> = {}) {
  const refusals: Refusal[] = []
  const running = await startServer({
    auth: ({ uid = '', token = uid }) => ({ uid: token === 'service' ? uid : token, subject: token }),
    trustProxy: ['loopback'],
    onRefused: (refusal) => refusals.push(refusal),
    limits,
    ...options,
  })
  const enter = (uid: string, address: string, token = uid): Promise<RawClient> =>
    connectRaw(`${running.room(uid)}?token=${token}`, {
      protocols: [SUBPROTOCOL],
      headers: { 'x-forwarded-for': address },
    })
  const entered = async (uid: string, address: string, token?: string): Promise<RawClient> => {
    const client = await enter(uid, address, token)
    await client.frame((frame) => frame[0] === 0)
    return client
  }
  const ask = (uid: string, address: string, token = uid): Promise<Response> => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address, token }
    const body = JSON.stringify({ uid, msg_count: 1 })
    return fetch(`${running.url}/conversation/sync`, { method: 'POST', headers, body })
  }
  return { ...running, refusals, enter, entered, ask }
}

const tooMany = (what: string) => ({ code: 4529, reason: `too many ${what}` })

describe('how much is taken of an address', () => {
  it('[A15] so many connections, those that wait to be let in included; a place that is left is free', async () => {
    let letIn = (): void => {}
    const { enter, entered, room } = await start(
      { connectionsPerAddress: 2 },
      {
        auth: async ({ uid = '' }) => {
          if (uid === 'slow') await new Promise<void>((resolve) => (letIn = resolve))
          return { uid }
        },
      },
    )
    const first = await entered('alice', '198.51.100.7')
    const waiting = enter('slow', '198.51.100.7')
    const third = await enter('bob', '198.51.100.7')
    expect(await third.closed).toEqual(tooMany('connections from one address'))
    await entered('bob', '198.51.100.8')
    // This machine itself is no such address.
    await Promise.all(Array.from({ length: 4 }, () => connectRaw(room('carol'))))
    letIn()
    await waiting
    first.socket.close()
    await first.closed
    await until('the place is free', async () => {
      const again = await enter('alice', '198.51.100.7')
      return Promise.race([again.frame(() => true).then(() => true), again.closed.then(() => false)])
    })
  })

  it('[A15] so many attempts, refused or not, and an IPv6 network counts as one', async () => {
    const { enter, entered, refusals } = await start({ upgradesPerAddress: NEVER })
    for (const last of ['1', '2', '3']) {
      const client = await enter('alice', `2001:db8::${last}`, 'bob')
      expect(await client.closed).toMatchObject({ code: 4403 })
    }
    const fourth = await enter('alice', '2001:db8::4')
    expect(await fourth.closed).toEqual(tooMany('attempts to connect from one address'))
    expect(refusals.at(-1)).toMatchObject({ kind: 'rate-limited', remoteAddress: '2001:db8::4' })
    await entered('alice', '2001:db8:0:1::1')
  })

  it('[A15] so many rooms, messages and bytes, over all its connections', async () => {
    const { enter, entered } = await start({
      roomsPerAddress: 2,
      messagesPerAddress: { perSecond: 0.001, burst: 10 },
      bytesPerAddress: { perSecond: 0.001, burst: 10_000 },
    })
    const clients = [
      await entered('a', '198.51.100.7', 'service'),
      await entered('b', '198.51.100.7', 'service'),
    ]
    await entered('b', '198.51.100.7', 'service')
    const third = await enter('c', '198.51.100.7', 'service')
    expect(await third.closed).toEqual(tooMany('rooms from one address'))
    for (let n = 0; n < 6; n++) for (const client of clients) client.send(3)
    expect(await Promise.race(clients.map(({ closed }) => closed))).toEqual(
      tooMany('messages a second from one address'),
    )
    const [large, small] = [
      await entered('d', '198.51.100.8', 'service'),
      await entered('e', '198.51.100.8', 'service'),
    ]
    large.send(NOTHING_MORE)
    large.send(syncMessage(2, textUpdate('x'.repeat(20_000))))
    large.send(encodeAcknowledgeRequest(1))
    await Promise.race([large.closed, large.frame((frame) => frame[0] === 112)])
    small.send(3)
    expect(await small.closed).toEqual(tooMany('bytes a second from one address'))
  })

  it('[A15] so many requests by HTTP: 429, and when to ask again', async () => {
    const { ask, url, refusals } = await start({ requestsPerAddress: { perSecond: 0.1, burst: 3 } })
    const from = '198.51.100.7'
    const statuses: number[] = []
    for (let n = 0; n < 3; n++) statuses.push((await ask('alice', from)).status)
    expect(statuses).toEqual([200, 200, 200])
    const fourth = await ask('alice', from)
    expect(fourth.status).toBe(429)
    expect(Number(fourth.headers.get('retry-after'))).toBeGreaterThanOrEqual(10)
    expect(await fourth.json()).toMatchObject({ error: 'rate-limited', status: 429 })
    expect(refusals).toMatchObject([{ kind: 'rate-limited', at: 'http', code: 429, remoteAddress: from }])
    expect((await ask('alice', '198.51.100.8')).status).toBe(200)
    expect((await fetch(`${url}/healthz`, { headers: { 'x-forwarded-for': from } })).status).toBe(429)
  })

  it('[A15] whoever brings messages with the token for it is not counted, whoever guesses it is', async () => {
    const { url } = await start({ requestsPerAddress: NEVER }, { gateway: { ingestToken: 'the-token' } })
    const bring = async (token: string, address: string): Promise<number> => {
      const message = { channel_id: 'bob', channel_type: 1, message_seq: 1, from_uid: 'bob', timestamp: 1 }
      const { status } = await fetch(`${url}/v1/ingest/messages`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-forwarded-for': address,
          authorization: `Bearer ${token}`,
        },
        body: JSON.stringify({ ...message, recipients: ['alice'] }),
      })
      return status
    }
    for (let n = 0; n < 10; n++) expect(await bring('the-token', '198.51.100.7')).toBe(200)
    const guesses = []
    for (let n = 0; n < 6; n++) guesses.push(await bring(`guess-${n}`, '198.51.100.8'))
    expect(guesses.slice(0, 3)).toEqual([401, 401, 401])
    expect(guesses.at(-1)).toBe(429)
  })
})

describe('how much is taken of a user', () => {
  it('[A15] so many connections, messages and bytes, wherever from', async () => {
    const { enter, entered } = await start({
      connectionsPerUser: 2,
      messagesPerUser: { perSecond: 0.001, burst: 10 },
    })
    const clients = [await entered('alice', '198.51.100.1'), await entered('alice', '198.51.100.2')]
    expect(await (await enter('alice', '198.51.100.3')).closed).toEqual(tooMany('connections of one user'))
    const bob = await entered('bob', '198.51.100.1')
    for (let n = 0; n < 6; n++) for (const client of clients) client.send(3)
    expect(await Promise.race(clients.map(({ closed }) => closed))).toEqual(
      tooMany('messages a second of one user'),
    )
    bob.send(0, 0, 1, 0)
    await bob.frame(isSyncAnswer)
  })

  it('[A15] so many requests by HTTP, whereas a service asks as often as it likes', async () => {
    const { ask } = await start({ requestsPerUser: NEVER })
    const statuses: number[] = []
    for (let n = 0; n < 4; n++) statuses.push((await ask('alice', `198.51.100.${n}`)).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    for (let n = 0; n < 10; n++) expect((await ask('alice', '198.51.100.9', 'service')).status).toBe(200)
    expect((await ask('bob', '198.51.100.1')).status).toBe(200)
  })

  it('[A15] so much that is not complete, on all connections together', async () => {
    const { entered, server } = await start({ unfinishedBytes: 300_000 })
    const clients = await Promise.all(Array.from({ length: 5 }, () => entered('alice', '198.51.100.7')))
    const bob = await entered('bob', '198.51.100.7')
    // The beginning of a frame of a megabyte each, which never ends.
    for (const client of clients) client.socket.send(new Uint8Array(100_000), { fin: false })
    const codes = await Promise.all(
      clients.map(({ closed }) =>
        Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1_000, null))]),
      ),
    )
    const refused = codes.filter((closed) => closed !== null)
    expect(refused.length).toBeGreaterThan(0)
    for (const closed of refused) expect(closed).toEqual(tooMany('unfinished messages of one user'))
    expect(server.connections).toBe(1 + clients.length - refused.length)
    bob.send(0, 0, 1, 0)
    await bob.frame(isSyncAnswer)
  })
})

describe('how much is taken of a connection', () => {
  it('[A15] so many messages; what came before is stored, and the client may come again', async () => {
    const { entered, store } = await start({ messagesPerConnection: { perSecond: 0.001, burst: 5 } })
    const client = await entered('alice', '198.51.100.7')
    client.send(syncMessage(1, textUpdate('first')))
    client.send(encodeAcknowledgeRequest(1))
    await client.frame((frame) => frame[0] === 112)
    for (let n = 0; n < 10; n++) client.send(3)
    expect(await client.closed).toEqual(tooMany('messages a second on one connection'))
    expect((await store.load('alice')).version).toBe(1)
    await entered('alice', '198.51.100.7')
  })

  it('[A15] a request for all costs more than other messages', async () => {
    const { entered } = await start({ messagesPerConnection: { perSecond: 0.001, burst: 100 } })
    const client = await entered('alice', '198.51.100.7')
    for (let n = 0; n < 20; n++) client.send(0, 0, 1, 0)
    expect(await client.closed).toEqual(tooMany('messages a second on one connection'))
    expect(client.frames.filter(isSyncAnswer).length).toBeLessThanOrEqual(5)
  })

  it('[A15] an honest client meets none of the limits that are the default', {
    timeout: 30_000,
  }, async () => {
    const { url, refusals, server, port } = await start({})
    const headers = { 'x-forwarded-for': '198.51.100.7' }
    const client = connectStock({ url }, 'alice', { params: { token: 'alice' } })
    await client.synced
    // 10,000 conversations at once, then each change by itself.
    const entries = client.doc.getArray<string>('e0')
    client.doc.transact(() =>
      entries.push(Array.from({ length: 10_000 }, (_, n) => `conversation ${n}\t${'x'.repeat(250)}`)),
    )
    for (let n = 0; n < 5_000; n++) entries.push([`change ${n}`])
    const raw = await connectRaw(`ws://127.0.0.1:${port}/sync/alice?token=alice`, { headers })
    raw.send(0, 0, 1, 0)
    await raw.frame(isSyncAnswer)
    await until('all is stored', async () => {
      const lease = await server.rooms.acquire('alice')
      const { length } = lease.document.doc.getArray('e0')
      lease.release()
      return length === 15_000
    })
    expect(refusals).toEqual([])
    expect(defaultLimits.bytesPerConnection.burst).toBeGreaterThanOrEqual(2 * defaultLimits.documentBytes)
  })
})

describe('how much is taken in all', () => {
  it('[A15] so many connections and rooms: 4503', async () => {
    const { enter, entered } = await start({ connections: 3, rooms: 2 })
    await entered('alice', '198.51.100.1')
    const bob = await entered('bob', '198.51.100.1')
    const third = await enter('carol', '198.51.100.1')
    expect(await third.closed).toMatchObject({ code: 4503, reason: expect.stringContaining('rooms') })
    await entered('bob', '198.51.100.1')
    const fifth = await enter('alice', '198.51.100.1')
    expect(await fifth.closed).toMatchObject({ code: 4503, reason: expect.stringContaining('connections') })
    bob.socket.close()
    await bob.closed
  })
})

describe('the log of a room', () => {
  it('[R21] does not grow without end while it cannot be compacted, and goes on once it can', async () => {
    const store = createMemoryLog()
    let broken = true
    const { room, refusals } = await start(
      { logBytes: 50_000 },
      {
        auth: 'open',
        store: {
          ...store,
          async compact(uid, compaction) {
            if (broken) throw new ServerError('store-unavailable', 'the disk is full')
            await store.compact(uid, compaction)
          },
        },
      },
    )
    const write = async (client: number): Promise<string> => {
      const raw = await connectRaw(room('alice'), { protocols: [SUBPROTOCOL] })
      raw.send(NOTHING_MORE)
      raw.send(syncMessage(2, textUpdate('x'.repeat(20_000), client)))
      raw.send(encodeAcknowledgeRequest(1))
      const stored = raw.frame((frame) => frame[0] === 112).then(() => 'stored')
      const outcome = await Promise.race([stored, raw.closed.then(({ code, reason }) => `${code} ${reason}`)])
      raw.socket.terminate()
      return outcome
    }
    const full = '4503 the log of the room has to be compacted first'
    const outcomes = []
    for (let client = 1; client <= 5; client++) outcomes.push(await write(client))
    expect(outcomes).toEqual(['stored', 'stored', 'stored', full, full])
    expect(refusals.at(-1)).toMatchObject({ kind: 'store-unavailable', room: 'alice' })
    const reader = await connectRaw(room('alice'))
    reader.send(0, 0, 1, 0)
    await reader.frame(isSyncAnswer)
    broken = false
    await until('it is compacted', async () => (await write(9)) === 'stored')
    expect((await store.size('alice'))?.snapshotBytes).toBeGreaterThan(50_000)
  })
})

describe('awareness', () => {
  it('[A16] of more than 4 KiB is not passed on, and what comes too often later; the connection stays', async () => {
    const running = await startServer()
    const [one, other] = [connectStock(running, 'alice'), connectStock(running, 'alice')]
    await Promise.all([one.synced, other.synced])
    const seen: unknown[] = []
    const state = (): Record<string, unknown> | undefined =>
      other.provider.awareness.getStates().get(one.doc.clientID)
    other.provider.awareness.on('change', () => seen.push(state()?.cursor))
    one.provider.awareness.setLocalState({ cursor: 'x'.repeat(5_000) })
    for (let cursor = 1; cursor <= 50; cursor++) one.provider.awareness.setLocalState({ cursor })
    await until('the newest arrives', () => state()?.cursor === 50)
    expect(seen.length).toBeLessThan(6)
    expect(seen).not.toContain('x'.repeat(5_000))
    one.doc.getText('t').insert(0, 'still synced')
    await until('it is', () => other.doc.getText('t').toString() === 'still synced')
    expect([...one.closes, ...other.closes]).toEqual([])
    expect(Y.encodeStateAsUpdate(one.doc).byteLength).toBeGreaterThan(0)
  })
})
