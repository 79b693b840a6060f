import 'fake-indexeddb/auto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { browserEnvironment, createClient } from '../src/index.js'
import { createElection } from '../src/tabs/election.js'
import { createUser, read, sleep, statusOf, type, until, untilStatus } from './support/harness.js'

const securityError = () => new DOMException('Access is denied in this context.', 'SecurityError')
const reject = () => Promise.reject(securityError())
const refuse = (): never => {
  throw securityError()
}

afterEach(() => vi.unstubAllGlobals())

describe('a browser that refuses', () => {
  it('[CAP1] [CAP2] locks leaves each tab alone, asks once, and lets timers run', async () => {
    for (const request of [reject, () => sleep(1).then(reject), refuse]) {
      const { open, browser } = createUser()
      const locks = { request: vi.fn(request) }
      const client = open({ environment: browser.tab({ locks: locks as never }) })
      await client.ready
      await untilStatus(client, { tab: 'alone', refused: [{ code: 'locks-refused' }] })
      await sleep(300)
      expect(locks.request).toHaveBeenCalledTimes(1)
      type(client, 'hello')
      expect(await client.flush()).toBe(null)
    }
  })

  it('[CAP1] [CAP2] a BroadcastChannel leaves each tab alone, and the edits are stored', async () => {
    const { open, browser } = createUser()
    const client = open({ environment: browser.tab({ BroadcastChannel: refuse as never }) })
    await client.ready
    expect(statusOf(client)).toMatchObject({ tab: 'alone', refused: [{ code: 'channel-refused' }] })
    type(client, 'hello')
    expect(await client.flush()).toBe(null)
    const next = open()
    await next.ready
    expect(read(next)).toBe('hello')
  })

  it('[CAP1] [CAP2] localStorage is a reason, and every method of the client works', async () => {
    const { open, browser } = createUser()
    const localStorage = { getItem: refuse, setItem: refuse, removeItem: refuse }
    const client = open({ environment: browser.tab({ localStorage }) })
    await client.ready
    expect(statusOf(client).refused).toMatchObject([{ code: 'local-storage-refused' }])
    type(client, 'hello')
    await client.destroy()
  })

  it('[CAP1] [CAP2] [CAP4] IndexedDB leaves the client in memory, with one attempt', async () => {
    const { open, browser } = createUser()
    const factory = { open: vi.fn(refuse), deleteDatabase: refuse, cmp: refuse, databases: refuse }
    const client = open({ environment: browser.tab({ indexedDB: factory }) })
    await client.ready
    expect(statusOf(client).storage).toMatchObject({ state: 'memory', reason: { code: 'refused' } })
    type(client, 'hello')
    await sleep(1_500)
    expect(factory.open).toHaveBeenCalledTimes(1)
    expect(await client.flush()).toMatchObject({ code: 'refused' })
    await sleep(1_500)
    expect(factory.open).toHaveBeenCalledTimes(2)
    expect(read(client)).toBe('hello')
  })

  it('[CAP2] IndexedDB with an UnknownError counts as refused where localStorage is refused too', async () => {
    const { open, browser } = createUser()
    const opening = () => {
      const request = {
        error: new DOMException('The user denied permission.', 'UnknownError'),
      } as IDBOpenDBRequest
      queueMicrotask(() => request.onerror?.(new Event('error')))
      return request
    }
    const indexedDB = { open: opening, deleteDatabase: refuse, cmp: refuse, databases: refuse }
    const localStorage = { getItem: refuse, setItem: refuse, removeItem: refuse }
    const blocked = open({ environment: browser.tab({ indexedDB, localStorage }) })
    await blocked.ready
    expect(statusOf(blocked).storage).toMatchObject({ state: 'memory', reason: { code: 'refused' } })
    const damaged = open({ environment: browser.tab({ indexedDB }), profile: 'damaged' })
    await damaged.ready
    expect(statusOf(damaged).storage).toMatchObject({ state: 'memory', reason: { code: 'open-failed' } })
  })

  it('[CAP1] [NET1] [NET2] a WebSocket is a terminal reason with one warning', async () => {
    for (const [url, pageProtocol, code] of [
      ['ws://chat.example/sync', 'https:', 'mixed-content'],
      ['ws://chat.example/sync', 'http:', 'blocked-by-page'],
      ['wss://chat.example/sync', 'https:', 'blocked-by-page'],
    ] as const) {
      const { open, browser } = createUser()
      class Refusing {
        constructor() {
          refuse()
        }
      }
      const environment = browser.tab({ WebSocket: Refusing as never, pageProtocol })
      const client = open({ url, environment })
      await untilStatus(client, { connection: { state: 'denied', reason: { code } } })
      await sleep(500)
      expect(browser.warnings).toHaveLength(1)
      expect(browser.warnings[0]).toContain(`Parley (${code})`)
      type(client, 'hello')
      expect(await client.flush()).toBe(null)
    }
  })

  it('[CAP1] globals that throw when they are read makes no call of createClient throw', async () => {
    const globals = [
      'indexedDB',
      'localStorage',
      'BroadcastChannel',
      'WebSocket',
      'fetch',
      'navigator',
    ] as const
    const known = globals.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
    vi.stubGlobal('document', { addEventListener() {}, removeEventListener() {}, visibilityState: 'visible' })
    try {
      for (const name of globals) Object.defineProperty(globalThis, name, { configurable: true, get: refuse })
      // What is refused is found out when it is used, so this must not throw either.
      const environment = { ...browserEnvironment(), reportError: () => {} }
      // The lifecycle looks at `navigator` each time; Node has one that works.
      const lifecycle = { isOnline: () => true, subscribe: () => () => {} }
      const client = createClient({ userId: 'refused', environment: { ...environment, lifecycle } })
      await client.ready
      expect(statusOf(client)).toMatchObject({
        storage: { state: 'memory', reason: { code: 'refused' } },
        refused: [{ code: 'local-storage-refused' }],
      })
      type(client, 'hello')
      expect(read(client)).toBe('hello')
      await client.close()
    } finally {
      for (const [name, descriptor] of known) {
        if (descriptor) Object.defineProperty(globalThis, name, descriptor)
        else delete (globalThis as Record<string, unknown>)[name]
      }
    }
  })
})

