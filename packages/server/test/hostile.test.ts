import { Agent, request as plainRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { AccessError, type Authenticate } from '../src/index.js'
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
  await alice.act((store) => {
    store.receive(IDS.flatMap((channelId) => messages({ channelId, channelType: 2 }, ['bob', 'bob'])))
    const { draft, setReminder } = store.conversation({ channelId: 'a-b', channelType: 2 })
    draft.set('typed')
    setReminder({ reminderId: '7', version: 1 })
  })
  return running
}

const names = ({ body }: Answer): string[] =>
  (body.conversations ?? body).map(({ channel_id }: { channel_id: string }) => channel_id).sort()
const versionOf = async ({ store }: Running, uid = 'alice'): Promise<number> =>
  (await store.load(uid)).version

type Method = 'POST' | 'PUT' | 'DELETE'

/** Every endpoint there is, with the names in its path filled in. */
async function endpoints({ url }: Running): Promise<Array<[method: Method, path: string]>> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>
  }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method): [Method, string] => [
      method.toUpperCase() as Method,
      path
        .replace('{channel_id}', 'a-b')
        .replace('{channel_type}', '2')
        .replace('{secret}', 'guessed?event=msg.notify'),
    ]),
  )
}

describe('ids of all kinds', () => {
  it('[G8] come out, are listed by clients, and are acted on', async () => {
    const running = await world()
    const all = await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 }, headers)
    expect(names(all)).toEqual([...IDS].sort())
    const version = await versionOf(running)
    const lastMsgSeqs = IDS.map((id) => `${id}:2:2`).join('|')
    const same = { msg_count: 1, version, last_msg_seqs: lastMsgSeqs }
    expect(names(await send(running, 'POST', '/v1/conversation/sync', same, headers))).toEqual([])
    for (const id of IDS) {
      const path = `/v1/conversations/${encodeURIComponent(id)}/2`
      const extra = await send(running, 'POST', `${path}/extra`, { draft: `<${id}>` }, headers)
      expect([id, extra.status]).toEqual([id, 200])
      const body = { channel_id: id, channel_type: 2, unread: 0 }
      expect((await send(running, 'PUT', '/v1/coversation/clearUnread', body, headers)).status).toBe(200)
    }
    const extras = await send(running, 'POST', '/v1/conversation/extra/sync', { version: 0 }, headers)
    expect(extras.body.map(({ draft }: { draft: string }) => draft).sort()).toEqual(
      IDS.map((id) => `<${id}>`).sort(),
    )
    const read = await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 }, headers)
    const unread = read.body.conversations.map((item: { unread?: number }) => item.unread)
    expect(unread).toEqual(IDS.map(() => undefined))
  })

  it('[G8] are set, cleared, listed by cursor and deleted, each without the others', async () => {
    const running = await world()
    const post = (path: string, body: object): Promise<Answer> =>
      send(running, 'POST', path, { uid: 'alice', ...body })
    for (const [place, id] of IDS.entries()) {
      const wire = { channel_id: id, channel_type: 2 }
      await post('/conversations/setUnread', { ...wire, unread: 1 })
      const retried = await post('/conversation/retry', { channels: [wire] })
      expect([names(retried), retried.body.conversations[0].unread]).toEqual([[id], 1])
      await post('/conversations/clearUnread', wire)
      await post('/conversations/activate', wire)
      await post('/conversations/delete', wire)
      const left = await post('/conversation/list', { limit: 200 })
      expect(names(left)).toEqual(IDS.slice(place + 1).sort())
    }
  })

  it('[G8] come in with messages, as channels, as members and as users', async () => {
    const running = await startServer()
    for (const [place, id] of IDS.entries()) {
      const wire = { channel_id: id, channel_type: 2, message_seq: 1, from_uid: 'bob', timestamp: 1 }
      const members = `/v1/channels/2/${encodeURIComponent(id)}/members`
      expect((await send(running, 'PUT', members, [id, 'alice'])).status).toBe(200)
      const path = place % 2 === 0 ? '/v1/ingest/messages' : '/v1/webhook/any?event=msg.notify'
      expect([id, (await send(running, 'POST', path, [wire])).status]).toEqual([id, 200])
      const own = await send(running, 'POST', '/conversation/sync', { uid: id, msg_count: 1 })
      expect([id, names(own)]).toEqual([id, [id]])
    }
    const all = await send(running, 'POST', '/conversation/sync', { uid: 'alice', msg_count: 1 })
    expect(names(all)).toEqual([...IDS].sort())
  })

  it('[G8] are taken as a web app puts them into the address, without encoding', async () => {
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
})

