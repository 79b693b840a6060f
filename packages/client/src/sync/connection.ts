import { SUBPROTOCOL } from '@parley/core'
import type * as Y from 'yjs'
import type { ClientEnvironment } from '../environment.js'
import type { ConnectionReasonCode, ConnectionStatus, Reason } from '../status/status.js'
import { type Acknowledgements, createAcknowledgements, type EditMarks } from './acknowledgements.js'
import { createBackoff } from './backoff.js'
import { judgeClose } from './closeReason.js'
import { createSyncProvider, type SyncProvider } from './provider.js'
import { fetchToken, type GetToken } from './token.js'
import { createTokenRenewal } from './tokenRenewal.js'

/** How long a socket may take to open. y-websocket itself waits for ever, and a browser for minutes. */
const CONNECT_TIMEOUT_MS = 10_000

/** The least pause after the server asked for one: a connection that works for a moment would otherwise begin anew at once. */
const BUSY_PAUSE_MS = 5_000

/** Keeps a document connected to its room on the server. */
export interface Connection {
  /** Connects, and connects again whenever that is lost. */
  start: () => void
  /** Disconnects and stays so. */
  stop: () => void
  /**
   * Connects now rather than at the end of the pause; after a refusal too. What is connected asks whether there is another
   * token by now.
   */
  retryNow: () => void
  /** Says that an edit of a tab is in the document, and has to be confirmed. */
  note: Acknowledgements['note']
  /** True while connected with everything confirmed. */
  readonly settled: boolean
  destroy: () => void
}

export interface ConnectionOptions {
  readonly url: string
  readonly room: string
  readonly doc: Y.Doc
  readonly receive: (update: Uint8Array, origin: unknown) => 'applied' | 'held'
  readonly getToken: GetToken | undefined
  readonly WebSocket: typeof WebSocket
  readonly environment: ClientEnvironment
  readonly onStatus: (status: ConnectionStatus) => void
  /** Called with the edits that are durable on the server. */
  readonly onDurable: (marks: EditMarks) => void
}

