import { createStore, ParleyError, type Readable, type Store } from '@parley/core'
import * as Y from 'yjs'
import { createClockKeeper } from './clockKeeper.js'
import { browserEnvironment, type ClientEnvironment } from './environment.js'
import { createRuntime } from './runtime.js'
import type { ClientStatus, Reason, StorageReasonCode } from './status/status.js'
import type { Persistence } from './storage/chooseStorage.js'
import { databaseName } from './storage/databaseName.js'
import type { GetToken } from './sync/token.js'

/** What a client is made of. */
export interface ClientOptions {
  /** The user whose conversations these are. Also the name of the room on the server. */
  readonly userId: string
  /** What other devices call this one, as in "another draft, from Phone". */
  readonly deviceName?: string | undefined
  /** The server, such as `wss://chat.example/sync`; a client without one stays on this device. */
  readonly url?: string | undefined
  /** Gets the token that the server wants: before each attempt to connect, and before it expires. */
  readonly getToken?: GetToken | undefined
  /** Where to keep the document on this device: `indexeddb` unless said otherwise, `memory` where there is none. */
  readonly persistence?: Persistence | undefined
  /**
   * Tells apart several devices that live in one browser, each with its own storage. Tabs of one user with the same
   * profile are one device, and must use the same `url`.
   */
  readonly profile?: string | undefined
  /** The document to use; a new one otherwise. It must be empty, and made by the same copy of yjs. */
  readonly doc?: Y.Doc | undefined
  /**
   * Whether the browser asks before the user leaves a page with edits that are not on disk; `false` by default. Browsers show
   * their own words, and only to users who have touched the page. The listener exists only while something is unsaved, since it
   * keeps pages out of the back/forward cache in some browsers.
   */
  readonly confirmLeave?: boolean | undefined
  /**
   * Whether to call `navigator.storage.persist()`, so that the browser does not evict the data when the disk gets full; `false` by
   * default, because Firefox asks the user. The answer is in `status.storage.persistent`.
   */
  readonly persistentStorage?: boolean | undefined
  /** Replacements for what the browser offers. */
  readonly environment?: Partial<ClientEnvironment> | undefined
}

/** One user's conversations on this device: stored, synced with the server and the same in every tab. */
export interface Client {
  /** The conversations. It can be read and written at once; what was stored appears when {@link Client.ready} settles. */
  readonly store: Store
  readonly doc: Y.Doc
  /** Where this tab's edits are safe, and what stands in the way. */
  readonly status: Readable<ClientStatus>
  /** Settles once what was stored on this device is loaded, or could not be. It never rejects. */
  readonly ready: Promise<void>
  /**
   * Writes every edit to disk. Resolves to `null` once all are there, or to the reason why they cannot be at the moment: after 3 s
   * at most while another page holds the database. What was not written is written later. It never rejects.
   */
  flush: () => Promise<Reason<StorageReasonCode> | null>
  /**
   * Uses the network, now rather than at the end of a pause: after {@link Client.disconnect}, or after signing in. What is
   * connected stays so, and gives the server the token that `getToken` has by now if it is another one.
   */
  connect: () => void
  /** Takes this device, which is all of the browser's tabs, off the network until {@link Client.connect}. */
  disconnect: () => void
  /**
   * Stores what is left and releases all resources. Resolves like {@link Client.flush}; writes that wait for another page are left
   * with the browser, which finishes them while it runs. Edits after it are kept nowhere. Calling it twice is fine.
   */
  close: () => Promise<Reason<StorageReasonCode> | null>
  /**
   * Closes and deletes the local data, in other tabs too, which go on in memory. What the server has stays there.
   *
   * @throws StorageError if the data could not be deleted
   */
  destroy: () => Promise<void>
}

/**
 * Creates the client of one user.
 *
 * @throws ParleyError with code `invalid-argument`, or `duplicate-yjs` for a document of another copy of yjs
 * @example
 * ```ts
 * import { createClient } from '@parley/client'
 *
 * const client = createClient({ userId: 'alice', deviceName: 'Laptop' })
 * await client.ready
 * client.store.conversation({ channelId: 'bob', channelType: 1 }).draft.set('Hello Bob')
 * await client.flush()
 * client.status.getSnapshot().connection.state // 'local-only', for there is no url
 * await client.close()
 * ```
 */
export function createClient(options: ClientOptions): Client {
  const { userId, deviceName = '', url, profile } = options
  const environment: ClientEnvironment = { ...browserEnvironment(), ...options.environment }
  if (url !== undefined) checkUrl(url)
  checkUserId(userId)
  const doc = options.doc ?? new Y.Doc()
  const name = databaseName({ userId, profile })
  const clock = createClockKeeper(name, () => store.highWater, environment)
  const store: Store = createStore({
    userId,
    doc,
    deviceName,
    environment,
    ...(clock.initial ? { highWater: clock.initial } : {}),
  })
  const runtime = createRuntime({
    name,
    room: encodeURIComponent(userId),
    url,
    getToken: options.getToken,
    persistence: options.persistence ?? 'indexeddb',
    doc,
    receive: store.applyUpdate,
    isHolding: () => store.intake.heldCount > 0,
    digest: store.digest,
    rebuild: store.rebuild,
    salvage: store.salvage,
    maintain: store.maintain,
    onOwnEdit: clock.moved,
    onHidden: clock.save,
    confirmLeave: options.confirmLeave ?? false,
    persistentStorage: options.persistentStorage ?? false,
    environment,
  })
  return {
    ...runtime,
    store,
    doc,
    async close() {
      clock.save()
      const why = await runtime.close()
      store.close()
      return why
    },
    async destroy() {
      await runtime.destroy()
      clock.forget()
      store.close()
    },
  }
}

function checkUrl(url: string): void {
  try {
    const { protocol, search, hash } = new URL(url)
    if (/^wss?:$/.test(protocol) && search === '' && hash === '') return
  } catch {
    // It is no address at all.
  }
  throw new ParleyError(
    'invalid-argument',
    'url must be the address of a server without a query, such as wss://chat.example/sync',
    { field: 'url' },
  )
}

function checkUserId(userId: string): void {
  // Browsers take these two out of an address, which then names another room.
  if (userId !== '.' && userId !== '..') return
  throw new ParleyError('invalid-argument', 'userId must be neither "." nor ".."', { field: 'userId' })
}
