import {
  onUpdate,
  type Readable,
  type RebuildOptions,
  type RebuiltDrafts,
  type Store,
  type StoreDigest,
} from '@parley/core'
import * as Y from 'yjs'
import type { ClientEnvironment } from './environment.js'
import { createIdleWork } from './idleWork.js'
import { createLeaveGuard } from './leaveGuard.js'
import { isOwnEdit, ORIGINS } from './origins.js'
import { because, initialConnection } from './status/connectionReasons.js'
import { createEditLedger } from './status/editLedger.js'
import { isLocalStorageRefused, listRefusals } from './status/refusals.js'
import type {
  ClientStatus,
  ConnectionStatus,
  Reason,
  StorageReasonCode,
  StorageStatus,
} from './status/status.js'
import { createStatusStore } from './status/statusStore.js'
import { askForPersistence } from './storage/askForPersistence.js'
import { chooseStorage, type Persistence } from './storage/chooseStorage.js'
import { createConfirmedNote } from './sync/confirmedNote.js'
import { type Connection, createConnection } from './sync/connection.js'
import type { GetToken } from './sync/token.js'
import { createTabExchange } from './tabs/exchange.js'
import { createTabChannel } from './tabs/tabChannel.js'
import { createTabRole } from './tabs/tabRole.js'

/** Why something is not on disk, or `null` if everything is. */
export type Unsaved = Reason<StorageReasonCode> | null

/** What keeps one document stored, synced and equal in all tabs. */
export interface Runtime {
  readonly status: Readable<ClientStatus>
  readonly ready: Promise<void>
  flush: () => Promise<Unsaved>
  connect: () => void
  disconnect: () => void
  close: () => Promise<Unsaved>
  destroy: () => Promise<void>
}

export interface RuntimeOptions {
  /** The name of the database, and the beginning of the names of lock and channel. */
  readonly name: string
  readonly room: string
  readonly url: string | undefined
  readonly getToken: GetToken | undefined
  readonly persistence: Persistence
  readonly doc: Y.Doc
  /** Checks an update from outside and applies or holds it. */
  readonly receive: (update: Uint8Array, origin: unknown) => 'applied' | 'held'
  /** True while an update waits for what it builds on. */
  readonly isHolding: () => boolean
  /** The digest of the document. */
  readonly digest: StoreDigest
  /** Replaces the document by a whole state, and writes again what only it has. */
  readonly rebuild: Store['rebuild']
  /** Gives up waiting, and writes again what can be read of what waits. */
  readonly salvage: () => void
  /** Tidies the document up; called when nothing happens, in one tab only. */
  readonly maintain: () => void
  /** Called after each edit made in this tab, and when the page may end. */
  readonly onOwnEdit: () => void
  readonly onHidden: () => void
  readonly confirmLeave: boolean
  readonly persistentStorage: boolean
  readonly environment: ClientEnvironment
}

