import 'fake-indexeddb/auto'
import { AccessError, createMemoryLog, createServer, type ServerOptions } from '@parley/server'
import { describe, expect, it } from 'vitest'
import {
  createUser,
  onCleanUp,
  read,
  sleep,
  statusOf,
  type,
  untilRead,
  untilStatus,
} from './support/harness.js'

const ONLINE = { connection: { state: 'online' } }

async function start(options: Partial<ServerOptions> = {}) {
  const server = await createServer({ store: createMemoryLog(), auth: 'open', port: 0, ...options })
  const { port } = await server.listen()
  onCleanUp(() => server.close())
  return { server, port, url: `ws://127.0.0.1:${port}/sync` }
}

describe("with Parley's own server", () => {
  it('[CL20] [CL21] [CL42] two devices, one with two tabs, agree and know what is saved', async () => {
    const { server, url } = await start()
    const { open, userId } = createUser('Zoë / 1')
    const tabs = [open({ url }), open({ url })] as const
    const phone = createUser(userId).open({ url, profile: 'phone' })
    type(tabs[1], 'from a tab')
    await untilRead(phone, 'from a tab')
    type(phone, 'from the phone', 'carol')
    for (const tab of tabs) await untilRead(tab, 'from the phone', 'carol')
    for (const client of [...tabs, phone]) await untilStatus(client, { ...ONLINE, saved: 'server' })
    expect(tabs[0].store.export()).toEqual(phone.store.export())
    expect(server.connections).toBe(2)
  })

  it('[CL21] [CL28] edits made while the server was away are saved when it is back', async () => {
    const store = createMemoryLog()
    const { server, port, url } = await start({ store })
    const { open } = createUser()
    const client = open({ url })
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    await server.close()
    await untilStatus(client, { connection: { state: 'offline' } })
    type(client, 'hello')
    await client.flush()
    expect(statusOf(client)).toMatchObject({ saved: 'disk', unsaved: { server: true } })
    await start({ port })
    await untilStatus(client, { ...ONLINE, saved: 'server' })
  })

  it('[CL26] [CL27] tokens', async () => {
    const { url } = await start({
      auth: ({ token }) => {
        if (token === undefined || token === 'old') throw new AccessError('unauthenticated', 'expired')
        return { uid: token }
      },
    })
    const { open, userId } = createUser('alice')
    const asked: boolean[] = []
    const alice = open({
      url,
      getToken: ({ refresh }) => {
        asked.push(refresh)
        return refresh ? userId : 'old'
      },
    })
    await untilStatus(alice, ONLINE)
    expect(asked).toEqual([false, true])
    const nobody = createUser('bob').open({ url })
    await untilStatus(nobody, { connection: { state: 'needs-auth' } })
    const mallory = createUser('carol').open({ url, getToken: () => 'mallory' })
    await untilStatus(mallory, { connection: { state: 'denied', reason: { code: 'forbidden' } } })
  })

  it('[CL34] a token that expires is replaced on the connection there is', async () => {
    let issued = 0
    const taken: Array<string | undefined> = []
    const { server, url } = await start({
      auth({ uid = '', token }) {
        taken.push(token)
        return { uid, expiresAt: Date.now() + 3_000 }
      },
      timing: { expiryJitterMs: 0 },
    })
    const states: string[] = []
    const client = createUser().open({ url, getToken: () => `token-${++issued}` })
    client.status.subscribe(() => states.push(statusOf(client).connection.state))
    await untilStatus(client, ONLINE)
    states.length = 0
    await sleep(4_500)
    type(client, 'still here')
    await untilStatus(client, { ...ONLINE, saved: 'server' })
    expect(taken.slice(0, 3)).toEqual(['token-1', 'token-2', 'token-3'])
    expect(states.filter((state) => state !== 'online')).toEqual([])
    expect(server.connections).toBe(1)
  })

  it('[CL34] connect() gives the server the token there is by now, and a change of rights takes effect', async () => {
    let stored = 'reader'
    const { url } = await start({
      auth: ({ uid = '', token }) => ({ uid, readOnly: token === 'reader' }),
    })
    const user = createUser()
    const [client, tab] = [
      user.open({ url, getToken: () => stored }),
      user.open({ url, getToken: () => stored }),
    ]
    await untilStatus(client, ONLINE)
    await untilStatus(tab, ONLINE)
    stored = 'writer'
    // Whichever tab holds the socket.
    for (const one of [client, tab]) one.connect()
    await sleep(100)
    type(tab, 'may be written now')
    await untilStatus(tab, { ...ONLINE, saved: 'server' })
    stored = 'reader'
    tab.connect()
    await sleep(100)
    type(tab, 'no longer')
    await untilStatus(tab, { connection: { state: 'denied', reason: { code: 'forbidden' } } })
  })

  it('[CL27] a document over the quota is refused for good, and goes on locally', async () => {
    const { url } = await start({ limits: { documentBytes: 2_000 } })
    const { open } = createUser()
    const client = open({ url })
    await untilStatus(client, ONLINE)
    type(client, 'x'.repeat(10_000))
    await untilStatus(client, { connection: { state: 'denied', reason: { code: 'too-large' } } })
    await client.flush()
    await sleep(1_000)
    expect(statusOf(client)).toMatchObject({ connection: { state: 'denied' }, saved: 'disk' })
    expect(read(client)).toHaveLength(10_000)
  })
})
