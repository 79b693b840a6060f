import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { AccessError, type Authenticate, createJwtAuthenticate } from '../src/index.js'
import { type Answer, type Device, messages, openDevice, send } from './support/gateway.js'
import { type Running, startServer } from './support/harness.js'

const bob = { channelId: 'bob', channelType: 1 }
const wire = { channel_id: 'bob', channel_type: 1 }
const EXTRA = '/v1/conversations/bob/1/extra'

interface World {
  running: Running
  alice: Device
  ask: (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) => Promise<Answer>
}

async function world(peers = 3): Promise<World> {
  const running = await startServer()
  const alice = await openDevice(running, 'alice')
  await alice.act((store) =>
    store.receive(
      messages(
        bob,
        Array.from({ length: peers }, () => 'bob'),
      ),
    ),
  )
  return {
    running,
    alice,
    ask: (method, path, body) => send(running, method, path, body, { token: 'alice' }),
  }
}

const draftOf = ({ store }: Device): string | undefined =>
  store.conversation(bob).getSnapshot().drafts.composer?.text

describe('TangSengDaoDao: conversations', () => {
  it('[J-28 fix] answers an object that names the user, with all lists and no null', async () => {
    const { ask } = await world()
    const { status, body } = await ask('POST', '/v1/conversation/sync', { msg_count: 1 })
    expect(status).toBe(200)
    expect(body).toEqual({
      uid: 'alice',
      conversations: [expect.objectContaining({ ...wire, unread: 3, last_msg_seq: 3 })],
      users: [],
      groups: [],
      channel_status: [],
      deletes: [],
    })
    expect(JSON.stringify(body)).not.toContain('null')
    expect(body.conversations[0]).not.toHaveProperty('extra')
    expect(body.conversations[0].recents[0].payload).toEqual({ type: 1, content: 'message 3' })
  })

  it('[J-21 fix] sends settings and the extra along, the extra with version 0', async () => {
    const { ask, alice } = await world()
    await alice.act((store) => {
      const conversation = store.conversation(bob)
      conversation.mute()
      conversation.pin()
      conversation.draft.set('hello')
    })
    const { body } = await ask('POST', '/v1/conversation/sync', { msg_count: 1 })
    expect(body.conversations[0]).toMatchObject({ mute: 1, stick: 1, extra: { draft: 'hello', version: 0 } })
  })

  it('tells of a mute that ended, though nobody wrote anything', async () => {
    const { ask, alice, running } = await world()
    await alice.act((store) => store.conversation(bob).mute(Date.now() + 2_000))
    const before = await ask('POST', '/v1/conversation/sync', { msg_count: 1 })
    const [{ mute, version }] = before.body.conversations
    expect(mute).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    const lastMsgSeqs = { version, last_msg_seqs: 'bob:1:3', msg_count: 1 }
    const after = await ask('POST', '/v1/conversation/sync', lastMsgSeqs)
    expect(after.body.conversations).toHaveLength(1)
    expect(after.body.conversations[0]).not.toHaveProperty('mute')
    expect(after.body.conversations[0].version).toBe((await running.store.load('alice')).version)
    const again = { ...lastMsgSeqs, version: after.body.conversations[0].version }
    expect((await ask('POST', '/v1/conversation/sync', again)).body.conversations).toEqual([])
  })

  it('[J-88 keep] PUT /v1/coversation/clearUnread sets unread, misspelt or not', async () => {
    const { ask } = await world()
    const unread = async (): Promise<number> =>
      (await ask('POST', '/v1/conversation/sync', { msg_count: 1 })).body.conversations[0].unread ?? 0
    expect(await ask('PUT', '/v1/coversation/clearUnread', { ...wire, unread: 1 })).toEqual({
      status: 200,
      body: { status: 200 },
    })
    expect(await unread()).toBe(1)
    await ask('PUT', '/v1/conversation/clearUnread', { ...wire, unread: 0 })
    expect(await unread()).toBe(0)
    await ask('PUT', '/v1/coversation/clearUnread', { ...wire, unread: 2 })
    expect(await unread()).toBe(0)
  })

  it('[J-89 keep] DELETE deletes, and the answer lists it for those who read that', async () => {
    const { ask } = await world()
    const first = await ask('POST', '/v1/conversation/sync', { msg_count: 1 })
    const { version } = first.body.conversations[0]
    expect((await ask('DELETE', '/v1/conversations/bob/1')).body).toEqual({ status: 200 })
    expect((await ask('POST', '/v1/conversation/sync', { msg_count: 1 })).body.conversations).toEqual([])
    const { body } = await ask('POST', '/v1/conversation/sync', { msg_count: 1, version })
    expect(body.deletes).toEqual([wire])
    expect(body.conversations[0].recents[0].is_deleted).toBe(1)
  })

  it('[J-91 keep] POST syncack changes nothing', async () => {
    const { ask, running } = await world()
    const { version } = await running.store.load('alice')
    expect(await ask('POST', '/v1/conversation/syncack', { cmd_version: 0, device_uuid: 'd' })).toEqual({
      status: 200,
      body: { status: 200 },
    })
    expect((await running.store.load('alice')).version).toBe(version)
  })

  it('serves the demos of the SDKs, which name the user in the body', async () => {
    const { running } = await world()
    const { body } = await send(running, 'POST', '/v1/conversation/sync', {
      login_uid: 'alice',
      msg_count: 1,
    })
    expect(body).toMatchObject({ uid: 'alice', conversations: [{ channel_id: 'bob' }] })
    await send(running, 'PUT', '/v1/conversation/clearUnread', { login_uid: 'alice', ...wire, unread: 0 })
    const after = await send(running, 'POST', '/v1/conversation/sync', { login_uid: 'alice', msg_count: 1 })
    expect(after.body.conversations[0].unread).toBe(undefined)
  })
})

