import 'fake-indexeddb/auto'
import { describe, expect, it } from 'vitest'
import { createFakePage } from './support/browser.js'
import {
  createUser,
  read,
  sleep,
  startServer,
  statusOf,
  type,
  until,
  untilStatus,
} from './support/harness.js'

/** A transaction of another page that holds a database until it is released. */
async function holdDatabase(name: string): Promise<() => void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open(name)
    request.onsuccess = () => resolve(request.result)
  })
  const store = db.transaction(['updates', 'custom'], 'readwrite').objectStore('updates')
  let held = true
  const spin = (): void => {
    const request = store.get(-1)
    request.onsuccess = () => {
      if (held) spin()
      else db.close()
    }
  }
  spin()
  await sleep(50)
  return () => {
    held = false
  }
}

describe('while a transaction of another page holds the database', () => {
  it('[WAIT1] flush() and close() settle with a reason, and what was typed is stored afterwards', async () => {
    const { open, database } = createUser()
    const client = open()
    await client.ready
    type(client, 'first')
    expect(await client.flush()).toBe(null)
    const release = await holdDatabase(database)
    type(client, 'typed meanwhile')
    const since = performance.now()
    expect(await client.flush()).toMatchObject({ code: 'write-blocked' })
    expect(statusOf(client)).toMatchObject({
      storage: { state: 'indexeddb', reason: { code: 'write-blocked' } },
      unsaved: { disk: true },
    })
    expect(await client.close()).toMatchObject({ code: 'write-blocked' })
    expect(performance.now() - since).toBeLessThan(9_000)
    release()
    const next = open()
    await next.ready
    expect(read(next)).toBe('typed meanwhile')
  })

  it('[WAIT1] the status says so without a flush, and no more once the write is through', async () => {
    const { open, database } = createUser()
    const client = open()
    await client.ready
    const release = await holdDatabase(database)
    type(client, 'typed meanwhile')
    await untilStatus(client, { storage: { reason: { code: 'write-blocked' } } })
    release()
    await untilStatus(client, { storage: { state: 'indexeddb' }, unsaved: { disk: false } })
    expect(statusOf(client).storage.reason).toBeUndefined()
  })

  it('[WAIT1] ready settles', async () => {
    const { open, database } = createUser()
    const first = open({ url: 'ws://127.0.0.1:1/sync' })
    type(first, 'first')
    await first.close()
    const release = await holdDatabase(database)
    const client = open({ url: 'ws://127.0.0.1:1/sync' })
    await client.ready
    expect(statusOf(client).storage).toMatchObject({ state: 'memory', reason: { code: 'blocked' } })
    release()
    await until(() => expect(read(client)).toBe('first'))
  })
})

describe('durations', () => {
  it('[WAIT3] a wall clock that is set back does not keep a follower from taking over', async () => {
    for (const shiftMs of [-3_600_000, 3 * 365 * 86_400_000]) {
      const { open, browser } = createUser()
      let offset = 0
      let hangs = false
      const now = () => Date.now() + offset
      const { BroadcastChannel: Channel } = browser.tab()
      class Deaf {
        constructor(name: string) {
          const channel = new (Channel as unknown as new (name: string) => BroadcastChannel)(name)
          const post = channel.postMessage.bind(channel)
          channel.postMessage = (message) => {
            if (!hangs) post(message)
          }
          // biome-ignore lint/correctness/noConstructorReturn: it only changes what is sent
          return channel
        }
      }
      const a = open({
        persistence: 'memory',
        environment: browser.tab({ now, BroadcastChannel: Deaf as never }),
      })
      await untilStatus(a, { tab: 'leader' })
      const b = open({ persistence: 'memory', environment: browser.tab({ now }) })
      await untilStatus(b, { tab: 'follower' })
      offset = shiftMs
      await sleep(500)
      hangs = true
      await untilStatus(b, { tab: 'leader' })
    }
  })
})

describe('a page that is left', () => {
  it('[LIFE1] [LIFE2] closes its socket and its channel, and goes on when it returns', async () => {
    const server = await startServer()
    const page = createFakePage()
    const { open, browser } = createUser()
    const { BroadcastChannel: Channel } = browser.tab()
    const channels = new Set<BroadcastChannel>()
    class Counted {
      constructor(name: string) {
        const channel = new (Channel as unknown as new (name: string) => BroadcastChannel)(name)
        channels.add(channel)
        const close = channel.close.bind(channel)
        channel.close = () => {
          channels.delete(channel)
          close()
        }
        // biome-ignore lint/correctness/noConstructorReturn: it only counts
        return channel
      }
    }
    const environment = browser.tab({ lifecycle: page.lifecycle, BroadcastChannel: Counted as never })
    const a = open({ url: server.url, environment })
    await untilStatus(a, { connection: { state: 'online' }, tab: 'leader' })
    type(a, 'typed before')
    page.emit('left')
    await untilStatus(a, {
      connection: { state: 'offline', reason: { code: 'suspended' } },
      unsaved: { disk: false },
    })
    await until(() => expect(server.sockets.clients.size).toBe(0))
    expect(channels.size).toBe(0)
    const b = open({ url: server.url })
    await untilStatus(b, { connection: { state: 'online' }, tab: 'leader' })
    type(b, 'typed elsewhere', 'carol')
    page.emit('visible')
    await untilStatus(a, { connection: { state: 'online' }, tab: 'follower', saved: 'server' })
    await until(() => expect(read(a, 'carol')).toBe('typed elsewhere'))
    expect(read(b)).toBe('typed before')
    expect(channels.size).toBe(1)
  })

  it('[LIFE3] is guarded only with the option, and only while an edit is not on disk', async () => {
    for (const confirmLeave of [true, false]) {
      const { open, browser } = createUser()
      const page = createFakePage()
      let guards = 0
      const lifecycle = {
        ...page.lifecycle,
        confirmLeave() {
          guards++
          return () => {
            guards--
          }
        },
      }
      const client = open({ confirmLeave, environment: browser.tab({ lifecycle }) })
      await client.ready
      expect(guards).toBe(0)
      type(client, 'hello')
      expect(guards).toBe(confirmLeave ? 1 : 0)
      await client.flush()
      expect(guards).toBe(0)
      type(client, 'hello again')
      await client.close()
      expect(guards).toBe(0)
    }
  })
})
