import { defaultEnvironment, type Environment } from '@parley/core'
import { browserLifecycle, type Lifecycle } from './lifecycle.js'

/** What the client takes from the browser. Each can be replaced; `undefined` means to do without. */
export interface ClientEnvironment extends Environment {
  /**
   * Milliseconds of a monotonic clock: `performance.now()`. All time-outs and pauses are measured with it, because the wall
   * clock (`now`) may be set back or forward at any moment.
   */
  elapsed: () => number
  /** Writes one line for a developer, at most once for each state that needs one: `console.warn`. */
  warn: (message: string) => void
  /** Opens sockets. Without it nothing is synced. */
  WebSocket: typeof WebSocket | undefined
  /** Asks over HTTP what is at an address where no WebSocket opens. Without it the status says no more than `unreachable`. */
  fetch: typeof fetch | undefined
  /** The protocol of the page's own address, `https:` for one; it decides about mixed content. */
  pageProtocol: string | undefined
  /**
   * Where documents are kept; without it they live in memory only. y-indexeddb opens databases through the global
   * `indexedDB`, so another factory works only where it is that global too.
   */
  indexedDB: IDBFactory | undefined
  /** Asked to keep the site's data when the disk gets full, if `persistentStorage` is set: `navigator.storage`. */
  storageManager: Pick<StorageManager, 'persist' | 'persisted'> | undefined
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
 * What the runtime that loaded this module offers. On a server much of it is missing, and a client does without. Some browsers
 * throw as soon as a page reads `indexedDB` or `localStorage` while site data is blocked; what is returned then throws the same
 * error when it is used, so that the client finds every refusal in one way. `browserEnvironment` itself never throws.
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
  const navigator = read(() => ambient.navigator)
  return {
    ...defaultEnvironment,
    elapsed: () => performance.now(),
    warn: (message) => console.warn(message),
    WebSocket: read(() => ambient.WebSocket),
    fetch: read(() => ambient.fetch?.bind(globalThis)),
    pageProtocol: read(() => ambient.location?.protocol),
    indexedDB: read<IDBFactory | undefined>(() => ambient.indexedDB, refusingDatabases),
    storageManager: inBrowser ? read(() => navigator?.storage) : undefined,
    locks: inBrowser ? read<ClientEnvironment['locks']>(() => navigator?.locks, refusingLocks) : undefined,
    BroadcastChannel: inBrowser ? read(() => ambient.BroadcastChannel) : undefined,
    localStorage: inBrowser
      ? read<ClientEnvironment['localStorage']>(() => ambient.localStorage, refusingStorage)
      : undefined,
    lifecycle: browserLifecycle(),
  }
}

/** Throws the error that the browser threw. */
type Refuse = () => never

const refusingLocks = (refuse: Refuse) => ({ request: refuse })
const refusingStorage = (refuse: Refuse) => ({ getItem: refuse, setItem: refuse, removeItem: refuse })
const refusingDatabases = (refuse: Refuse) => ({
  open: refuse,
  deleteDatabase: refuse,
  cmp: refuse,
  databases: refuse,
})

/** Reads a global. Where that throws, `refusing` makes a replacement whose methods throw the same error. */
function read<Value>(get: () => Value, refusing?: (refuse: Refuse) => Value): Value | undefined {
  try {
    return get()
  } catch (error) {
    return refusing?.(() => {
      throw error
    })
  }
}