describe('TangSengDaoDao: extras', () => {
  const extras = async ({ ask }: World, version = 0): Promise<Answer['body']> =>
    (await ask('POST', '/v1/conversation/extra/sync', { version })).body

  it('[J-53 keep] what was looked at never falls, the rest is replaced', async () => {
    const here = await world()
    await here.ask('POST', EXTRA, { browse_to: 50, keep_message_seq: 2, keep_offset_y: -7 })
    await here.ask('POST', EXTRA, { browse_to: 0, draft: 'd' })
    expect(await extras(here)).toEqual([
      {
        ...wire,
        browse_to: 50,
        keep_message_seq: 0,
        keep_offset_y: 0,
        draft: 'd',
        draft_updated_at: expect.any(Number),
        version: expect.any(Number),
      },
    ])
  })

  it('[J-54 J-55 keep] each update has a greater version, from which on nothing is new', async () => {
    const here = await world()
    const versions: number[] = []
    for (const draft of ['a', 'ab', '', 'b']) {
      const { body } = await here.ask('POST', EXTRA, { draft })
      expect(Object.keys(body)).toEqual(['version'])
      versions.push(body.version)
    }
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
    const last = versions.at(-1) as number
    expect(await extras(here, last - 1)).toHaveLength(1)
    expect(await extras(here, last)).toEqual([])
  })

  it('an update does not pass over what was looked at on another device meanwhile', async () => {
    const here = await world()
    await here.ask('POST', EXTRA, { draft: 'a' })
    await here.alice.act((store) => store.conversation(bob).browseTo(1))
    const { body } = await here.ask('POST', EXTRA, { draft: 'ab' })
    expect(await extras(here, body.version)).toMatchObject([{ browse_to: 1, draft: 'ab' }])
  })

  it('[J-57 fix] tells when a draft was edited, in seconds', async () => {
    const here = await world()
    await here.ask('POST', EXTRA, { draft: 'x' })
    const [extra] = await extras(here)
    expect(Math.abs(extra.draft_updated_at - Date.now() / 1000)).toBeLessThan(60)
  })

  it('a draft that a client was told is edited or taken back', async () => {
    const here = await world()
    await here.alice.act((store) => store.conversation(bob).draft.set('from the phone'))
    expect((await extras(here))[0].draft).toBe('from the phone')
    await here.ask('POST', EXTRA, { draft: 'from the phone, and more' })
    await here.alice.act(() => {})
    expect(draftOf(here.alice)).toBe('from the phone, and more')
    expect(here.alice.store.conversation(bob).getSnapshot().drafts.others).toEqual([])
    await here.ask('POST', EXTRA, { draft: '' })
    await here.alice.act(() => {})
    expect(draftOf(here.alice)).toBe(undefined)
  })

  it('[G5] [J-52 fix] a draft that a client was never told is kept beside what it sends, and not taken back', async () => {
    const here = await world()
    await here.alice.act((store) => store.conversation(bob).draft.set('from the phone'))
    await here.ask('POST', EXTRA, { draft: '' })
    await here.alice.act(() => {})
    expect(draftOf(here.alice)).toBe('from the phone')
    await here.ask('POST', EXTRA, { draft: 'from the web' })
    await here.alice.act((store) => store.conversation(bob).draft.leave())
    const { composer, others } = here.alice.store.conversation(bob).getSnapshot().drafts
    expect([composer?.text, ...others.map(({ text }) => text)].sort()).toEqual([
      'from the phone',
      'from the web',
    ])
  })

  it('the version that is answered passes over nothing a client was not told', async () => {
    const here = await world()
    const carol = { channelId: 'carol', channelType: 1 }
    await here.alice.act((store) => store.conversation(carol).draft.set('for carol'))
    const { body } = await here.ask('POST', EXTRA, { draft: 'for bob' })
    const drafts = (list: Answer['body']): string[] => list.map(({ draft }: { draft: string }) => draft)
    expect(drafts(await extras(here, body.version))).toEqual(['for carol', 'for bob'])
    const second = await here.ask('POST', EXTRA, { draft: 'for bob too' })
    expect(await extras(here, second.body.version)).toEqual([])
  })

  it('a draft longer than an extra holds keeps its end', async () => {
    const here = await world()
    const long = `${'x'.repeat(1200)} the end`
    await here.alice.act((store) => store.conversation(bob).draft.set(long))
    const [{ draft }] = await extras(here)
    expect(draft).toHaveLength(1000)
    await here.ask('POST', EXTRA, { draft })
    await here.alice.act(() => {})
    expect(draftOf(here.alice)).toBe(long)
    await here.ask('POST', EXTRA, { draft: `y${draft.slice(1)}` })
    await here.alice.act(() => {})
    expect(draftOf(here.alice)).toBe(`y${long.slice(1)}`)
  })
})

