import type { Message } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { type Answer, type Device, messages, openDevice, send } from './support/gateway.js'
import { type Running, startServer } from './support/harness.js'

const bob = { channelId: 'bob', channelType: 1 }
const wire = { channel_id: 'bob', channel_type: 1 }

interface World {
  running: Running
  alice: Device
  sync: (body?: object, headers?: Record<string, string>) => Promise<Answer['body']>
  post: (path: string, body: unknown) => Promise<Answer>
}

/** A server with a history of `authors` in the conversation with bob, read up to `readTo`. */
async function world(authors: readonly string[] = [], readTo = 0): Promise<World> {
  const history = messages(bob, authors)
  const running = await startServer({ gateway: { messageSource: async () => history } })
  const alice = await openDevice(running, 'alice')
  await alice.act((store) => {
    store.receive(history)
    if (readTo > 0) store.conversation(bob).markRead(readTo)
  })
  const post = (path: string, body: unknown): Promise<Answer> => send(running, 'POST', path, body)
  return {
    running,
    alice,
    post,
    async sync(body = {}, headers = {}) {
      const answer = await send(
        running,
        'POST',
        '/conversation/sync',
        { uid: 'alice', msg_count: 10, ...body },
        headers,
      )
      expect(answer.status).toBe(200)
      return answer.body
    },
  }
}

const peers = (count: number): string[] => Array.from({ length: count }, () => 'bob')
// biome-ignore lint/suspicious/noExplicitAny: tests look into it
const seqs = (item: any): number[] =>
  item.recents.map(({ message_seq }: { message_seq: number }) => message_seq)
// biome-ignore lint/suspicious/noExplicitAny: tests look into it
const brief = (list: any): unknown => list.map((item: any) => [item.unread, item.last_msg_seq, seqs(item)])
const HEAD = 1_000_000

