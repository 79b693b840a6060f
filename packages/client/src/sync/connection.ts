import { type StoreDigest, SUBPROTOCOL } from '@parley/core'
import * as Y from 'yjs'
import type { ClientEnvironment } from '../environment.js'
import { adviceFor } from '../status/remedies.js'
import type { ConnectionReasonCode, ConnectionStatus, DivergenceStatus, Reason } from '../status/status.js'
import { type Acknowledgements, createAcknowledgements, type EditMarks } from './acknowledgements.js'
import { createBackoff } from './backoff.js'
import { judgeClose } from './closeReason.js'
import { type Comparison, createComparison, type LogPosition } from './comparison.js'
import { explainMixedContent, explainRefusal, explainUnopened } from './explainFailure.js'
import { probeSubprotocol } from './probeSubprotocol.js'
import { createSyncProvider, type SyncProvider } from './provider.js'
import { fetchToken, type GetToken } from './token.js'
import { createTokenRenewal } from './tokenRenewal.js'

/**
 * How long a socket may take to open; twice as long after each one that did not, up to a minute. y-websocket itself waits for
 * ever, and a browser for minutes.
 */
const CONNECT_TIMEOUT_MS = 10_000
const MAX_CONNECT_TIMEOUT_MS = 60_000

/**
 * How long a server may be silent; twice as long after each connection that was given up before its first sync was complete. A
 * stock server sends that as one message, of which a browser shows nothing before it is complete.
 */
const SILENCE_MS = 30_000
const MAX_SILENCE_MS = 600_000

/** Subprotocols are tokens in the sense of HTTP; other characters make `new WebSocket` throw. */
const SUBPROTOCOL_CHARACTERS = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Longer tokens travel in the first message, because servers and proxies limit the headers of a request. */
const MAX_HEADER_TOKEN = 4_096

/** An attempt that fails for the second time is explained, then each fifth one. */
const EXPLAIN_FIRST = 2
const EXPLAIN_EACH = 5

/** The least pause after the server asked for one: a connection that works for a moment would otherwise begin anew at once. */
const BUSY_PAUSE_MS = 5_000

/** What stands before the token in the subprotocol that carries it. */
const TOKEN_PREFIX = `${SUBPROTOCOL.split('.')[0]}.token.`

const NO_NETWORK = { code: 'no-network', message: 'This device has no network.' } as const

