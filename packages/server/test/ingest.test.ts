import { gzipSync } from 'node:zlib'
import { createStore } from '@parley/core'
import { describe, expect, it, vi } from 'vitest'
import { AccessError, createMemoryLog, createServer, ServerError } from '../src/index.js'
import { type Answer, send } from './support/gateway.js'
import { connectStock, type Running, startServer, storedDoc, until } from './support/harness.js'

const INGEST = '/v1/ingest/messages'
const WEBHOOK = '/v1/webhook/w3bhook'

// biome-ignore lint/suspicious/noExplicitAny: a message of somebody else's server
const message = (seq: number, more: object = {}): any => ({
  header: { no_persist: 0, red_dot: 1, sync_once: 0 },
  message_id: 1000 + seq,
  message_idstr: String(1000 + seq),
  client_msg_no: `no-${seq}`,
  message_seq: seq,
  from_uid: 'bob',
  channel_id: 'ubuntu',
  channel_type: 2,
  timestamp: 1_204_353_600 + seq,
  payload: Buffer.from(JSON.stringify({ type: 1, content: `message ${seq}` })).toString('base64'),
  ...more,
})

const list = async (running: Running, uid: string, body: object = {}): Promise<Answer['body']> =>
  (await send(running, 'POST', '/conversation/sync', { uid, msg_count: 10, ...body })).body
// biome-ignore lint/suspicious/noExplicitAny: tests look into it
const seqs = (item: any): number[] =>
  item.recents.map(({ message_seq }: { message_seq: number }) => message_seq)

