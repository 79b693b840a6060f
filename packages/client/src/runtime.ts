import { onUpdate, type Readable } from '@parley/core'
import type * as Y from 'yjs'
import type { ClientEnvironment } from './environment.js'
import { isOwnEdit, ORIGINS } from './origins.js'
import { createEditLedger } from './status/editLedger.js'
import type { ClientStatus, ConnectionReasonCode, ConnectionStatus } from './status/status.js'
import { createStatusStore } from './status/statusStore.js'
import { chooseStorage, type Persistence } from './storage/chooseStorage.js'
import type { EditMarks } from './sync/acknowledgements.js'
import { CONFIRMED_NOTE, describeConfirmed, isConfirmed } from './sync/confirmedState.js'
import { type Connection, createConnection } from './sync/connection.js'
import type { GetToken } from './sync/token.js'
import { createElection, type Election } from './tabs/election.js'
import { createTabExchange } from './tabs/exchange.js'
import { createTabChannel, type ReceivedTabMessage } from './tabs/tabChannel.js'

/** How long nothing must have changed before the document is tidied up and compacted. */
const IDLE_MS = 2_000

/** What keeps one document stored, synced and equal in all tabs. */
export interface Runtime {
  readonly status: Readable<ClientStatus>
  readonly ready: Promise<void>
  flush: () => Promise<void>
  connect: () => void
  disconnect: () => void
  close: () => Promise<void>
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
  /** Tidies the document up; called when nothing happens, in one tab only. */
  readonly maintain: () => void
  /** Called after each edit made in this tab, and when the page may end. */
  readonly onOwnEdit: () => void
  readonly onHidden: () => void
  readonly environment: ClientEnvironment
}

const CONNECTION_REASONS = {
  'no-url': 'No server is configured; everything stays on this device.',
  'no-websocket': 'This runtime has no WebSocket; everything stays on this device.',
  disconnected: 'Syncing was turned off.',
  closed: 'The client was closed.',
  'destroyed-elsewhere': 'The local data was deleted in another tab.',
  'other-tab': 'Waiting for the tab that holds the connection.',
} satisfies Partial<Record<ConnectionReasonCode, string>>

function because(state: ConnectionStatus['state'], code: keyof typeof CONNECTION_REASONS): ConnectionStatus {
  return { state, reason: { code, message: CONNECTION_REASONS[code] } }
}

