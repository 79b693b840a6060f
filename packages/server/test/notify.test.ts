import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Command,
  createMemoryLog,
  createWukongNotifier,
  type WukongNotifierOptions,
} from '../src/index.js'
import { type FakeWukong, startFakeWukong } from './support/fakeWukong.js'
import { type Device, messages, openDevice, send } from './support/gateway.js'
import { type Running, startServer, until } from './support/harness.js'

const bob = { channelId: 'bob', channelType: 1 }
const group = { channelId: 'g', channelType: 2 }
const timing = { collectMs: 20 }
const headers = { token: 'alice' }
const ofBob = { channel_id: 'bob', channel_type: 1 }

interface World extends Running {
  readonly fake: FakeWukong
  readonly phone: Device
}

/** A server that tells a WuKongIM server, and a user with messages of whom an old client has asked. */
async function start(options: Partial<WukongNotifierOptions> = {}): Promise<World> {
  const fake = await startFakeWukong()
  const wukong = createWukongNotifier({ url: fake.url, retryDelayMs: 5, ...options })
  onTestFinished(() => wukong.close())
  const running = await startServer({ timing, gateway: { notify: wukong.notify } })
  const phone = await openDevice(running, 'alice')
  await phone.act((store) =>
    store.receive([...messages(bob, ['bob', 'bob']), ...messages(group, ['bob', 'carol', 'bob'])]),
  )
  await sync(running)
  return { ...running, fake, phone }
}

async function sync(running: Running, uid = 'alice'): Promise<void> {
  await send(running, 'POST', '/v1/conversation/sync', { msg_count: 1 }, { token: uid })
}

const clear = (param: object, unread = 0): Array<[string, unknown]> => [['unreadClear', { ...param, unread }]]
const demoClear = ['clearUnread', { channelID: 'bob', channelType: 1 }]

describe('clients that know only HTTP are told', () => {
  it('[G9] [J-88 keep] what they did themselves: all devices of the user hear it', async () => {
    const world = await start()
    await send(world, 'PUT', '/v1/coversation/clearUnread', { ...ofBob, unread: 0 }, headers)
    await until('it is told', () => world.fake.sent.length >= 2)
    expect(world.fake.commands('alice')).toEqual([...clear(ofBob), demoClear])
    expect(world.fake.sent[0]).toMatchObject({
      path: 'POST /message/send',
      from_uid: '',
      channel_id: 'alice',
      channel_type: 1,
      header: { no_persist: 1, red_dot: 0, sync_once: 1 },
      payload: { type: 99 },
    })
  })

  it('[G9] what a device did that syncs by Yjs', async () => {
    const { fake, phone } = await start()
    await phone.act((store) => {
      store.conversation(bob).markRead()
      store.conversation(group).markRead(2)
      store.conversation(bob).draft.set('on my way')
      store.conversation(group).setReminder({ reminderId: '1', version: 1 })
    })
    await until('it is told', () => fake.sent.length >= 5)
    const ofGroup = { channel_id: 'g', channel_type: 2 }
    expect(fake.commands('alice')).toEqual(
      expect.arrayContaining([
        ...clear(ofBob),
        demoClear,
        ...clear(ofGroup, 1),
        ['syncConversationExtra', undefined],
        ['syncReminders', undefined],
      ]),
    )
  })

  it('[G9] [J-89 fix] a deletion under both names, kept for devices that are offline', async () => {
    const world = await start()
    await send(world, 'DELETE', '/v1/conversations/bob/1', undefined, headers)
    await until('it is told', () => world.fake.sent.length >= 2)
    expect(world.fake.commands('alice')).toEqual([
      ['conversationDeleted', ofBob],
      ['conversationDelete', ofBob],
    ])
    expect(world.fake.sent.map(({ header }) => header.no_persist)).toEqual([0, 0])
  })

  it('[G9] [J-54 keep] that an extra changed, the one who wrote it too', async () => {
    const world = await start()
    await send(world, 'POST', '/v1/conversations/bob/1/extra', { draft: 'x' }, headers)
    await until('it is told', () => world.fake.sent.length > 0)
    expect(world.fake.commands('alice')).toEqual([['syncConversationExtra', undefined]])
  })

  it('[G9] that a conversation is unread again; not of messages, which the IM server brings, and not twice', async () => {
    const { fake, phone } = await start()
    await phone.act((store) => store.receive(messages(bob, ['bob'], 3)))
    await phone.act((store) => store.conversation(group).markRead())
    await until('the read is told', () => fake.sent.length >= 2)
    await phone.act((store) => store.conversation(group).markUnread())
    await until('the mark is told', () => fake.sent.length >= 3)
    expect(
      fake.commands('alice').map(([cmd, param]) => [cmd, (param as { unread?: number }).unread]),
    ).toEqual([
      ['unreadClear', 0],
      ['clearUnread', undefined],
      ['unreadClear', 1],
    ])
  })

  it('[G9] [J-90 fix] a server that cannot be told makes no request fail; the update again changes nothing', async () => {
    const world = await start({ maxAttempts: 1 })
    world.fake.answers = [500]
    const post = () => send(world, 'POST', '/v1/conversations/bob/1/extra', { draft: 'x' }, headers)
    const first = await post()
    expect(first).toMatchObject({ status: 200, body: { version: expect.any(Number) } })
    await until('it was tried', () => world.fake.requests > 0)
    expect(await post()).toEqual(first)
  })

  it('[G9] what is stored when the server stops is told before it is gone', async () => {
    const { fake, phone, server } = await start()
    await phone.act((store) => store.conversation(bob).markRead())
    await server.close()
    await until('it is told', () => fake.sent.length >= 2)
    expect(fake.commands('alice')).toEqual([...clear(ofBob), demoClear])
  })

  it('[G9] what comes after a restart, though nobody has asked since', async () => {
    const told: Array<[string, readonly Command[]]> = []
    const store = { ...createMemoryLog(), close: async () => {} }
    const gateway = { notify: (uid: string, commands: readonly Command[]) => void told.push([uid, commands]) }
    const before = await startServer({ store, timing, gateway })
    const phone = await openDevice(before, 'alice')
    await phone.act((inside) => inside.receive(messages(bob, ['bob'])))
    await sync(before)
    await before.server.close()
    const after = await openDevice(await startServer({ store, timing, gateway }), 'alice')
    await after.act((inside) => inside.conversation(bob).markRead())
    await until('it is told', () => told.length > 0)
    expect(told).toEqual([
      [
        'alice',
        [
          { cmd: 'unreadClear', param: { ...ofBob, unread: 0 } },
          { cmd: 'clearUnread', param: { channelID: 'bob', channelType: 1 } },
        ],
      ],
    ])
  })

  it('[G10] a user none of whose clients ever asked costs neither a look nor a call', async () => {
    const { fake, phone, ...running } = await start()
    const dave = await openDevice(running, 'dave')
    await dave.act((store) => store.receive(messages(bob, ['bob'])))
    await dave.act((store) => store.conversation(bob).markRead())
    await phone.act((store) => store.conversation(bob).markRead())
    await until('the other one is told', () => fake.sent.length >= 2)
    expect(fake.commands('dave')).toEqual([])
    expect(await running.store.values.list('room:dave', { prefix: '' })).toEqual(new Map())
  })

  it('[G9] a hook that fails is logged, and the next change is told', async () => {
    const errors: unknown[] = []
    const nothing = (): void => {}
    let calls = 0
    const running = await startServer({
      timing,
      logger: { debug: nothing, info: nothing, warn: nothing, error: (fields) => void errors.push(fields) },
      gateway: {
        notify() {
          calls++
          throw new Error('no')
        },
      },
    })
    const phone = await openDevice(running, 'alice')
    await phone.act((store) => store.receive(messages(bob, ['bob'])))
    await sync(running)
    await phone.act((store) => store.conversation(bob).markRead())
    await until('it failed', () => errors.length === 1)
    await phone.act((store) => store.conversation(bob).markUnread())
    await until('it failed again', () => calls === 2)
  })
})