describe('POST /v1/ingest/messages', () => {
  it('takes one message, or many, for the recipients it names', async () => {
    const running = await startServer()
    const one = await send(running, 'POST', INGEST, message(1, { recipients: ['alice', 'carol'] }))
    expect(one).toEqual({ status: 200, body: { status: 200, messages: 1, users: 2, skipped: 0 } })
    const many = { recipients: ['alice'], messages: Array.from({ length: 3000 }, (_, n) => message(n + 2)) }
    expect((await send(running, 'POST', INGEST, many)).body).toMatchObject({ messages: 3000, users: 1 })
    const [item] = await list(running, 'alice')
    expect([item.unread, item.last_msg_seq, seqs(item)]).toEqual([
      3001,
      3001,
      [3001, 3000, 2999, 2998, 2997, 2996, 2995, 2994, 2993, 2992],
    ])
    expect((await list(running, 'carol'))[0]).toMatchObject({ unread: 1, last_msg_seq: 1 })
  })

  it('takes a person message for both, each in the conversation with the other', async () => {
    const running = await startServer()
    await send(running, 'POST', INGEST, message(1, { channel_id: 'alice', channel_type: 1 }))
    expect((await list(running, 'alice'))[0]).toMatchObject({ channel_id: 'bob', unread: 1 })
    expect((await list(running, 'bob'))[0]).toMatchObject({ channel_id: 'alice', unread: 0 })
  })

  it('gives back what it was given', async () => {
    const running = await startServer()
    const given = message(1, { message_id: 0, message_idstr: '9223372036854775807', topic: 'x', setting: 3 })
    await send(running, 'POST', INGEST, { ...given, recipients: ['alice'] })
    const [item] = await list(running, 'alice')
    const decode = (payload: string): unknown => JSON.parse(Buffer.from(payload, 'base64').toString())
    const { message_id, payload, ...kept } = item.recents[0]
    const { message_id: _, payload: sent, ...rest } = given
    expect(kept).toEqual(rest)
    expect(decode(payload)).toEqual(decode(sent))
    expect(String(message_id)).toMatch(/^922337203685477/)
  })

  it('[G6] changes nothing the second time, in any order', async () => {
    const running = await startServer()
    const batch = [3, 1, 2].map((seq) => message(seq, { recipients: ['alice'] }))
    await send(running, 'POST', INGEST, batch)
    const before = [await list(running, 'alice'), (await running.store.load('alice')).version]
    for (const again of [batch, [...batch].reverse(), batch.slice(1)]) {
      expect((await send(running, 'POST', INGEST, again)).status).toBe(200)
    }
    expect([await list(running, 'alice'), (await running.store.load('alice')).version]).toEqual(before)
  })

  it('has an edited or recalled message from then on, whichever comes first', async () => {
    const running = await startServer()
    const recalled = message(2, { revoke: 1, extra_version: 5, recipients: ['alice'] })
    await send(running, 'POST', INGEST, [recalled, message(3, { recipients: ['alice'] })])
    await send(running, 'POST', INGEST, message(2, { recipients: ['alice'] }))
    const [{ recents }] = await list(running, 'alice')
    expect(recents[1]).toMatchObject({ message_seq: 2, revoke: 1 })
    expect(Buffer.from(recents[1].payload, 'base64').toString()).not.toContain('message 2')
  })

  it('[G6] refuses a message nobody may have, naming the member, and takes in nothing of the request', async () => {
    const running = await startServer()
    const good = message(1, { recipients: ['alice'] })
    const cases: Array<[unknown, RegExp]> = [
      [[good, message(2)], /^messages\[1\]\.recipients must be given/],
      [
        { messages: [good, message(2, { message_seq: 0, recipients: ['alice'] })] },
        /messages\[1\]\.message_seq/,
      ],
      [[good, message(2, { recipients: ['alice', 'x'.repeat(201)] })], /messages\[1\]\.recipients\[1\]/],
      [[good, message(2, { recipients: 'alice' })], /body\/1\/recipients/],
      [[good, message(2, { channel_type: 300, recipients: ['alice'] })], /channelType/],
      [[good, message(2, { channel_id: 'alice', channel_type: 1, recipients: ['eve'] })], /eve does not/],
      [[good, message(2, { payload: '%%%', recipients: ['alice'] })], /messages\[1\]\.payload/],
      [[good, 7], /body\/1/],
      [{ messages: 'x' }, /messages/],
    ]
    for (const [body, said] of cases) {
      const answer = await send(running, 'POST', INGEST, body)
      expect([answer.status, answer.body.status]).toEqual([400, 400])
      expect(answer.body.msg).toMatch(said)
    }
    expect((await running.store.load('alice')).version).toBe(0)
  })

  it('[G12] reaches who is connected though the store failed to say that it is stored, and it is brought again', async () => {
    const store = createMemoryLog()
    const running = await startServer({ store, timing: { pollMs: 20 } })
    const { doc } = connectStock(running, 'alice')
    const alice = createStore({ userId: 'alice', doc })
    const { appendOwn } = store
    vi.spyOn(store, 'appendOwn').mockImplementationOnce(async (...call) => {
      await appendOwn(...call)
      throw new ServerError('store-unavailable', 'The connection was lost')
    })
    const batch = message(1, { recipients: ['alice'] })
    expect((await send(running, 'POST', INGEST, batch)).status).toBe(503)
    expect((await send(running, 'POST', INGEST, batch)).status).toBe(200)
    const ubuntu = alice.conversation({ channelId: 'ubuntu', channelType: 2 })
    await until('the message is there', () => ubuntu.getSnapshot().unread === 1)
  })

  it('leaves out commands and what is not kept', async () => {
    const running = await startServer()
    const batch = [
      message(1, { header: { no_persist: 1 } }),
      message(2, { payload: { type: 99, cmd: 'x' } }),
      message(3, { channel_id: 'live', channel_type: 9 }),
      message(4),
    ]
    const { body } = await send(running, 'POST', INGEST, { messages: batch, recipients: ['alice'] })
    expect(body).toEqual({ status: 200, messages: 1, users: 1, skipped: 3 })
  })

  it('knows the members that were put, or asks the app', async () => {
    const put = await startServer()
    expect(
      (await send(put, 'PUT', '/v1/channels/2/ubuntu/members', { members: ['alice', 'bob', 'alice'] }))
        .status,
    ).toBe(200)
    expect((await send(put, 'POST', INGEST, message(1))).body).toMatchObject({ users: 2 })
    const odd = encodeURIComponent('a/b|c:2@%🙂')
    await send(put, 'PUT', `/v1/channels/2/${odd}/members`, ['carol'])
    await send(put, 'POST', INGEST, message(1, { channel_id: 'a/b|c:2@%🙂' }))
    expect((await list(put, 'carol'))[0].channel_id).toBe('a/b|c:2@%🙂')

    const hook = await startServer({
      gateway: { members: async ({ channelId }) => (channelId === 'ubuntu' ? ['dave'] : null) },
    })
    expect((await send(hook, 'POST', INGEST, message(1))).body).toMatchObject({ users: 1 })
    expect((await send(hook, 'POST', INGEST, message(1, { channel_id: 'other' }))).status).toBe(400)
  })

  it('reaches the devices that are connected', async () => {
    const running = await startServer()
    const client = connectStock(running, 'alice')
    await client.synced
    await send(running, 'POST', INGEST, message(1, { recipients: ['alice'] }))
    const view = createStore({ userId: 'alice', doc: client.doc })
    const { getSnapshot } = view.conversation({ channelId: 'ubuntu', channelType: 2 })
    await until('the message is on the device', () => getSnapshot().lastMessage?.messageSeq === 1)
  })

  it('[G4] [G6] answers 200 only for what is durable, and 503 when it is not', async () => {
    const store = createMemoryLog()
    const running = await startServer({ store })
    const { appendOwn } = store
    store.appendOwn = async () => {
      throw new ServerError('store-unavailable', 'disk full')
    }
    const answer = await send(running, 'POST', INGEST, message(1, { recipients: ['alice'] }))
    expect(answer).toEqual({ status: 503, body: { msg: 'the store is not available now', status: 503 } })
    store.appendOwn = appendOwn
    expect((await send(running, 'POST', INGEST, message(1, { recipients: ['alice'] }))).status).toBe(200)
    expect((await storedDoc(store, 'alice')).store.clients.size).toBe(1)
  })

  it('[G12] loads no document for who is away, gives a version at once, and leaves one writer and what is newest', async () => {
    const running = await startServer({ timing: { roomIdleMs: 10 } })
    const { store, server } = running
    const load = vi.spyOn(store, 'load')
    const recipients = Array.from({ length: 50 }, (_, n) => `user ${n}`)
    for (let seq = 1; seq <= 20; seq++) {
      expect((await send(running, 'POST', INGEST, message(seq, { recipients }))).body).toMatchObject({
        users: 50,
      })
    }
    expect(load).not.toHaveBeenCalled()
    expect([...(await store.heads(recipients)).values()]).toEqual(recipients.map(() => 20))
    const [item] = await list(running, 'user 7')
    expect([item.version, item.unread, seqs(item)]).toEqual([
      20,
      20,
      [20, 19, 18, 17, 16, 15, 14, 13, 12, 11],
    ])
    expect((await storedDoc(store, 'user 7')).store.clients.size).toBe(1)
    server.rooms.tidy('user 7')
    await until('the room is compacted', async () => (await store.load('user 7')).rows.length === 0)
    const { snapshot } = await store.load('user 7')
    const texts = Buffer.from(snapshot?.update ?? []).toString('latin1')
    expect([texts.includes('message 20'), texts.includes('message 19')]).toEqual([true, false])
    expect((await list(running, 'user 7'))[0]).toMatchObject({ unread: 20, last_msg_seq: 20 })
  })

  it('[G12] reaches who is connected, in the order of versions, with what devices write at the same time', async () => {
    const running = await startServer()
    const device = await connectStock(running, 'alice')
    const view = createStore({ userId: 'alice', doc: device.doc })
    const writes = Array.from({ length: 30 }, async (_, n) => {
      device.doc.getArray('x').push([n])
      await send(running, 'POST', INGEST, message(n + 1, { recipients: ['alice', 'bob'] }))
    })
    await Promise.all(writes)
    const ubuntu = view.conversation({ channelId: 'ubuntu', channelType: 2 })
    await until('the device has all messages', () => ubuntu.getSnapshot().lastMessage?.messageSeq === 30)
    expect(ubuntu.getSnapshot().unread).toBe(30)
    await until(
      'what it wrote is stored',
      async () => (await storedDoc(running.store, 'alice')).getArray('x').length === 30,
    )
    const stored = createStore({ userId: 'alice', doc: await storedDoc(running.store, 'alice') })
    expect(stored.export()).toEqual(view.export())
  })

  it('[G12] tidies up a log that grows without anybody looking', async () => {
    const running = await startServer()
    for (let first = 0; first < 600; first += 5) {
      const messages = Array.from({ length: 5 }, (_, n) =>
        message(first + n + 1, { channel_id: `group ${n}` }),
      )
      await send(running, 'POST', INGEST, { recipients: ['alice'], messages })
    }
    // 600 entries: after 512 it was time.
    await until('the log is compacted', async () => (await running.store.load('alice')).snapshot !== null)
    const kept = await running.store.values.list('room:alice', { prefix: 'recents/' })
    await until(
      'old messages are let go of',
      async () => (await running.store.values.list('room:alice', { prefix: 'recents/' })).size < 600,
    )
    expect(kept.size).toBeGreaterThanOrEqual(50)
    expect((await list(running, 'alice')).map(seqs)).toHaveLength(5)
  })

  it('[G6] keeps the later edition of a message, whatever comes after it, and nothing of one that was recalled', async () => {
    const running = await startServer()
    const edited = message(1, {
      recipients: ['alice'],
      message_extra: { content_edit: { type: 1, content: 'edited' }, extra_version: 2 },
    })
    const recalled = message(2, { recipients: ['alice'], message_extra: { revoke: 1, extra_version: 1 } })
    for (const one of [
      message(1, { recipients: ['alice'] }),
      message(2, { recipients: ['alice'] }),
      edited,
      recalled,
    ]) {
      expect((await send(running, 'POST', INGEST, one)).status).toBe(200)
    }
    const before = (await running.store.load('alice')).version
    for (const one of [
      message(2, { recipients: ['alice'] }),
      message(1, { recipients: ['alice'] }),
      edited,
      recalled,
    ]) {
      expect((await send(running, 'POST', INGEST, one)).status).toBe(200)
    }
    expect((await running.store.load('alice')).version).toBe(before)
    const kept = await running.store.values.list('room:alice', { prefix: 'recents/' })
    const texts = [...kept.values()].map((value) => Buffer.from(value).toString())
    expect(texts.map((text) => [text.includes('edited'), text.includes('message ')])).toEqual([
      [true, false],
      [false, false],
    ])
  })

  it('takes messages only from who knows the token', async () => {
    const authenticate = () => {
      throw new AccessError('unauthenticated', 'no')
    }
    const body = message(1, { recipients: ['alice'] })
    const off = await startServer({ auth: authenticate })
    expect((await send(off, 'POST', INGEST, body)).status).toBe(403)
    for (const auth of ['open', authenticate] as const) {
      const on = await startServer({ auth, gateway: { ingestToken: 's3cret', webhookToken: 'w3bhook' } })
      expect((await send(on, 'POST', INGEST, body)).status).toBe(401)
      expect((await send(on, 'POST', INGEST, body, { authorization: 'Bearer no' })).status).toBe(401)
      expect((await send(on, 'POST', INGEST, body, { authorization: 'Bearer s3cret' })).status).toBe(200)
      expect((await send(on, 'POST', '/v1/webhook/no?event=msg.notify', [body])).status).toBe(401)
      expect((await send(on, 'POST', `${WEBHOOK}?event=msg.notify`, [body])).status).toBe(200)
      expect((await send(on, 'POST', '/v1/webhook/s3cret?event=msg.notify', [body])).status).toBe(401)
      expect((await send(on, 'PUT', '/v1/channels/2/g/members', ['a'])).status).toBe(401)
    }
  })
})