describe('TangSengDaoDao: reminders', () => {
  const remind = (id: string) => ({
    reminderId: id,
    version: 1,
    data: { messageSeq: 3, reminderType: 1, text: '[有人@我]', publisher: 'bob', isLocate: 1 },
  })

  it('answers those that are open first, and later those that were done', async () => {
    const { ask, alice } = await world()
    await alice.act((store) => {
      store.conversation(bob).setReminder(remind('7'))
      store.conversation(bob).setReminder(remind('9007199254740993'))
      store.conversation(bob).setReminder({ reminderId: 'our own', version: 1 })
    })
    const sync = async (version: number): Promise<Answer['body']> =>
      (await ask('POST', '/v1/message/reminder/sync', { version, limit: 100, channel_ids: [] })).body
    const open = await sync(0)
    expect(open.map(({ text, done }: { text: string; done: number }) => [text, done])).toEqual([
      ['[有人@我]', 0],
      ['[有人@我]', 0],
    ])
    expect(await ask('POST', '/v1/message/reminder/done', [7])).toEqual({
      status: 200,
      body: { status: 200 },
    })
    expect(await sync(0)).toHaveLength(1)
    const changed = await sync(open[0].version)
    expect(changed.map(({ id, done }: { id: number; done: number }) => [id, done])).toContainEqual([7, 1])
    expect(await sync(changed[0].version)).toEqual([])
    await ask('POST', '/v1/message/reminder/done', '[9007199254740993]')
    expect(await sync(0)).toEqual([])
  })

  it('refuses to mark none', async () => {
    const { ask } = await world()
    const empty = { status: 400, body: { msg: '数据不能为空！', status: 400 } }
    expect(await ask('POST', '/v1/message/reminder/done', [])).toEqual(empty)
    expect(await ask('POST', '/v1/message/reminder/done')).toEqual(empty)
    expect((await ask('POST', '/v1/message/reminder/done', { ids: [1] })).status).toBe(400)
  })
})

