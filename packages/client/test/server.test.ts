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