/** Creates the {@link Runtime} of a document and starts it. */
export function createRuntime(options: RuntimeOptions): Runtime {
  const { name, url, doc, receive, environment } = options
  const { reportError } = environment
  const tab = Array.from({ length: 4 }, () => environment.random().toString(36).slice(2, 8)).join('')
  const ledger = createEditLedger()
  const channel = createTabChannel(name, tab, environment)
  const elects = environment.locks !== undefined && environment.BroadcastChannel !== undefined
  let connection: Connection | null = null
  let election: Election | null = null
  let networkWanted = true
  let ready = false
  let ended: Promise<void> | null = null
  let cancelIdle: (() => void) | null = null
  /** True while other tabs brought what no row of this database may hold yet, should they have ended too early. */
  let relayed = false
  let confirmedAt: string | null = null

  const isLeading = (): boolean => (elects ? election?.isLeader === true : true)

  const status = createStatusStore(
    {
      connection: initialConnection(options),
      storage: { state: 'opening', quarantined: 0 },
      unsaved: { disk: false, server: true },
      ready: false,
      tab: elects ? 'follower' : 'alone',
    },
    reportError,
  )
  const storage = chooseStorage(options.persistence, {
    name,
    doc,
    receive: (update) => receive(update, ORIGINS.storage),
    environment,
    onStatus: () => refresh(),
  })

  const refresh = (): void => {
    const { state } = storage.status
    status.update({
      storage: storage.status,
      unsaved: { disk: !ledger.disk || (state === 'memory' && ledger.last > 0), server: !ledger.server },
      ready,
      tab: elects ? (isLeading() ? 'leader' : 'follower') : 'alone',
    })
  }

  const setConnection = (next: ConnectionStatus): void => {
    status.update({ connection: next })
    if (elects && isLeading()) channel.post({ type: 'leader', connection: next })
  }

  const onDurable = (marks: EditMarks): void => {
    const own = marks.get(tab)
    if (own !== undefined) ledger.onServer(own)
    if (elects) channel.post({ type: 'saved', marks: [...marks] })
    refresh()
    scheduleIdle()
  }

  if (url !== undefined && environment.WebSocket) {
    connection = createConnection({
      ...options,
      url,
      WebSocket: environment.WebSocket,
      onStatus: setConnection,
      onDurable,
    })
  }

  const exchange = createTabExchange({
    channel,
    doc,
    receive,
    environment,
    lastEdit: () => ledger.last,
    relays: () => elects && isLeading(),
    onEdits(from, edit) {
      if (elects && isLeading()) connection?.note(from, edit)
    },
  })

  const stopUpdates = onUpdate(
    doc,
    ({ update, origin }) => {
      scheduleIdle()
      if (isOwnEdit(origin)) {
        const edit = ledger.add()
        storage.append(update, () => {
          ledger.onDisk(edit)
          refresh()
        })
        exchange.tell(update, edit)
        if (isLeading()) connection?.note(tab, edit)
        options.onOwnEdit()
        refresh()
      } else if (origin === ORIGINS.socket && isLeading()) storage.append(update)
      else if (origin === ORIGINS.tab) relayed = true
    },
    reportError,
  )

  const scheduleIdle = (): void => {
    cancelIdle?.()
    cancelIdle = ended ? null : environment.schedule(() => void onIdle().catch(reportError), IDLE_MS)
  }

  const onIdle = async (): Promise<void> => {
    if (!ready || !isLeading()) return
    options.maintain()
    await storage.compact()
    if (url === undefined || !connection?.settled || !ledger.server) return
    const state = describeConfirmed(doc, url)
    const text = state.snapshot.join()
    if (text !== confirmedAt) await storage.setNote(CONFIRMED_NOTE, state)
    confirmedAt = text
  }

  const applyNetwork = (): void => {
    if (!ready || ended) return
    if (!networkWanted) {
      connection?.stop()
      if (connection && isLeading()) setConnection(because('offline', 'disconnected'))
    } else if (isLeading()) connection?.start()
  }

  const onMessage = (message: ReceivedTabMessage): void => {
    if (message.type === 'ping') {
      if (election?.isLeader) channel.post({ type: 'leader', connection: status.getSnapshot().connection })
    } else if (message.type === 'leader') {
      if (!elects || election?.isLeader) return
      election?.heard()
      status.update({ connection: message.connection })
    } else if (message.type === 'saved') {
      const own = message.marks.find(([id]) => id === tab)
      if (own) ledger.onServer(own[1])
      refresh()
    } else if (message.type === 'network') {
      setNetwork(message.wanted)
    } else if (message.type === 'destroyed') {
      void end(() => storage.abandon(), because('offline', 'destroyed-elsewhere'))
    }
  }
  const stopMessages = channel.subscribe(onMessage)

  const setNetwork = (wanted: boolean): void => {
    const again = networkWanted && wanted
    networkWanted = wanted
    if (again) connection?.retryNow()
    applyNetwork()
  }

  const beginElection = (): void => {
    if (!environment.locks || !elects || !ready || ended || election) return
    election = createElection({
      name: `${name}/leader`,
      locks: environment.locks,
      environment,
      ping: () => channel.post({ type: 'ping' }),
      onElected() {
        // The election answers for itself only after this call.
        queueMicrotask(() => {
          if (ended) return
          refresh()
          channel.post({ type: 'leader', connection: status.getSnapshot().connection })
          if (connection) connection.note(tab, ledger.last)
          exchange.greet()
          applyNetwork()
          // The last leader may have passed on what it had no time to store.
          if (relayed) void storage.compact(true).then(() => (relayed = false), reportError)
          scheduleIdle()
        })
      },
      onRobbed() {
        follow()
        exchange.greet()
      },
    })
  }

  const follow = (): void => {
    connection?.stop()
    if (connection) status.update({ connection: because('connecting', 'other-tab') })
    refresh()
  }

  /** Hands the lead on before this tab falls asleep: Chromium would keep its lock, and even deliver messages to it. */
  const resign = (): void => {
    if (!election) return
    const led = election.isLeader
    election.stop()
    election = null
    if (led) follow()
  }

  const stopLifecycle = environment.lifecycle.subscribe((event) => {
    if (event === 'hidden' || event === 'frozen') {
      options.onHidden()
      void storage.flush()
    }
    if (event === 'frozen') resign()
    if (event === 'visible') {
      exchange.greet()
      beginElection()
    }
  })

  const start = async (): Promise<void> => {
    await storage.ready
    if (ended) return
    const isEmpty = doc.store.clients.size === 0
    const note = url === undefined ? undefined : await storage.getNote(CONFIRMED_NOTE)
    if (ended) return
    if (url !== undefined && ledger.last === 0 && (isEmpty || isConfirmed(doc, url, note))) ledger.onServer(0)
    ready = true
    refresh()
    exchange.greet()
    beginElection()
    if (!elects) {
      connection?.note(tab, ledger.last)
      applyNetwork()
    }
    scheduleIdle()
  }
  const started = start().catch(reportError)

  /** Stops everything once; storage ends in the way given. */
  const end = (endStorage: () => Promise<void> | void, reason: ConnectionStatus): Promise<void> => {
    ended ??= (async () => {
      cancelIdle?.()
      stopLifecycle()
      election?.stop()
      connection?.destroy()
      stopMessages()
      exchange.stop()
      await endStorage()
      stopUpdates()
      channel.close()
      if (status.getSnapshot().connection.state !== 'local-only') status.update({ connection: reason })
      refresh()
    })()
    return ended
  }

  refresh()
  return {
    status,
    ready: started,
    flush: () => storage.flush(),
    connect() {
      setNetwork(true)
      if (elects) channel.post({ type: 'network', wanted: true })
    },
    disconnect() {
      setNetwork(false)
      if (elects) channel.post({ type: 'network', wanted: false })
    },
    close: () => end(() => storage.close(), because('offline', 'closed')),
    async destroy() {
      channel.post({ type: 'destroyed' })
      await end(() => storage.abandon(), because('offline', 'closed'))
      await storage.destroy()
    },
  }
}

function initialConnection({ url, environment }: RuntimeOptions): ConnectionStatus {
  if (url === undefined) return because('local-only', 'no-url')
  if (!environment.WebSocket) return because('local-only', 'no-websocket')
  return because('connecting', 'other-tab')
}
