import { gzipSync } from 'node:zlib'
import { createStore } from '@parley/core'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createJwtAuthenticate } from '../src/index.js'
import { send } from './support/gateway.js'
import { type Running, startServer, storedDoc } from './support/harness.js'

const INGEST = '/v1/ingest/messages'
const CHANNEL = { channel_id: 'g', channel_type: 2 }
const list = <Item>(length: number, make: (index: number) => Item): Item[] =>
  Array.from({ length }, (_, index) => make(index))

const message = (seq: number, more: object = {}): object => ({
  ...CHANNEL,
  message_seq: seq,
  from_uid: 'bob',
  timestamp: 1_204_353_600 + seq,
  payload: { type: 1, content: `message ${seq}` },
  recipients: ['alice'],
  ...more,
})

async function lastOf({ store }: Running, channelId = 'g') {
  const opened = createStore({ doc: await storedDoc(store, 'alice'), userId: 'alice' })
  return opened.conversation({ channelId, channelType: 2 }).getSnapshot()
}

describe('a request', () => {
  it('[HTTP5] that names a channel several times is answered once', async () => {
    const running = await startServer()
    await send(running, 'POST', INGEST, message(3))
    const body = { uid: 'alice', msg_count: 1, channels: list(3_000, () => CHANNEL) }
    for (const [name, count] of [
      ['syncByChannels', (answer: { length: number }) => answer.length],
      ['syncMessages', (answer: { length: number }) => answer.length],
      ['retry', (answer: { conversations: { length: number } }) => answer.conversations.length],
    ] as ReadonlyArray<[string, (answer: never) => number]>) {
      const answer = await send(running, 'POST', `/conversation/${name}`, body)
      expect([name, answer.status, count(answer.body as never)]).toEqual([name, 200, 1])
    }
  })

  it('[HTTP5] that names too much is refused with the member and the limit, and changes nothing', async () => {
    const running = await startServer()
    const channels = list(10_001, () => CHANNEL)
    for (const name of ['syncByChannels', 'syncMessages', 'retry']) {
      const answer = await send(running, 'POST', `/conversation/${name}`, { uid: 'alice', channels })
      expect([answer.status, answer.body.msg]).toEqual([
        400,
        'channels must be an array of at most 10000 entries, not 10001',
      ])
    }
    const types = { uid: 'alice', msg_count: 1, exclude_channel_types: list(1_001, () => 9) }
    expect((await send(running, 'POST', '/conversation/sync', types)).status).toBe(400)
    const many = await send(running, 'POST', INGEST, {
      messages: list(51, (index) => message(index + 1, { recipients: undefined })),
      recipients: list(10_000, (index) => `u${index}`),
    })
    expect([many.status, many.body.msg]).toEqual([400, expect.stringContaining('at most 500000 recipients')])
    expect((await running.store.load('u1')).version).toBe(0)
  })

  it('[HTTP5] brings a message once to a recipient that is listed many times, packed or not', async () => {
    const running = await startServer()
    const recipients = list(20_000, () => 'alice')
    const plain = await send(running, 'POST', INGEST, message(1, { recipients }))
    expect(plain.body).toMatchObject({ messages: 1, users: 1 })
    const packed = {
      ...message(2, { recipients: undefined }),
      compress: 'gzip',
      compress_to_uids: gzipSync(JSON.stringify(recipients)).toString('base64'),
    }
    expect((await send(running, 'POST', '/v1/webhook/x?event=msg.offline', packed)).status).toBe(200)
    expect((await running.store.load('alice')).version).toBe(2)
    expect((await lastOf(running)).unread).toBe(2)
  })

  it('[HTTP6] keeps the place and the badge of a message that is too large, and stores the others', async () => {
    const running = await startServer()
    const large = { type: 1, content: 'x'.repeat(70_000), mention: { uids: ['alice'] } }
    const deep = JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`)
    const batch = [message(1), message(2, { payload: large }), message(3, { payload: deep, extra: 'x' })]
    const base64 = Buffer.from(JSON.stringify({ type: 1, content: 'y'.repeat(70_000) })).toString('base64')
    for (const answer of [
      await send(running, 'POST', INGEST, batch),
      await send(running, 'POST', '/v1/webhook/x?event=msg.notify', batch),
      await send(running, 'POST', INGEST, message(4, { channel_id: 'h', payload: base64 })),
    ])
      expect(answer.status).toBe(200)
    const { lastMessage, unread, mentions } = await lastOf(running)
    expect([lastMessage?.messageSeq, lastMessage?.payload, unread, mentions]).toEqual([
      3,
      { truncated: true },
      3,
      1,
    ])
    expect((await lastOf(running, 'h')).lastMessage?.payload).toEqual({
      type: 1,
      content: 'y'.repeat(1_000),
      truncated: true,
    })
    const values = await running.store.values.list('room:alice', { prefix: 'recents/' })
    for (const value of values.values()) expect(value.byteLength).toBeLessThan(3_000)
  })

  it('[HTTP4] counts with the bytes of its response, read or not', async () => {
    const secret = 'a secret that has at least 32 characters'
    const running = await startServer({
      auth: createJwtAuthenticate({ secret }),
      gateway: { ingestToken: 'ingest' },
      limits: { bytesPerUser: { perSecond: 1, burst: 20_000 } },
    })
    const all = list(100, (index) => message(1, { channel_id: `g${index}` }))
    await send(running, 'POST', INGEST, all, { authorization: 'Bearer ingest' })
    const token = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret))
    const body = { uid: 'alice', version: 0, msg_count: 1 }
    expect((await send(running, 'POST', '/conversation/sync', body, { token })).status).toBe(200)
    expect((await send(running, 'POST', '/conversation/sync', body, { token })).status).toBe(429)
  })
})