describe('POST /conversation/sync', () => {
  it('[J-58 keep] answers unread, the last number and the newest messages, newest first', async () => {
    const { sync } = await world(peers(5))
    expect(brief(await sync({ msg_count: 2 }))).toEqual([[5, 5, [5, 4]]])
  })

  it('[SDK13] lists the conversation with the newest message first, whatever changed last, in both shapes', async () => {
    const { alice, sync, running } = await world(peers(1))
    const at = (channelId: string, timestamp: number): Message => ({
      channel: { channelId, channelType: 1 },
      messageSeq: 1,
      fromUid: channelId,
      timestamp: 1_700_000_000_000 + timestamp * 1000,
      payload: { type: 1, content: 'x' },
    })
    await alice.act((store) => store.receive([at('old', -100), at('new', 100), at('mid', 50)]))
    await alice.act((store) => store.conversation({ channelId: 'old', channelType: 1 }).pin())
    const tsdd = await send(running, 'POST', '/v1/conversation/sync', { msg_count: 10 }, { token: 'alice' })
    const ids = (list: Array<{ channel_id: string }>): string[] => list.map(({ channel_id }) => channel_id)
    expect([ids(await sync()), ids(tsdd.body.conversations)]).toEqual([
      ['new', 'mid', 'bob', 'old'],
      ['new', 'mid', 'bob', 'old'],
    ])
  })

  it('[J-59 keep] counts from what is read', async () => {
    const { sync } = await world(peers(5), 3)
    const [item] = await sync({ msg_count: 1 })
    expect(brief([item])).toEqual([[2, 5, [5]]])
    expect(item).toMatchObject({
      ...wire,
      readed_to_msg_seq: 3,
      timestamp: 1_700_000_005,
      last_client_msg_no: 'no-5',
    })
    expect(typeof item.recents[0].payload).toBe('string')
  })

  it('[J-60 fix] answers what is all read too, to a client that does not list it', async () => {
    const { sync } = await world(peers(5), 5)
    expect(brief(await sync({ version: 1 }))).toEqual([[0, 5, [5]]])
  })

  it('[J-61 keep] sends with a version only what is not read', async () => {
    const { sync } = await world(peers(5), 3)
    expect(brief(await sync({ version: 1 }))).toEqual([[2, 5, [5, 4]]])
  })

  it('[J-62 J-64 keep] leaves out what a client has, or says it has', async () => {
    const { sync, running } = await world(peers(5), 3)
    const version = (await running.store.load('alice')).version
    expect(await sync({ version, last_msg_seqs: 'bob:1:5' })).toEqual([])
    expect(await sync({ version, last_msg_seqs: 'bob:1:6' })).toEqual([])
  })

  it('[J-63 keep] sends what is newer than a client lists', async () => {
    const { sync, running } = await world(peers(5), 3)
    const version = (await running.store.load('alice')).version
    expect(brief(await sync({ version, last_msg_seqs: 'bob:1:4' }))).toEqual([[2, 5, [5]]])
  })

  it('[J-65 keep] takes a listed 0 for nothing', async () => {
    const { sync } = await world(peers(3))
    expect(brief(await sync({ last_msg_seqs: 'bob:1:0', msg_count: 1 }))).toEqual([[3, 3, [3]]])
  })

  it('[J-66 J-67 keep] counts what the user wrote as read', async () => {
    const last = await world(['bob', 'bob', 'alice'])
    expect((await last.sync())[0]).toMatchObject({ unread: 0, readed_to_msg_seq: 3 })
    const middle = await world(['alice', 'alice', 'alice', 'bob', 'bob'])
    expect((await middle.sync())[0]).toMatchObject({ unread: 2, readed_to_msg_seq: 3 })
  })

  it('[J-68 J-71 keep] leaves out what was deleted', async () => {
    const { sync, alice } = await world(peers(5), 3)
    await alice.act((store) => store.conversation(bob).delete())
    expect(await sync()).toEqual([])
    expect(await sync({ only_unread: 1 })).toEqual([])
  })

  it('[J-69 fix] does not count what was deleted once a newer message is there, nor send it', async () => {
    const { sync, alice } = await world(peers(5), 3)
    await alice.act((store) => store.conversation(bob).delete())
    await sync()
    await alice.act((store) => store.receive(messages(bob, ['bob'], 6)))
    expect(brief(await sync())).toEqual([[1, 6, [6]]])
  })

  it('[J-70 fix] does not bring a deleted conversation back to a client that lacks its last message', async () => {
    const { sync, alice, running } = await world(peers(5))
    const { version } = await running.store.load('alice')
    await alice.act((store) => store.conversation(bob).delete())
    const held = { version, last_msg_seqs: 'bob:1:4' }
    expect(await sync(held, { 'user-agent': 'Chat/7 CFNetwork/1404 Darwin/22.3.0' })).toEqual([])
    const [item, ...others] = await sync(held, { 'user-agent': 'okhttp/4.12.0' })
    expect(others).toEqual([])
    expect(item.recents[0]).toMatchObject({ is_deleted: 1, client_msg_no: item.last_client_msg_no })
  })

  it('[J-72 keep] sends the newest to a client that is far behind', async () => {
    const { sync, running } = await world(peers(50))
    const version = (await running.store.load('alice')).version
    const listed = { version, last_msg_seqs: 'bob:1:10', msg_count: 5 }
    expect(brief(await sync(listed))).toEqual([[50, 50, [50, 49, 48, 47, 46]]])
  })

  it('[J-73 keep] answers nothing where no message is asked for', async () => {
    const { sync, post } = await world(peers(2))
    expect(await sync({ msg_count: 0 })).toEqual([])
    expect((await post('/conversation/sync', { uid: 'alice' })).body).toEqual([])
  })

  it('[J-74 keep] leaves out types, but none that a client lists', async () => {
    const { sync, alice } = await world(peers(1))
    const group = (channelId: string): Message[] => messages({ channelId, channelType: 2 }, ['bob', 'bob'])
    await alice.act((store) => store.receive([...group('g1'), ...group('g2')]))
    const answer = await sync({ exclude_channel_types: [2], last_msg_seqs: 'g1:2:1' })
    expect(answer.map((item: { channel_id: string }) => item.channel_id).sort()).toEqual(['bob', 'g1'])
  })

  it('[J-75 keep] [J-76 fix] has everything on page 1, whatever its size, and nothing on later ones', async () => {
    const { sync, alice } = await world()
    await alice.act((store) =>
      store.receive(
        Array.from({ length: 120 }, (_, n) =>
          messages({ channelId: `g${n}`, channelType: 2 }, ['bob']),
        ).flat(),
      ),
    )
    for (const page_size of [0, 1, 9999]) expect(await sync({ page: 1, page_size })).toHaveLength(120)
    expect(await sync({ page: 2, page_size: 100 })).toEqual([])
    expect(await sync({ page: 3, page_size: 100 })).toEqual([])
  })

  it('[J-77 keep] answers malformed JSON with 400', async () => {
    const { post } = await world()
    for (const text of ['{', '[]', '"x"', '{"uid":1}', '{"uid":"alice","version":{}}']) {
      const { status, body } = await post('/conversation/sync', text)
      expect([text, status, body]).toEqual([text, 400, { msg: expect.any(String), status: 400 }])
    }
  })

  it('[J-78 keep] answers nobody with nothing', async () => {
    const { post } = await world(peers(1))
    expect(await post('/conversation/sync', { uid: '', msg_count: 1 })).toEqual({ status: 200, body: [] })
    expect(await post('/conversation/sync', {})).toEqual({ status: 200, body: [] })
  })

  it('[J-79 keep] lists no command channels, live channels and the system', async () => {
    const { sync, alice } = await world(peers(1))
    await alice.act((store) =>
      store.receive(
        [
          { channelId: 'g____cmd', channelType: 2 },
          { channelId: 'live', channelType: 9 },
          { channelId: '____system', channelType: 1 },
        ].flatMap((channel) => messages(channel, ['bob'])),
      ),
    )
    expect((await sync()).map((item: { channel_id: string }) => item.channel_id)).toEqual(['bob'])
  })

  it('[J-80 keep] names the other person, in messages too', async () => {
    const { sync } = await world(['bob', 'alice'])
    const [item] = await sync()
    expect(item.channel_id).toBe('bob')
    expect(item.recents.map((recent: { channel_id: string }) => recent.channel_id)).toEqual(['bob', 'bob'])
  })

  it('[J-105 guard] takes versions of any size and shape, and answers in full what names no version', async () => {
    const { post } = await world(peers(2))
    for (const version of [
      '0',
      '-5',
      '9007199254740993',
      '18446744073709551615',
      '"77"',
      'null',
      String(HEAD),
    ]) {
      const answer = await post('/conversation/sync', `{"uid":"alice","msg_count":1,"version":${version}}`)
      expect([version, answer.status, brief(answer.body)]).toEqual([version, 200, [[2, 2, [2]]]])
    }
    expect((await post('/conversation/sync', '{"uid":"alice","version":1.5}')).status).toBe(400)
  })

  it('keeps the digits of message ids', async () => {
    const { running } = await world(peers(1))
    const answer = await fetch(`${running.url}/conversation/sync`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"uid":"alice","msg_count":1}',
    })
    expect(await answer.text()).toContain(
      '"message_id":90071992547409931,"message_idstr":"90071992547409931"',
    )
  })
})