/** Creates a {@link Connection}; it begins stopped. */
export function createConnection(options: ConnectionOptions): Connection {
  const { environment, getToken, onStatus } = options
  const backoff = createBackoff(environment.random)
  const state = {
    running: false,
    /** Counts attempts, so that what belongs to an earlier one is known by its number. */
    attempt: 0,
    open: false,
    uploaded: false,
    synced: false,
    refreshed: false,
    /** Whether the subprotocol is offered: Chromium fails the connection to a stock server, which selects none. */
    offer: true,
  }
  let cancelTimer: (() => void) | null = null
  let abortToken: AbortController | null = null
  let last: Reason<ConnectionReasonCode> | undefined
  let provider: SyncProvider | null = null

  const acknowledgements = createAcknowledgements({
    ask: (token) => provider?.ask(token),
    onDurable: options.onDurable,
  })

  const renewal =
    getToken && createTokenRenewal({ getToken, environment, send: (token) => provider?.sendToken(token) })

  const report = (status: ConnectionStatus['state'], reason?: Reason<ConnectionReasonCode>): void => {
    last = reason ?? last
    onStatus(reason ? { state: status, reason } : { state: status })
  }

  const timer = (task: () => void, delayMs: number): void => {
    cancelTimer?.()
    cancelTimer = environment.schedule(() => {
      cancelTimer = null
      task()
    }, delayMs)
  }

  const waitAndRetry = (reason: Reason<ConnectionReasonCode>): void => {
    const offline = { code: 'no-network', message: 'This device has no network.' } as const
    report('offline', environment.lifecycle.isOnline() ? reason : offline)
    const least = reason.code === 'server-busy' ? BUSY_PAUSE_MS * (0.5 + environment.random() / 2) : 0
    timer(() => void attempt(false), Math.max(least, backoff.next()))
  }

  const halt = (status: 'needs-auth' | 'denied', reason: Reason<ConnectionReasonCode>): void => {
    cancelTimer?.()
    cancelTimer = null
    report(status, reason)
  }

  const attempt = async (refresh: boolean): Promise<void> => {
    const mine = ++state.attempt
    cancelTimer?.()
    cancelTimer = null
    report('connecting', last)
    const protocols: string[] = state.offer ? [SUBPROTOCOL] : []
    if (getToken) {
      abortToken?.abort()
      abortToken = new AbortController()
      const token = await fetchToken(getToken, { refresh, signal: abortToken.signal }, environment.schedule)
      if (mine !== state.attempt || !state.running) return
      if (token.kind === 'none') return halt('needs-auth', token.reason)
      if (token.kind === 'failed') {
        environment.reportError(token.error)
        return waitAndRetry(token.reason)
      }
      protocols.push(`${SUBPROTOCOL.split('.')[0]}.token.${token.value}`)
      renewal?.began(token.value)
    }
    provider ??= createProvider()
    try {
      provider.connect(protocols)
    } catch (error) {
      // A token with characters that no subprotocol may have.
      environment.reportError(error)
      provider.disconnect()
      return halt('needs-auth', { code: 'token-refused', message: 'The sign-in cannot be sent to a server.' })
    }
    timer(() => {
      provider?.disconnect()
      closed(null, false)
    }, CONNECT_TIMEOUT_MS)
  }

  const closed = (event: CloseEvent | null, opened: boolean): void => {
    leave()
    if (!state.running) return
    if (!opened) {
      // With a token the server is one of ours, and without the subprotocol it would not get to see it.
      if (!getToken) state.offer = !state.offer
      waitAndRetry({
        code: event ? 'unreachable' : 'timeout',
        message: 'The server cannot be reached.',
      })
      return
    }
    const { action, reason } = judgeClose(event)
    if (action === 'retry') waitAndRetry(reason)
    else if (action === 'stop') halt('denied', reason)
    else if (!getToken || state.refreshed) halt('needs-auth', reason)
    else {
      state.refreshed = true
      void attempt(true)
    }
  }

  const leave = (): void => {
    state.open = false
    state.uploaded = false
    state.synced = false
    acknowledgements.disconnected()
    renewal?.stop()
  }

  const advance = (): void => {
    if (!state.uploaded || !state.synced) return
    backoff.reset()
    state.refreshed = false
    last = undefined
    report('online')
  }

  const createProvider = (): SyncProvider =>
    createSyncProvider({
      ...options,
      onOpen() {
        cancelTimer?.()
        cancelTimer = null
        state.open = true
        last = undefined
        report('syncing')
      },
      onClosed: closed,
      onUploaded() {
        state.uploaded = true
        acknowledgements.connected()
        advance()
      },
      onSynced() {
        state.synced = true
        advance()
      },
      onAnswer: acknowledgements.answered,
      onTokenLifetime: (lifetimeMs) => renewal?.lasts(lifetimeMs),
      onTrouble(kind) {
        state.synced = false
        const message =
          kind === 'gap'
            ? 'Something that an update builds on is missing; the server is asked for it.'
            : 'The server sent something that cannot be read; it was left out.'
        report('syncing', { code: kind, message })
      },
    })

  const wake = (): void => {
    if (state.open) provider?.probe()
    else if (state.running && cancelTimer && !isOpening()) {
      backoff.reset()
      void attempt(false)
    }
  }
  // While a socket is opening the timer is its watchdog.
  const isOpening = (): boolean => provider?.busy === true

  const stopListening = environment.lifecycle.subscribe((event) => {
    if (event === 'online' || event === 'visible') wake()
    // Only a hint, so the server is asked before the socket is given up.
    if (event === 'offline') provider?.probe()
  })

  const stop = (): void => {
    state.running = false
    state.attempt++
    abortToken?.abort()
    cancelTimer?.()
    cancelTimer = null
    last = undefined
    leave()
    provider?.disconnect()
  }

  return {
    start() {
      if (state.running) return
      state.running = true
      state.refreshed = false
      backoff.reset()
      void attempt(false)
    },
    stop,
    retryNow() {
      if (state.open) renewal?.ask()
      if (!state.running || state.open || isOpening()) return
      state.refreshed = false
      backoff.reset()
      void attempt(false)
    },
    note: acknowledgements.note,
    get settled() {
      return state.open && acknowledgements.settled
    },
    destroy() {
      stop()
      stopListening()
      provider?.destroy()
      provider = null
    },
  }
}