const STRIPPED = {
  code: 'subprotocol-stripped',
  message: 'A proxy before the server removes the subprotocol; the token was sent in the first message.',
} as const

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
  /** How far the server's log went when it last acknowledged, to be kept beyond this page. */
  readonly known: LogPosition
  remember: Comparison['remember']
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
  readonly digest: StoreDigest
  /** Replaces the document by the server's whole state; `before` is what it was before the exchange, if that was not acknowledged. @throws ParleyError if it cannot be taken in */
  readonly rebuild: (state: Uint8Array, before: Uint8Array | null) => void
  readonly onDivergence: (status: DivergenceStatus) => void
  /** True if another tab may have sent this tab's edits to the server. */
  readonly isSharedWithTabs: () => boolean
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
    /** Whether the subprotocol is offered: browsers fail the connection if none is selected, as by a stock server. */
    offer: true,
    /** True once it is known that a proxy removes the subprotocol on the way to this server. */
    stripped: false,
    /** Attempts in a row whose socket did not open, and those of them that ran out of time. */
    unopened: 0,
    timedOut: 0,
    /** Connections in a row that were given up for silence before their first sync was complete. */
    silent: 0,
    /** True if everything was acknowledged before the first sync was complete, which says too little to compare. */
    early: false,
  }
  const address = `${withoutTrailingSlashes(options.url)}/${options.room}`
  /** What HTTP said about an address where no WebSocket opens. */
  let explanation: Reason<ConnectionReasonCode> | null = null
  const warned = new Set<ConnectionReasonCode>()
  /** The document before anything was exchanged on this connection, if not all of it was acknowledged. */
  let before: Uint8Array | null = null
  let cancelTimer: (() => void) | null = null
  let cancelProbe = (): void => {}
  let abortToken: AbortController | null = null
  let last: Reason<ConnectionReasonCode> | undefined
  let provider: SyncProvider | null = null

  const acknowledgements = createAcknowledgements({
    ask: (token) => provider?.ask(token),
    onDurable: options.onDurable,
    // The answer of a stock server is behind the first sync on the line.
    isTransferring: () => !state.synced || provider?.isTransferring === true,
    onUnanswered() {
      provider?.disconnect()
      leave()
      waitAndRetry({
        code: 'not-acknowledged',
        message: 'The server did not confirm in time that it stored what was sent.',
      })
    },
    schedule: environment.schedule,
  })

  const comparison = createComparison({
    digest: options.digest,
    isUnchanged: () => provider?.isUnchanged === true && acknowledgements.settled,
    claim: (claim) => provider?.claim(claim),
    askAgain: acknowledgements.askAgain,
    exchange() {
      state.uploaded = false
      state.synced = false
      report('syncing')
      provider?.askForAll()
    },
    onDivergence: options.onDivergence,
    schedule: environment.schedule,
  })

  const renewal =
    getToken && createTokenRenewal({ getToken, environment, send: (token) => provider?.sendToken(token) })

  const report = (status: ConnectionStatus['state'], reason?: Reason<ConnectionReasonCode>): void => {
    last = reason ?? last
    if (reason) warn(reason)
    onStatus(reason ? { state: status, reason } : { state: status })
  }

  /** Writes one line about each reason that a developer or operator can remove, once until `connect()` is called. */
  const warn = (reason: Reason<ConnectionReasonCode>): void => {
    const advice = adviceFor(reason)
    if (advice === null || warned.has(reason.code)) return
    warned.add(reason.code)
    environment.warn(advice)
  }

  const timer = (task: () => void, delayMs: number): void => {
    cancelTimer?.()
    cancelTimer = environment.schedule(() => {
      cancelTimer = null
      task()
    }, delayMs)
  }

  const waitAndRetry = (reason: Reason<ConnectionReasonCode>): void => {
    report('offline', environment.lifecycle.isOnline() ? reason : NO_NETWORK)
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
    let tokenValue: string | null = null
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
      tokenValue = token.value
      if (state.offer && isHeaderToken(tokenValue)) protocols.push(`${TOKEN_PREFIX}${tokenValue}`)
      renewal?.began(token.value)
    }
    provider ??= createProvider()
    try {
      provider.connect(protocols, tokenValue)
    } catch (error) {
      provider.disconnect()
      return halt('denied', explainRefusal(error, options.url, environment.pageProtocol))
    }
    const timeoutMs = Math.min(CONNECT_TIMEOUT_MS * 2 ** state.timedOut, MAX_CONNECT_TIMEOUT_MS)
    timer(() => {
      provider?.disconnect()
      closed(null, false)
    }, timeoutMs)
  }

  const closed = (event: CloseEvent | null, opened: boolean): void => {
    const wasSynced = state.synced
    leave()
    if (!state.running) return
    if (!opened) {
      unopened(event === null)
      return
    }
    if (event === null && !wasSynced) state.silent++
    const { action, reason } = judgeClose(event)
    if (action === 'retry') waitAndRetry(reason)
    else if (action === 'stop') halt('denied', reason)
    else if (!getToken || state.refreshed) halt('needs-auth', reason)
    else {
      state.refreshed = true
      void attempt(true)
    }
  }

  /** A socket did not open. The next attempt is without the subprotocol, in case that is what kept it from opening. */
  const unopened = (timedOut: boolean): void => {
    const mixed = explainMixedContent(options.url, environment.pageProtocol)
    if (mixed) {
      halt('denied', mixed)
      return
    }
    state.offer = !state.offer
    state.unopened++
    if (timedOut) {
      state.timedOut++
      waitAndRetry({ code: 'timeout', message: 'The server does not answer.' })
      return
    }
    waitAndRetry(explanation ?? { code: 'unreachable', message: 'The server cannot be reached.' })
    if (state.unopened % EXPLAIN_EACH === EXPLAIN_FIRST) void explain(state.attempt)
  }

  const explain = async (mine: number): Promise<void> => {
    const reason = await explainUnopened(address, environment)
    if (!state.running || state.open || mine + 1 < state.attempt) return
    explanation = reason
    if (state.attempt === mine) report('offline', environment.lifecycle.isOnline() ? reason : NO_NETWORK)
  }

  const leave = (): void => {
    cancelProbe()
    state.open = false
    state.uploaded = false
    state.synced = false
    state.early = false
    acknowledgements.disconnected()
    comparison.disconnected()
    renewal?.stop()
  }

  const advance = (): void => {
    if (!state.uploaded || !state.synced) return
    backoff.reset()
    state.refreshed = false
    state.silent = 0
    last = undefined
    report('online', state.stripped ? STRIPPED : undefined)
    if (!state.early) return
    state.early = false
    acknowledgements.askAgain()
  }

  const setStripped = (): void => {
    state.stripped = true
    warn(STRIPPED)
    if (state.synced && state.uploaded) report('online', STRIPPED)
  }

  const createProvider = (): SyncProvider =>
    createSyncProvider({
      ...options,
      onOpen() {
        cancelTimer?.()
        cancelTimer = null
        state.open = true
        state.unopened = 0
        state.timedOut = 0
        explanation = null
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
      onAnswer(token, position) {
        acknowledgements.answered(token)
        if (!position) return
        comparison.answeredAt(position)
        if (!provider?.isUnchanged) state.early = true
        else if (acknowledgements.settled) comparison.acknowledged(position)
      },
      onBegan: comparison.began,
      onExchange() {
        before = acknowledgements.settled ? null : Y.encodeStateAsUpdate(options.doc)
      },
      onCompared(id, outcome) {
        if (outcome === 'same' || outcome === 'skipped') before = null
        comparison.answered(id, outcome)
      },
      onCopied: comparison.copied,
      onWholeState(whole) {
        try {
          options.rebuild(whole, before)
        } catch (error) {
          comparison.failed()
          throw error
        }
        comparison.rebuilt()
      },
      onTokenLifetime: (lifetimeMs) => renewal?.lasts(lifetimeMs),
      onStripped() {
        // Offered, and the server has it all the same: a proxy removed it.
        if (state.offer) setStripped()
        else if (!state.stripped) {
          cancelProbe = probeSubprotocol(address, options.WebSocket, environment, (getsThrough) => {
            if (getsThrough) state.offer = true
            else if (state.open) setStripped()
          })
        }
      },
      silenceMs: () => Math.min(SILENCE_MS * 2 ** state.silent, MAX_SILENCE_MS),
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
      warned.clear()
      state.refreshed = false
      backoff.reset()
      void attempt(false)
    },
    note: acknowledgements.note,
    get known() {
      return comparison.known
    },
    remember: comparison.remember,
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

function isHeaderToken(token: string): boolean {
  return token.length <= MAX_HEADER_TOKEN && SUBPROTOCOL_CHARACTERS.test(token)
}

/** By hand, as a regular expression takes quadratic time on slashes that are not at the end. */
function withoutTrailingSlashes(url: string): string {
  let end = url.length
  while (url[end - 1] === '/') end--
  return url.slice(0, end)
}