describe('who asks', () => {
  const authenticate: Authenticate = ({ token, uid }) => {
    if (token === 'service') return { uid: uid ?? '' }
    if (token === 'alice-token') return { uid: 'alice' }
    if (token === 'reader') return { uid: 'alice', readOnly: true }
    throw new AccessError('unauthenticated', 'the token is unknown')
  }

  it('[J-92 keep] without a token is answered 401', async () => {
    for (const auth of ['open', authenticate] as const) {
      const running = await startServer({ auth })
      const { status, body } = await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 })
      expect([status, body]).toEqual([401, { msg: 'a token is missing' }])
    }
  })

  it('is told by the header token, or as a bearer', async () => {
    const running = await startServer({ auth: authenticate })
    for (const headers of [{ token: 'alice-token' }, { authorization: 'Bearer alice-token' }]) {
      const { body } = await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 }, headers)
      expect(body.uid).toBe('alice')
      const list = await send(running, 'POST', '/conversation/sync', { uid: 'alice', msg_count: 1 }, headers)
      expect(list).toEqual({ status: 200, body: [] })
    }
  })

  it('may act for everybody as a service', async () => {
    const running = await startServer({ auth: authenticate })
    const body = { uid: 'bob', msg_count: 1 }
    expect((await send(running, 'POST', '/conversation/sync', body, { token: 'service' })).status).toBe(200)
  })

  it('is the subject of a JSON Web Token, where nothing else names a user', async () => {
    const secret = 'a secret of at least 32 characters'
    const running = await startServer({ auth: createJwtAuthenticate({ secret }) })
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('alice')
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret))
    const { body } = await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 }, { token })
    expect(body.uid).toBe('alice')
    const other = { uid: 'bob', msg_count: 1 }
    expect((await send(running, 'POST', '/conversation/sync', other, { token })).status).toBe(403)
  })

  it('may look and not touch', async () => {
    const running = await startServer({ auth: authenticate })
    const headers = { token: 'reader' }
    expect((await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 }, headers)).status).toBe(200)
    expect(await send(running, 'DELETE', '/v1/conversations/bob/1', undefined, headers)).toEqual({
      status: 403,
      body: { msg: 'you may only read', status: 403 },
    })
  })

  it('[O2 O3 O4] without authentication comes from this machine, and sends JSON', async () => {
    const running = await startServer()
    const body = { uid: 'alice', msg_count: 1 }
    const origin = { origin: 'https://evil.example' }
    expect((await send(running, 'POST', '/conversation/sync', body, origin)).status).toBe(403)
    const plain = await fetch(`${running.url}/conversation/sync`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    expect(plain.status).toBe(415)
  })

  it('[O3] may be a web page of an allowed origin, which can read the answer', async () => {
    const running = await startServer({ origins: ['https://chat.example'] })
    const ask = (method: string, origin: string): Promise<Response> =>
      fetch(`${running.url}/v1/conversation/sync`, {
        method,
        headers: {
          origin,
          token: 'alice',
          ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        },
        ...(method === 'POST' ? { body: '{}' } : {}),
      })
    const preflight = await ask('OPTIONS', 'https://chat.example')
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization, content-type, token',
    ])
    const answer = await ask('POST', 'https://chat.example')
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://chat.example',
    ])
    for (const method of ['OPTIONS', 'POST']) {
      const other = await ask(method, 'https://evil.example')
      expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null])
    }
  })

  it('finds every endpoint described', async () => {
    const running = await startServer()
    const document = (await (await fetch(`${running.url}/openapi.json`)).json()) as {
      paths: Record<string, object>
    }
    expect(Object.keys(document.paths).sort()).toEqual(
      [
        '/conversation/channels',
        '/conversation/list',
        '/conversation/retry',
        '/conversation/sync',
        '/conversation/syncByChannels',
        '/conversation/syncMessages',
        '/conversations/activate',
        '/conversations/clearUnread',
        '/conversations/delete',
        '/conversations/setUnread',
        '/v1/channels/{channel_type}/{channel_id}/members',
        '/v1/conversation/clearUnread',
        '/v1/conversation/extra/sync',
        '/v1/conversation/sync',
        '/v1/conversation/syncack',
        '/v1/conversations/{channel_id}/{channel_type}',
        '/v1/conversations/{channel_id}/{channel_type}/extra',
        '/v1/coversation/clearUnread',
        '/v1/ingest/messages',
        '/v1/message/reminder/done',
        '/v1/message/reminder/sync',
        '/v1/webhook',
        '/v1/webhook/{secret}',
      ].sort(),
    )
  })
})