describe('the election', () => {
  /** An election in a time of its own. */
  function setUp(request: (...args: unknown[]) => Promise<unknown>) {
    let now = 0
    const timers = new Set<{ at: number; task: () => void }>()
    const events: string[] = []
    const election = createElection({
      name: 'test',
      locks: { request: request as never },
      environment: {
        elapsed: () => now,
        random: () => 0,
        schedule(task, delayMs) {
          const timer = { at: now + delayMs, task }
          timers.add(timer)
          return () => void timers.delete(timer)
        },
      },
      ping: () => {},
      onElected: () => events.push('elected'),
      onRobbed: () => events.push('robbed'),
      onRefused: () => events.push(`refused after ${now} ms`),
    })
    const pass = async (ms: number): Promise<void> => {
      const end = now + ms
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve))
        const [next] = [...timers].sort((a, b) => a.at - b.at)
        if (!next || next.at > end) break
        now = next.at
        timers.delete(next)
        next.task()
      }
      now = end
    }
    return { election, events, pass, timers }
  }

  it('[CAP3] repeats a request that fails after growing pauses, and ends', async () => {
    const request = vi.fn(() => Promise.reject(new DOMException('not now', 'InvalidStateError')))
    const { events, pass, timers } = setUp(request)
    await pass(60_000)
    expect(request).toHaveBeenCalledTimes(4)
    expect(events).toHaveLength(1)
    expect(events[0]).toMatch(/^refused after \d{4} ms$/)
    expect(timers.size).toBe(0)
  })

  it('[CAP3] gives up on locks that are never answered, and ends', async () => {
    const request = vi.fn(() => new Promise(() => {}))
    const { events, pass, timers } = setUp(request)
    await pass(60_000)
    expect(request.mock.calls.length).toBeLessThanOrEqual(5)
    expect(events).toHaveLength(1)
    expect(timers.size).toBe(0)
  })
})

describe('persistence', () => {
  it('[CAP5] is asked for only with the option, once, and the answer is in the status', async () => {
    for (const answer of [true, false, null]) {
      const { open, browser } = createUser()
      const persist = vi.fn(async () => answer ?? refuse())
      const environment = browser.tab({ storageManager: { persist, persisted: async () => false } })
      const without = open({ environment, profile: 'without' })
      await without.ready
      expect(persist).not.toHaveBeenCalled()
      expect(statusOf(without).storage.persistent).toBeUndefined()
      const client = open({ environment, persistentStorage: true })
      await until(() => expect(statusOf(client).storage.persistent).toBe(answer ?? false))
      expect(persist).toHaveBeenCalledTimes(1)
    }
  })
})