/** Creates the {@link Runtime} of a document and starts it. */
export function createRuntime(options: RuntimeOptions): Runtime {
  const { name, url, doc, receive, environment } = options
  const { reportError } = environment
  const tab = randomName(environment.random)
  const ledger = createEditLedger()
  const channel = createTabChannel(name, tab, environment)
  let networkWanted = true
  /** True once another tab was heard of: it may have sent this tab's edits to the server. */
  let hasCompany = false
  let ready = false
  let ended: Promise<void> | null = null
  let unsavedAtEnd: Unsaved = null
  /** True while there may be in the document what no row holds: passed on by another tab that ended before it stored it. */
  let relayed = false

  const status = createStatusStore(
    {
      connection: initialConnection(url, environment),
      storage: { state: 'opening', quarantined: 0 },
      unsaved: { disk: false, server: true },
      divergence: null,
      ready: false,
      tab: 'alone',
      refused: [],
    },
    reportError,
  )
  let persistent: boolean | undefined
  const withPersistence = (next: StorageStatus): StorageStatus =>
    persistent === undefined ? next : { ...next, persistent }
  const unsaved = ({ state }: StorageStatus) => ({
    // What was loaded may be gone with its database.
    disk: !ledger.disk || (state === 'memory' && doc.store.clients.size > 0),
    server: !ledger.server,
  })
  const storage = chooseStorage(options.persistence, {
    name,
    doc,
    receive: (update) => receive(update, ORIGINS.storage),
    environment,
    onStatus: (next) => status.update({ storage: withPersistence(next), unsaved: unsaved(next) }),
  })
  const localStorageRefused = isLocalStorageRefused(environment)
  const refresh = (): void =>
    status.update({
      storage: withPersistence(storage.status),
      unsaved: unsaved(storage.status),
      ready,
      tab: role.current,
      refused: listRefusals({
        'locks-refused': role.refusal !== null,
        'channel-refused': channel.refusal !== null,
        'local-storage-refused': localStorageRefused,
      }),
    })

  const connection: Connection | null =
    url !== undefined && environment.WebSocket
      ? createConnection({
          ...options,
          url,
          WebSocket: environment.WebSocket,
          onStatus: (next) => setConnection(next),
          onDivergence: (divergence) => status.update({ divergence }),
          isSharedWithTabs: () => hasCompany,
          rebuild(state, before) {
            const handled = rebuild(state, { before })
            const { divergence } = status.getSnapshot()
            channel.post({ type: 'rebuilt', state: Y.encodeStateAsUpdate(doc), handled, divergence })
          },
          onDurable(marks) {
            channel.post({ type: 'saved', marks: [...marks] })
            onServer(marks.get(tab))
            idle.touch()
          },
        })
      : null
  /** Replaces the document in memory and on disk; returns the drafts it had. */
  const rebuild = (state: Uint8Array, how: RebuildOptions): RebuiltDrafts => {
    const drafts = options.rebuild(state, { ...how, origin: ORIGINS.rebuild })
    if (role.isLeading) void storage.compact(true).catch(reportError)
    refresh()
    return drafts
  }
  const confirmed = connection && url !== undefined ? createConfirmedNote(storage, doc, url) : null

  const setConnection = (next: ConnectionStatus): void => {
    status.update({ connection: next })
    role.tell()
  }
  const onServer = (edit: number | undefined): void => {
    if (edit !== undefined) ledger.onServer(edit)
    refresh()
  }

  const role = createTabRole({
    name,
    channel,
    environment,
    connection: () => status.getSnapshot().connection,
    onLead() {
      refresh()
      connection?.note(tab, ledger.last)
      exchange.greet()
      applyNetwork()
      if (relayed) void storage.compact(true).then(() => (relayed = false), reportError)
      idle.touch()
    },
    onFollow(why) {
      connection?.stop()
      if (connection) {
        status.update({
          connection: because(why === 'suspended' ? 'offline' : 'connecting', why),
        })
      }
      refresh()
      exchange.greet()
    },
    onLeaderConnection(next) {
      // So that a tab which was opened later, or hears it again, goes on as the user wanted should it lead.
      networkWanted = next.reason?.code !== 'disconnected'
      status.update({ connection: next })
    },
  })

  const exchange = createTabExchange({
    channel,
    doc,
    receive,
    environment,
    lastEdit: () => ledger.last,
    relays: () => role.current === 'leader',
    onEdits(from, edit) {
      if (role.current === 'leader') connection?.note(from, edit)
    },
  })

  const stopUpdates = onUpdate(
    doc,
    ({ update, origin }) => {
      idle.touch()
      if (isOwnEdit(origin)) {
        storage.append(update, addEdit(update))
        options.onOwnEdit()
        refresh()
      } else if (origin === ORIGINS.socket) {
        if (role.isLeading) storage.append(update)
      } else if (origin === ORIGINS.rebuild) return
      else if (origin === ORIGINS.tab) relayed = true
      // A database that opened late brings what the server may not have.
      else if (ready) addEdit(update)()
    },
    reportError,
  )
  /** Counts an edit and tells of it; returns what to call when it is on disk. */
  const addEdit = (update: Uint8Array): (() => void) => {
    const edit = ledger.add()
    exchange.tell(update, edit)
    if (role.isLeading) connection?.note(tab, edit)
    return () => {
      ledger.onDisk(edit)
      refresh()
    }
  }

  const idle = createIdleWork(async () => {
    if (!ready || !role.isLeading) return
    // Once the server has nothing to add, what a row still waits for is lost.
    if (options.isHolding() && (!connection || status.getSnapshot().connection.state === 'online')) {
      await storage.giveUpHeld(async () => {
        options.salvage()
        await storage.flush()
        return ledger.disk
      })
    }
    options.maintain()
    await storage.compact()
    if (confirmed && connection?.settled && ledger.server) await confirmed.update(connection.known)
  }, environment)

  const applyNetwork = (): void => {
    if (!role.isLeading || !connection) return
    if (networkWanted) connection.start()
    else {
      connection.stop()
      setConnection(because('offline', 'disconnected'))
    }
  }
  const setNetwork = (wanted: boolean): void => {
    if (wanted && networkWanted) connection?.retryNow()
    networkWanted = wanted
    applyNetwork()
  }

  const stopMessages = channel.subscribe((message) => {
    hasCompany = true
    if (message.type === 'rebuilt') {
      status.update({ divergence: message.divergence })
      try {
        rebuild(message.state, { handled: message.handled })
      } catch (error) {
        reportError(error)
      }
    } else if (message.type === 'saved') onServer(message.marks.find(([id]) => id === tab)?.[1])
    else if (message.type === 'network') setNetwork(message.wanted)
    else if (message.type === 'destroyed') {
      void end(() => storage.abandon(), because('offline', 'destroyed-elsewhere'))
    }
  })

  const stopLifecycle = environment.lifecycle.subscribe((event) => {
    if (event === 'hidden' || event === 'frozen' || event === 'left') {
      options.onHidden()
      void storage.flush()
    }
    if (event === 'frozen' || event === 'left') role.resign()
    if (event === 'left') channel.suspend()
    if (event === 'visible') {
      channel.resume()
      if (!ready) return
      // Also opens a database again that was given up on.
      void storage.flush()
      exchange.greet()
      role.begin()
    }
  })

  const leaveGuard = options.confirmLeave ? createLeaveGuard(status, environment.lifecycle) : null
  if (options.persistentStorage) {
    void askForPersistence(environment).then((granted) => {
      persistent = granted
      refresh()
    })
  }

  const start = async (): Promise<void> => {
    await storage.ready
    const position = await confirmed?.position()
    if (position) connection?.remember(position)
    const isKnown = doc.store.clients.size === 0 || (await confirmed?.isCurrent())
    if (ended) return
    if (confirmed && isKnown && ledger.last === 0) ledger.onServer(0)
    ready = true
    refresh()
    exchange.greet()
    role.begin()
    idle.touch()
  }
  const started = start().catch(reportError)

  /** Stops everything once; storage ends in the way given. */
  const end = (endStorage: () => Promise<void> | void, reason: ConnectionStatus): Promise<void> => {
    ended ??= (async () => {
      idle.stop()
      leaveGuard?.stop()
      stopLifecycle()
      role.stop()
      connection?.destroy()
      stopMessages()
      exchange.stop()
      await endStorage()
      stopUpdates()
      channel.close()
      if (connection) status.update({ connection: reason })
      refresh()
    })()
    return ended
  }

  const whyUnsaved = (): Unsaved => {
    const { storage, unsaved } = status.getSnapshot()
    if (!unsaved.disk) return null
    return storage.reason ?? { code: 'write-blocked', message: 'The database does not answer.' }
  }

  refresh()
  return {
    status,
    ready: started,
    async flush() {
      await storage.flush()
      return whyUnsaved()
    },
    connect() {
      channel.post({ type: 'network', wanted: true })
      setNetwork(true)
    },
    disconnect() {
      channel.post({ type: 'network', wanted: false })
      setNetwork(false)
    },
    async close() {
      await end(
        async () => {
          await storage.flush()
          // Before the end, after which the status says only that the client is closed.
          unsavedAtEnd = whyUnsaved()
          await storage.close()
        },
        because('offline', 'closed'),
      )
      return unsavedAtEnd
    },
    async destroy() {
      channel.post({ type: 'destroyed' })
      await end(() => storage.abandon(), because('offline', 'closed'))
      await storage.destroy()
    },
  }
}

/** A name that no other tab has. */
function randomName(random: () => number): string {
  return Array.from({ length: 4 }, () => random().toString(36).slice(2, 8)).join('')
}