const command: Command = { cmd: 'syncReminders' }

describe('createWukongNotifier', () => {
  it('[G11] sends its token, to that server only: a redirection is a refusal', async () => {
    const fake = await startFakeWukong()
    const wukong = createWukongNotifier({ url: `${fake.url}/`, token: 'secret', retryDelayMs: 1 })
    await wukong.notify('alice', [command])
    await wukong.idle()
    expect(fake.sent.map(({ path, token }) => [path, token])).toEqual([['POST /message/send', 'secret']])
    fake.answers = [307]
    await wukong.notify('alice', [command])
    await wukong.idle()
    expect([fake.sent.length, fake.requests]).toEqual([1, 2])
  })

  it('[G11] tries again what fails or takes too long, and gives up at last', async () => {
    const fake = await startFakeWukong()
    fake.answers = [500, null, 429, 200]
    const wukong = createWukongNotifier({ url: fake.url, retryDelayMs: 1, timeoutMs: 50, maxAttempts: 4 })
    await wukong.notify('alice', [command])
    await wukong.idle()
    expect(fake.commands('alice')).toEqual([['syncReminders', undefined]])
    fake.answers = [503]
    const before = fake.requests
    await wukong.notify('alice', [command])
    await wukong.idle()
    expect([fake.requests - before, fake.sent.length]).toEqual([4, 1])
  })

  it('[G11] keeps no more than it may: the oldest goes', async () => {
    const fake = await startFakeWukong()
    fake.answers = [500, 500, 500, 500, 200]
    const wukong = createWukongNotifier({ url: fake.url, retryDelayMs: 50, maxWaiting: 2 })
    for (let n = 0; n < 20; n++) await wukong.notify(`u${n}`, [command])
    expect(wukong.waiting).toBeLessThanOrEqual(6)
    await wukong.idle()
    expect(fake.commands('u19')).toHaveLength(1)
    expect(fake.commands('u10')).toHaveLength(0)
  })

  it('[G11] closes without waiting for a server that is gone', async () => {
    const wukong = createWukongNotifier({ url: 'http://127.0.0.1:1', retryDelayMs: 60_000 })
    for (let n = 0; n < 100; n++) await wukong.notify(`u${n}`, [command])
    await wukong.close()
    expect(wukong.waiting).toBe(0)
    await wukong.notify('late', [command])
    expect(wukong.waiting).toBe(0)
    await wukong.close()
  })

  it('[G11] refuses what is no address, without repeating it', () => {
    for (const url of ['', 'wukong', 'ftp://127.0.0.1', 'http://name:secret@127.0.0.1']) {
      expect(() => createWukongNotifier({ url })).toThrow(/^url must be/)
      expect(() => createWukongNotifier({ url })).not.toThrow(/secret/)
    }
  })
})