describe('POST /conversation/… by channels', () => {
  const nobody = { channel_id: 'nobody', channel_type: 1 }

  it('channels names what is in the list', async () => {
    const { post, alice } = await world(peers(2))
    expect((await post('/conversation/channels', { uid: 'alice' })).body).toEqual([wire])
    await alice.act((store) => store.conversation(bob).delete())
    expect((await post('/conversation/channels', { uid: 'alice' })).body).toEqual([])
  })

  it('syncByChannels answers each of the channels, with messages or without', async () => {
    const { post, alice } = await world(peers(20), 18)
    const ask = (more: object = {}): Promise<Answer> =>
      post('/conversation/syncByChannels', { uid: 'alice', channels: [nobody, wire], ...more })
    const { body } = await ask()
    expect(body[0]).toMatchObject({ ...nobody, unread: 0, last_msg_seq: 0, recents: [] })
    expect(body[1]).toMatchObject({ ...wire, unread: 2, last_msg_seq: 20, readed_to_msg_seq: 18 })
    expect([seqs(body[1]).length, seqs(body[1])[0]]).toEqual([15, 20])
    expect(seqs((await ask({ msg_count: 2 })).body[1])).toEqual([20, 19])
    await alice.act((store) => store.conversation(bob).delete())
    expect((await ask()).body[1]).toMatchObject({ ...wire, unread: 0, recents: [] })
  })

  it('syncMessages answers the messages that are newer than a client has', async () => {
    const { post } = await world(peers(5))
    const ask = (lastMsgSeq: number): Promise<Answer> =>
      post('/conversation/syncMessages', {
        uid: 'alice',
        channels: [nobody, { ...wire, last_msg_seq: lastMsgSeq }],
        msg_count: 10,
      })
    const { body } = await ask(3)
    expect(body).toMatchObject([{ ...wire, messages: [{ message_seq: 5 }, { message_seq: 4 }] }])
    expect((await ask(5)).body).toEqual([])
  })

  it('says what is missing', async () => {
    const { post } = await world()
    for (const path of ['/conversation/syncByChannels', '/conversation/syncMessages']) {
      const refused = { msg: 'channels cannot be empty', status: 400 }
      expect(await post(path, { uid: 'alice' })).toEqual({ status: 400, body: refused })
      expect((await post(path, { channels: [wire] })).body.msg).toBe('uid cannot be empty')
    }
    expect((await post('/conversation/channels', {})).status).toBe(400)
  })
})