describe('a client that lists 10,000 conversations', () => {
  it('[G8] most of which nobody knows gets what it lacks', async () => {
    const running = await world()
    const listed = Array.from({ length: 10_000 }, (_, n) => `unknown ${n} ${'x'.repeat(180)}:2:7`)
    const body = { uid: 'alice', version: 1, msg_count: 1, last_msg_seqs: [...listed, 'a-b:2:1'].join('|') }
    expect(names(await send(running, 'POST', '/conversation/sync', body))).toEqual([...IDS].sort())
  })

  it('[G2] [G8] all of which it has gets what changed, and nothing else', async () => {
    const running = await startServer()
    const alice = await openDevice(running, 'alice')
    const channels = Array.from({ length: 10_000 }, (_, n) => ({ channelId: `group ${n}`, channelType: 2 }))
    await alice.act((store) => store.receive(channels.flatMap((channel) => messages(channel, ['bob']))))
    const version = await versionOf(running)
    const lastMsgSeqs = channels.map(({ channelId }) => `${channelId}:2:1`).join('|')
    const body = { uid: 'alice', version, msg_count: 1, last_msg_seqs: lastMsgSeqs }
    expect(names(await send(running, 'POST', '/conversation/sync', body))).toEqual([])
    await alice.act((store) => store.receive(messages({ channelId: 'group 77', channelType: 2 }, ['bob'], 2)))
    expect(names(await send(running, 'POST', '/conversation/sync', body))).toEqual(['group 77'])
  }, 30_000)
})

describe('versions', () => {
  const NONE = ['0', 'null', '-1', '-9223372036854775808', '"-1"']
  const UNKNOWN = ['9007199254740992', '9223372036854775808', '18446744073709551616', '"9223372036854775807"']
  const REFUSED = ['1.5', '1e400', 'true', '"seven"', '""', '[]', '{}', '"1e3"']

  it.each([
    ['/conversation/sync', IDS.length],
    ['/v1/conversation/sync', IDS.length],
    ['/v1/conversation/extra/sync', 1],
    ['/v1/message/reminder/sync', 1],
  ])('[G8] that are none, above the head or of no integer: %s', async (path, count) => {
    const running = await world()
    const head = await versionOf(running)
    const ask = (version: string): Promise<Answer> =>
      send(running, 'POST', path, `{"uid":"alice","msg_count":1,"version":${version}}`, headers)
    for (const version of [...NONE, ...UNKNOWN, String(head + 1), `"${head + 1000}"`]) {
      const { status, body } = await ask(version)
      expect([version, status, (body.conversations ?? body).length]).toEqual([version, 200, count])
    }
    for (const version of REFUSED) {
      const { status, body } = await ask(version)
      expect([version, status, body]).toEqual([version, 400, { msg: expect.any(String), status: 400 }])
      expect(body.msg).toContain('version')
    }
    expect(await versionOf(running)).toBe(head)
  })

  it('[G8] in cursors that nobody was given', async () => {
    const running = await world()
    const list = (more: object): Promise<Answer> =>
      send(running, 'POST', '/conversation/list', { uid: 'alice', ...more })
    for (const text of ['v-1', 'v1.5', 'v', 'w1', 'v99999999999999999999', `v${'1'.repeat(10_000)}`]) {
      const cursor = Buffer.from(text).toString('base64url')
      const refused = { status: 400, body: { msg: 'cursor格式错误！', status: 400 } }
      expect(await list({ cursor })).toEqual(refused)
      expect(await list({ completed_coverage: cursor })).toEqual(refused)
    }
    const above = await list({ cursor: Buffer.from('v9007199254740991').toString('base64url') })
    expect([names(above).length, above.body.reset_required]).toEqual([IDS.length, true])
  })
})

