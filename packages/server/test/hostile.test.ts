import { Agent, request as plainRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type Answer, messages, openDevice, send } from './support/gateway.js'
import { type Running, startServer } from './support/harness.js'

const IDS = [
  'a:b:c',
  'x|y',
  'a:1:2|b:2:3',
  'a-b',
  'c1@t9',
  '100%',
  '%2F',
  '🙂',
  '🙂'.repeat(100),
  'x'.repeat(200),
  ' ',
  '../..',
  '__proto__',
  '"\\',
]

const headers = { token: 'alice' }

async function world(): Promise<Running> {
  const running = await startServer()
  const alice = await openDevice(running, 'alice')
  await alice.act((store) =>
    store.receive(IDS.flatMap((channelId) => messages({ channelId, channelType: 2 }, ['bob', 'bob']))),
  )
  return running
}

const names = ({ body }: Answer): string[] =>
  (body.conversations ?? body).map(({ channel_id }: { channel_id: string }) => channel_id).sort()

describe('hostile input', () => {
  it('ids of all kinds come out, are listed by clients, and are acted on', async () => {
    const running = await world()
    const all = await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 }, headers)
    expect(names(all)).toEqual([...IDS].sort())
    const { version } = await running.store.load('alice')
    const lastMsgSeqs = IDS.map((id) => `${id}:2:2`).join('|')
    const same = { msg_count: 1, version, last_msg_seqs: lastMsgSeqs }
    expect(names(await send(running, 'POST', '/v1/conversation/sync', same, headers))).toEqual([])
    for (const id of IDS) {
      const path = `/v1/conversations/${encodeURIComponent(id)}/2`
      const extra = await send(running, 'POST', `${path}/extra`, { draft: id }, headers)
      expect([id, extra.status]).toEqual([id, 200])
      const body = { channel_id: id, channel_type: 2, unread: 0 }
      expect((await send(running, 'PUT', '/v1/coversation/clearUnread', body, headers)).status).toBe(200)
    }
    const extras = await send(running, 'POST', '/v1/conversation/extra/sync', { version: 0 }, headers)
    expect(extras.body.map(({ draft }: { draft: string }) => draft).sort()).toEqual([...IDS].sort())
    const read = await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 }, headers)
    expect(read.body.conversations.every(({ unread }: { unread?: number }) => unread === undefined)).toBe(
      true,
    )
  })

  it('takes ids as a web app puts them into the address, without encoding', async () => {
    const running = await world()
    for (const id of ['a:b:c', 'x|y', 'c1@t9']) {
      const status = await new Promise<number>((resolve, reject) => {
        const path = `/v1/conversations/${id}/2/extra`
        const options = {
          method: 'POST',
          port: running.port,
          path,
          headers: { ...headers, 'content-type': 'application/json' },
          agent: new Agent(),
        }
        const sent = plainRequest(options, (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        sent.on('error', reject)
        sent.end('{"draft":"x"}')
      })
      expect([id, status]).toEqual([id, 200])
    }
  })

  it('a client that lists 10,000 conversations, most of them unknown', async () => {
    const running = await world()
    const listed = Array.from({ length: 10_000 }, (_, n) => `unknown ${n} ${'x'.repeat(180)}:2:7`)
    const body = { uid: 'alice', version: 1, msg_count: 1, last_msg_seqs: [...listed, 'a-b:2:1'].join('|') }
    const started = Date.now()
    const answer = await send(running, 'POST', '/conversation/sync', body)
    expect([answer.status, answer.body.length]).toEqual([200, IDS.length])
    expect(Date.now() - started).toBeLessThan(2000)
  })

  it('[G8] whatever else is wrong is refused, and changes nothing', async () => {
    const running = await world()
    const { version } = await running.store.load('alice')
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const cases: Array<['POST' | 'PUT' | 'DELETE', string, unknown]> = [
      ['POST', '/conversation/sync', '{"uid":"alice","msg_count":'],
      ['POST', '/conversation/sync', { uid: ['alice'] }],
      ['POST', '/conversation/sync', { uid: 'x'.repeat(201), msg_count: 1 }],
      ['POST', '/conversation/sync', '{"uid":"\\ud800","msg_count":1}'],
      ['POST', '/conversation/sync', { uid: 'alice', last_msg_seqs: 7 }],
      ['POST', '/conversation/sync', { uid: 'alice', exclude_channel_types: [{}] }],
      ['POST', '/conversation/sync', `{"uid":"alice","version":${deep}}`],
      ['POST', '/conversations/delete', { uid: 'alice', channel_id: 'x'.repeat(201), channel_type: 2 }],
      ['POST', '/conversations/delete', { uid: 'alice', channel_id: 'a-b', channel_type: -2 }],
      ['POST', '/conversations/delete', { uid: 'alice', channel_id: 'a-b', channel_type: 1e9 }],
      ['POST', '/conversations/setUnread', { uid: 'alice', channel_id: 'a-b', channel_type: 2, unread: 1.5 }],
      ['DELETE', '/v1/conversations/a-b/group', undefined],
      ['DELETE', '/v1/conversations/%ff/2', undefined],
      ['POST', '/v1/conversations/a-b/2/extra', { draft: { a: 1 } }],
      ['POST', '/v1/conversations/a-b/2/extra', { draft: 'x'.repeat(100_000) }],
      ['POST', '/v1/conversations/a-b/999/extra', { draft: 'x' }],
      ['POST', '/v1/message/reminder/done', 7],
      [
        'POST',
        '/v1/ingest/messages',
        `{"messages":[{"channel_id":"a-b","channel_type":2,"message_seq":9,"timestamp":1,"recipients":["alice"],"payload":{"type":1,"deep":${deep}}}]}`,
      ],
      [
        'POST',
        '/v1/ingest/messages',
        {
          ...{ channel_id: 'a-b', channel_type: 2, message_seq: 9, timestamp: 1, recipients: ['alice'] },
          payload: Buffer.from(`{"type":1,"deep":${deep}}`).toString('base64'),
        },
      ],
    ]
    for (const [method, path, body] of cases) {
      const answer = await send(running, method, path, body, headers)
      expect([path, JSON.stringify(body)?.slice(0, 60), answer.status]).toEqual([
        path,
        JSON.stringify(body)?.slice(0, 60),
        400,
      ])
    }
    expect((await running.store.load('alice')).version).toBe(version)
    const huge = `{"uid":"alice","last_msg_seqs":"${'x'.repeat(9_000_000)}"}`
    expect((await send(running, 'POST', '/conversation/sync', huge)).body).toMatchObject({ status: 413 })
  })
})