describe('POST /conversations/…', () => {
  const unread = async ({ sync }: World): Promise<number> => (await sync())[0].unread

  it('[J-81 fix] setUnread marks what is read as unread', async () => {
    const here = await world(peers(5), 5)
    expect(await here.post('/conversations/setUnread', { uid: 'alice', ...wire, unread: 3 })).toEqual({
      status: 200,
      body: { status: 200 },
    })
    expect(await unread(here)).toBe(1)
  })

  it.each([
    [0, 0],
    [2, 2],
    [9, 1],
  ])('[J-82 keep] setUnread %i of 5 leaves %i', async (count, left) => {
    const here = await world(peers(5))
    await here.post('/conversations/setUnread', { uid: 'alice', ...wire, unread: count })
    expect(await unread(here)).toBe(left)
  })

  it('[J-83 fix] setUnread changes nothing where there is no message', async () => {
    const { post, running } = await world()
    const { version } = await running.store.load('alice')
    expect((await post('/conversations/setUnread', { uid: 'alice', ...wire, unread: 1 })).status).toBe(200)
    expect((await running.store.load('alice')).version).toBe(version)
  })

  it('[J-84 J-85 keep] says what is missing in the words of the original', async () => {
    const { post } = await world()
    const missing = { msg: 'channel_id or channel_type cannot be empty', status: 400 }
    for (const [path, msg] of [
      ['setUnread', 'UID cannot be empty'],
      ['clearUnread', 'uid cannot be empty'],
      ['delete', 'Uid cannot be empty'],
    ]) {
      const address = `/conversations/${path}`
      expect(await post(address, { uid: '', ...wire })).toEqual({ status: 400, body: { msg, status: 400 } })
      expect(await post(address, { uid: 'alice', channel_id: '', channel_type: 1 })).toEqual({
        status: 400,
        body: missing,
      })
      expect(await post(address, { uid: 'alice', channel_id: 'bob' })).toEqual({ status: 400, body: missing })
    }
  })

  it('[J-86 keep] clearUnread reads everything', async () => {
    const here = await world(peers(5))
    expect(await here.post('/conversations/clearUnread', { uid: 'alice', ...wire, message_seq: 2 })).toEqual({
      status: 200,
      body: { status: 200 },
    })
    expect(await unread(here)).toBe(0)
  })

  it('setUnread marks nothing that is deleted', async () => {
    const here = await world(peers(3), 3)
    await here.post('/conversations/delete', { uid: 'alice', ...wire })
    const { version } = await here.running.store.load('alice')
    await here.post('/conversations/setUnread', { uid: 'alice', ...wire, unread: 2 })
    expect((await here.running.store.load('alice')).version).toBe(version)
  })

  it('clearUnread reads what is deleted too, which may be taken back', async () => {
    const here = await world(peers(3))
    await here.post('/conversations/delete', { uid: 'alice', ...wire })
    await here.post('/conversations/clearUnread', { uid: 'alice', ...wire })
    const { version } = await here.running.store.load('alice')
    await here.post('/conversations/clearUnread', { uid: 'alice', ...wire })
    expect((await here.running.store.load('alice')).version).toBe(version)
    await here.alice.act((store) => store.conversation(bob).restore())
    expect(await unread(here)).toBe(0)
  })

  it('[J-87 keep] delete of what is not there changes nothing', async () => {
    const { post, running } = await world()
    expect((await post('/conversations/delete', { uid: 'alice', ...wire })).body).toEqual({ status: 200 })
    expect((await running.store.load('alice')).version).toBe(0)
  })

  it('delete hides the conversation from the other devices too', async () => {
    const { post, sync, alice } = await world(peers(3))
    await post('/conversations/delete', { uid: 'alice', ...wire })
    expect(await sync()).toEqual([])
    await alice.act(() => {})
    expect(alice.store.conversation(bob).getSnapshot().hidden).toBe(true)
  })
})