describe("another user's token", () => {
  const authenticate: Authenticate = ({ token }) => {
    if (token === 'mallorys-token') return { uid: 'mallory' }
    throw new AccessError('unauthenticated', 'the token is unknown')
  }
  /** Whom these are about, the token alone says. */
  const OWN = /^(POST \/v1\/message\/reminder\/done|DELETE )/
  const MESSAGES_IN = /\/v1\/(ingest|webhook|channels)(\/| |$)/

  it('[G7] and no valid one are refused by every endpoint; nothing is changed, and nothing told', async () => {
    const running = await startServer({
      auth: authenticate,
      gateway: { ingestToken: 'of the IM server', webhookToken: 'webhook-secret' },
    })
    const alice = await openDevice(running, 'alice')
    await alice.act((store) => {
      const channel = { channelId: 'a-b', channelType: 2 }
      const payload = { type: 1, content: 'classified' }
      store.receive(messages(channel, ['bob']).map((message) => ({ ...message, payload })))
      store.conversation(channel).draft.set('classified')
      store.conversation(channel).setReminder({ reminderId: '7', version: 1, data: { text: 'classified' } })
    })
    const before = await versionOf(running)
    const body = {
      ...{ uid: 'alice', login_uid: 'alice', channel_id: 'a-b', channel_type: 2, msg_count: 1, unread: 0 },
      ...{ draft: 'x', message_seq: 9, from_uid: 'bob', timestamp: 1, recipients: ['alice'] },
    }
    const all = await endpoints(running)
    expect(all.length).toBeGreaterThan(15)
    for (const [method, path] of all) {
      for (const token of ['mallorys-token', 'guessed', '']) {
        for (const header of [{ token }, { authorization: `Bearer ${token}` }]) {
          const sent = path.includes('/done') ? [7] : method === 'DELETE' ? undefined : body
          const answer = await send(running, method, path, sent, token === '' ? {} : { ...header })
          const isOwn = OWN.test(`${method} ${path}`) && token === 'mallorys-token'
          const expected = isOwn ? 200 : token === 'mallorys-token' && !MESSAGES_IN.test(path) ? 403 : 401
          expect([method, path, token, answer.status]).toEqual([method, path, token, expected])
          expect(JSON.stringify(answer.body)).not.toMatch(/classified|Y2xhc3NpZmllZ/)
        }
      }
    }
    expect(await versionOf(running)).toBe(before)
  })
})

describe('whatever else is wrong', () => {
  it('[G8] JSON that is none is refused by every endpoint that takes any', async () => {
    const running = await world()
    const version = await versionOf(running)
    for (const [method, path] of await endpoints(running)) {
      if (method === 'DELETE') continue
      for (const text of [
        '{"uid":"alice",',
        '{"uid":"alice"}}',
        '[',
        'nul',
        "{'uid':'alice'}",
        '"x"',
        '7',
        '{"a":01}',
      ]) {
        const answer = await send(running, method, path, text, headers)
        expect([method, path, text, answer.status, Object.keys(answer.body)]).toEqual([
          ...[method, path, text, 400],
          ['msg', 'status'],
        ])
      }
    }
    expect(await versionOf(running)).toBe(version)
  })

  it('[G8] is refused, and changes nothing', async () => {
    const running = await world()
    const version = await versionOf(running)
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const cases: Array<[Method, string, unknown]> = [
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
      ['POST', '/conversation/retry', { uid: 'alice', channels: [{ channel_id: '', channel_type: 2 }] }],
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
    expect(await versionOf(running)).toBe(version)
    const huge = `{"uid":"alice","last_msg_seqs":"${'x'.repeat(9_000_000)}"}`
    expect((await send(running, 'POST', '/conversation/sync', huge)).body).toMatchObject({ status: 413 })
  })
})
