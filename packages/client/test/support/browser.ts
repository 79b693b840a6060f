import { BroadcastChannel } from 'node:worker_threads'
import { defaultEnvironment } from '@parley/core'
import { WebSocket } from 'ws'
import type { ClientEnvironment, Lifecycle, LifecycleEvent } from '../../src/index.js'
import { createFakeLocks } from './fakeLocks.js'

/** The page a client lives in, as a test moves it. */
export interface FakePage {
  readonly lifecycle: Lifecycle
  isOnline: boolean
  emit: (event: LifecycleEvent) => void
}

export function createFakePage(): FakePage {
  const listeners = new Set<(event: LifecycleEvent) => void>()
  const page: FakePage = {
    isOnline: true,
    lifecycle: {
      isOnline: () => page.isOnline,
      subscribe(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    emit(event) {
      for (const listener of listeners) listener(event)
    },
  }
  return page
}

class MemoryStorage {
  readonly values = new Map<string, string>()
  getItem = (key: string) => this.values.get(key) ?? null
  setItem = (key: string, value: string) => void this.values.set(key, value)
  removeItem = (key: string) => void this.values.delete(key)
}

/**
 * A browser in Node: what its tabs share. IndexedDB is the global one of fake-indexeddb.
 *
 * @returns a function that gives the environment of another tab; everything can be overridden
 */
export function createFakeBrowser() {
  const locks = createFakeLocks()
  const localStorage = new MemoryStorage()
  const errors: unknown[] = []
  const warnings: string[] = []
  /** Channels are known by their name to the whole process: each browser has names of its own. */
  const prefix = `${Math.random()}`
  const tab = (overrides: Partial<ClientEnvironment> = {}): ClientEnvironment => ({
    ...defaultEnvironment,
    reportError: (error) => errors.push(error),
    elapsed: () => performance.now(),
    warn: (message) => warnings.push(message),
    fetch: globalThis.fetch,
    pageProtocol: 'http:',
    storageManager: undefined,
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    indexedDB: globalThis.indexedDB,
    locks,
    BroadcastChannel: class {
      constructor(name: string) {
        const channel = new BroadcastChannel(prefix + name)
        channel.unref()
        // biome-ignore lint/correctness/noConstructorReturn: it only changes the name
        return channel as unknown as globalThis.BroadcastChannel
      }
    } as unknown as new (
      name: string,
    ) => globalThis.BroadcastChannel,
    localStorage,
    lifecycle: createFakePage().lifecycle,
    ...overrides,
  })
  return { tab, locks, localStorage, errors, warnings }
}
