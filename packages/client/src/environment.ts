import { defaultEnvironment, type Environment } from '@parley/core'
import { browserLifecycle, type Lifecycle } from './lifecycle.js'

/** What the client takes from the browser. Each can be replaced; `undefined` means to do without. */
export interface ClientEnvironment extends Environment {
  /** Opens sockets. Without it nothing is synced. */
  WebSocket: typeof WebSocket | undefined
  /**
   * Where documents are kept; without it they live in memory only. y-indexeddb opens databases through the global
   * `indexedDB`, so another factory works only where it is that global too.
   */
  indexedDB: IDBFactory | undefined
  /** Elects the tab that holds the socket. Missing outside of secure contexts, and then every tab connects. */
  locks: Pick<LockManager, 'request'> | undefined
  /** Carries edits between the tabs of one browser. */
  BroadcastChannel: (new (name: string) => BroadcastChannel) | undefined
  /** Keeps the clock's high-water mark, read before the first edit: `localStorage`. */
  localStorage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined
  /** Whether there is a network and who looks at the page. */
  lifecycle: Lifecycle
}

/**
 * What the runtime that loaded this module offers. On a server much of it is missing, and a client does without.
 *
 * @example
 * ```ts
 * import { browserEnvironment, createClient } from '@parley/client'
 *
 * // A client that keeps to its tab, whatever the browser offers.
 * const environment = { ...browserEnvironment(), locks: undefined, BroadcastChannel: undefined }
 * const client = createClient({ userId: 'alice', persistence: 'memory', environment })
 * client.status.getSnapshot().tab // 'alone'
 * await client.close()
 * ```
 */
export function browserEnvironment(): ClientEnvironment {
  const ambient = globalThis as Partial<typeof globalThis>
  // Node has a BroadcastChannel and locks too, but there two clients of one process are two devices and no tabs.
  const inBrowser = typeof document === 'object' || 'WorkerGlobalScope' in globalThis
  return {
    ...defaultEnvironment,
    WebSocket: ambient.WebSocket,
    indexedDB: ambient.indexedDB,
    locks: inBrowser ? ambient.navigator?.locks : undefined,
    BroadcastChannel: inBrowser ? ambient.BroadcastChannel : undefined,
    localStorage: inBrowser ? readLocalStorage() : undefined,
    lifecycle: browserLifecycle(),
  }
}

function readLocalStorage(): Storage | undefined {
  try {
    return globalThis.localStorage
  } catch {
    // Where the user blocks site data even looking at it throws.
    return undefined
  }
}