describe('POST /v1/webhook/<secret>', () => {
  it('takes msg.notify: what it can, and says what it could not', async () => {
    const running = await startServer()
    await send(running, 'PUT', '/v1/channels/2/ubuntu/members', ['alice'])
    const batch = [message(1), message(1, { channel_id: 'unknown' }), message(2)]
    const answer = await send(running, 'POST', `${WEBHOOK}?event=msg.notify`, batch)
    expect(answer.status).toBe(400)
    expect(answer.body.msg).toContain('messages[1].recipients')
    expect((await list(running, 'alice'))[0]).toMatchObject({ unread: 2, last_msg_seq: 2 })
  })

  it('takes msg.offline for those it lists, plain or compressed', async () => {
    const running = await startServer()
    const path = `${WEBHOOK}?event=msg.offline`
    expect(
      (await send(running, 'POST', path, { ...message(1), to_uids: ['alice'], source_id: 1 })).status,
    ).toBe(200)
    const packed = gzipSync(JSON.stringify(['alice', 'carol'])).toString('base64')
    const compressed = { ...message(2), to_uids: [], compress: 'gzip', compress_to_uids: packed }
    expect((await send(running, 'POST', path, compressed)).status).toBe(200)
    expect((await list(running, 'alice'))[0].last_msg_seq).toBe(2)
    const [item] = await list(running, 'carol')
    expect(item.last_msg_seq).toBe(2)
    expect(item.recents[0]).not.toHaveProperty('compress')
    const bad = { ...message(3), compress: 'gzip', compress_to_uids: 'AAAA' }
    expect((await send(running, 'POST', path, bad)).status).toBe(400)
  })

  it('answers other events, of which it knows nothing, with 200', async () => {
    const running = await startServer()
    for (const event of ['user.onlinestatus', 'something.new', '']) {
      expect((await send(running, 'POST', `${WEBHOOK}?event=${event}`, ['a-0-1-2-1-1'])).status).toBe(200)
    }
  })
})

describe('what comes in while nobody looks', () => {
  it('has a version for the next sync, and is there after a restart', async () => {
    const store = createMemoryLog()
    const keep = { ...store, close: async () => {} }
    const first = await createServer({ store: keep, auth: 'open', port: 0, timing: { drainMs: 0 } })
    const { url } = await first.listen()
    await send({ url }, 'POST', INGEST, message(1, { recipients: ['alice'] }))
    const [{ version }] = (await send({ url }, 'POST', '/conversation/sync', { uid: 'alice', msg_count: 1 }))
      .body
    await send({ url }, 'POST', INGEST, message(2, { recipients: ['alice'] }))
    await first.close()
    const running = await startServer({ store })
    const [item] = await list(running, 'alice', { version, last_msg_seqs: 'ubuntu:2:1' })
    expect([item.unread, seqs(item)]).toEqual([2, [2]])
    expect(seqs((await list(running, 'alice'))[0])).toEqual([2, 1])
  })
})
