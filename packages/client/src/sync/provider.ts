import {
  type DigestOutcome,
  encodeAcknowledgeRequest,
  encodeDigestClaim,
  encodeToken,
  MESSAGE_ACKNOWLEDGE,
  MESSAGE_DIGEST,
  MESSAGE_TOKEN,
  onUpdate,
  ParleyError,
  readAcknowledgement,
  readDigestAnswer,
  readTokenLifetime,
  SUBPROTOCOL,
  splitUpdate,
} from '@parley/core'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { Awareness } from 'y-protocols/awareness'
import * as syncProtocol from 'y-protocols/sync'
import { messageAwareness, messageSync, WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { ClientEnvironment } from '../environment.js'
import { ORIGINS } from '../origins.js'
import type { Claim, LogPosition } from './comparison.js'

/** A y-websocket connection that checks what it receives. It connects when told to, and never by itself. */
export interface SyncProvider {
  /**
   * Opens a socket.
   *
   * @param token sent before anything else if it is not among the subprotocols, or if the server seems to have selected none
   * @throws what the browser throws for an address or a subprotocol it refuses
   */
  connect: (protocols: string[], token: string | null) => void
  /** Closes the socket, if there is one; `onClosed` is not called. */
  disconnect: () => void
  /** Asks the server whether all that was sent before is durable; `onAnswer` brings the token. */
  ask: (token: number) => void
  /** Gives a server of `parley.1` a fresh token for the connection there is; others do not know what that is. */
  sendToken: (token: string) => void
  /** Asks for any sign of life, and gives the socket up if none comes: after a sleep it may be dead and not know. */
  probe: () => void
  /** True if the document is as it was at the last acknowledgement, and nothing that was asked for is on its way. */
  readonly isUnchanged: boolean
  /** Says what this device holds, to a server that compares it; others do not know what that is. */
  claim: (claim: Claim) => void
  /** Asks for the server's whole state and sends nothing until it is there: `onWholeState` is called with it. */
  askForAll: () => void
  /** True while there is a socket, open or not yet. */
  readonly busy: boolean
  /** True while something that was sent is still on its way into the network. */
  readonly isTransferring: boolean
  destroy: () => void
}

export interface SyncProviderOptions {
  readonly url: string
  readonly room: string
  readonly doc: Y.Doc
  readonly receive: (update: Uint8Array, origin: unknown) => 'applied' | 'held'
  readonly WebSocket: typeof WebSocket
  readonly environment: Pick<ClientEnvironment, 'elapsed' | 'schedule' | 'reportError'>
  /** How long the server may show no sign of life before the socket is given up, in milliseconds. */
  readonly silenceMs: () => number
  readonly onOpen: () => void
  /** Called when a socket closed by itself; `opened` is false if it never opened. */
  readonly onClosed: (event: CloseEvent | null, opened: boolean) => void
  /** Called when everything in the document was sent: from here on edits follow one by one. */
  readonly onUploaded: () => void
  /** Called when what the server has is in the document. */
  readonly onSynced: () => void
  /**
   * Called with the token of a question, and how far the log of a Parley server goes. More of that log may still be on its way
   * unless the document is unchanged since.
   */
  readonly onAnswer: (token: number, position: LogPosition | null) => void
  /** Called with how far the server's log went when the connection began, as a Parley server says by itself. */
  readonly onBegan: (position: LogPosition) => void
  /** Called before anything is exchanged. */
  readonly onExchange: () => void
  readonly onCompared: (id: number, outcome: DigestOutcome) => void
  /** Called where the server has more under the client id of this document than this tab can have sent it. */
  readonly onCopied: () => void
  /** Called with the server's whole state, to replace the document by it. @throws ParleyError if it cannot be taken in */
  readonly onWholeState: (state: Uint8Array) => void
  /** True if another tab may have sent this tab's edits to the server. */
  readonly isSharedWithTabs: () => boolean
  /** Called when the server says how long the token lasts, in milliseconds; `null` if it does not end. */
  readonly onTokenLifetime: (lifetimeMs: number | null) => void
  /** Called when it shows that the server speaks `parley.1` on a connection without the subprotocol. */
  readonly onStripped: () => void
  /** Called when the server sent what cannot be taken in: it does not decode, or what it builds on is missing. */
  readonly onTrouble: (kind: 'invalid-update' | 'gap') => void
}

/** The pause before asking again for what is missing, so that a server which lacks it too is not asked without end. */
const RESYNC_DELAY_MS = 500

/** It doubles up to this while asking does not help. */
const MAX_RESYNC_DELAY_MS = 60_000

/** How long edits are gathered before a stock server is asked: each answer carries its whole set of deletions. */
const BARRIER_DELAY_MS = 200

/** How long a server may take to answer a probe before the socket is taken for dead. */
const PROBE_TIMEOUT_MS = 5_000

/** How often the socket is checked for signs of life. */
const WATCH_MS = 5_000

/** A check this late means that the page was asleep: what it did not hear meanwhile says nothing about the server. */
const OVERSLEPT_MS = 10_000

/** How often a client says something while it receives a long first sync, or to a stock server, which answers nothing else. */
const KEEP_ALIVE_MS = 10_000

/** How large a piece of an upload is: small enough that one arrives between two breaks of a slow line. */
const PIECE = { maxStructs: Number.POSITIVE_INFINITY, maxBytes: 16 * 1024 }

/** An upload is sent in pieces from this size on. */
const UPLOAD_IN_PIECES_BYTES = 64 * 1024

/** How much is sent ahead of the server's confirmation: more after one that came soon, less after one that took long. */
const MIN_WINDOW_BYTES = 64 * 1024
const MAX_WINDOW_BYTES = 1024 * 1024
const FAST_WINDOW_MS = 500
const SLOW_WINDOW_MS = 4_000

/** A window may take so many times as long as a server may be silent. */
const WINDOW_TIMEOUT = 4

/** To a stock server the next piece waits until less than this has not left the browser yet. */
const MAX_BUFFERED_BYTES = 64 * 1024
const BUFFER_POLL_MS = 50

/** The state vector of an empty document. */
const NOTHING_KNOWN = new Uint8Array([0])

/** The token of a question whose answer only says that there is one. */
const PROBE_TOKEN = 0

/** The token of the question whether the pieces of an upload are stored; questions about edits count up from 1. */
const PIECES_TOKEN = 2 ** 31

/**
 * Wraps the stock `WebsocketProvider`.
 *
 * Replaced are its handler of sync messages, which applies unchecked; its listener on the document, which would mute it
 * by throwing, and which sends edits ahead of what they build on while the first sync is still going on; its reconnecting
 * (see `connection.ts`); and its BroadcastChannel, through which edits reach other tabs and never the server.
 */
export function createSyncProvider(options: SyncProviderOptions): SyncProvider {
  const { doc, environment } = options
  const awareness = new Awareness(doc)
  // Nobody is interested, unless it is what keeps the connection alive: see onopen.
  awareness.setLocalState(null)
  const provider = new WebsocketProvider(options.url, options.room, doc, {
    connect: false,
    disableBc: true,
    awareness,
    WebSocketPolyfill: options.WebSocket,
  })
  // Its own watchdog looks at the wall clock and at complete messages only.
  clearInterval(provider._checkInterval)
  let opened = false
  let uploaded = false
  let synced = false
  let closing = false
  /** The token to begin with, and whether the server has shown since that it understands it. */
  let firstToken: string | null = null
  let understandsTokens = false
  let lastSign = 0
  let lastKeepAlive = 0
  let lastBuffered = 0
  let cancelWatch: (() => void) | null = null
  let cancelUpload: (() => void) | null = null
  /** What to do when the server has confirmed all pieces but the last. */
  let onPiecesStored: (() => void) | null = null
  let asked = 0
  let answered = 0
  let resyncMs = RESYNC_DELAY_MS
  /** For stock servers: which answer to a SyncStep1 answers which question. */
  let barrier: { token: number; step: number } | null = null
  let cancelResync: (() => void) | null = null
  let cancelBarrier: (() => void) | null = null
  let cancelProbe: (() => void) | null = null

  /** How far this tab's own edits were sent, by the client id they have. */
  let sent = { client: doc.clientID, clock: 0 }
  /** What arrives for `askForAll`: the number of the SyncStep2 that completes it, and its pieces. */
  let whole: { readonly step: number; readonly pieces: Uint8Array[] } | null = null
  let isUnchanged = false
  /** True once the server has asked for what it lacks. */
  let hasBegun = false

  const noteSent = (): void => {
    sent = { client: doc.clientID, clock: Y.getState(doc.store, doc.clientID) }
  }
  /** True if a state vector says that somebody else writes under this document's client id. */
  const isCopied = (vector: Uint8Array): boolean => {
    const clock = Y.decodeStateVector(vector).get(doc.clientID) ?? 0
    const own = sent.client === doc.clientID ? sent.clock : 0
    return clock > (options.isSharedWithTabs() ? Y.getState(doc.store, doc.clientID) : own)
  }

  /** The same for an update; what cannot be read is judged where it is taken in. */
  const bringsCopied = (update: Uint8Array): boolean => {
    try {
      return isCopied(Y.encodeStateVectorFromUpdate(update))
    } catch {
      return false
    }
  }

  const send = (write: (encoder: encoding.Encoder) => void): void => {
    const socket = provider.ws
    if (socket?.readyState !== 1) return
    const encoder = encoding.createEncoder()
    write(encoder)
    socket.send(encoding.toUint8Array(encoder) as Uint8Array<ArrayBuffer>)
  }
  const sendSync = (write: (encoder: encoding.Encoder) => void): void =>
    send((encoder) => {
      encoding.writeVarUint(encoder, messageSync)
      write(encoder)
    })
  const sendStep1 = (): void => {
    asked++
    sendSync((encoder) => syncProtocol.writeSyncStep1(encoder, doc))
  }
  const resync = (): void => {
    cancelResync ??= environment.schedule(() => {
      cancelResync = null
      resyncMs = Math.min(resyncMs * 2, MAX_RESYNC_DELAY_MS)
      sendStep1()
    }, resyncMs)
  }

  const take = (update: Uint8Array): boolean => {
    const { clientID } = doc
    try {
      if (options.receive(update, ORIGINS.socket) === 'applied') {
        // Yjs takes another id when it receives changes under its own that it did not make.
        if (doc.clientID !== clientID && speaksParley()) options.onCopied()
        return true
      }
      options.onTrouble('gap')
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error
      environment.reportError(error)
      options.onTrouble('invalid-update')
    }
    resync()
    return false
  }

  const readSync = (decoder: decoding.Decoder): void => {
    const type = decoding.readVarUint(decoder)
    const content = decoding.readVarUint8Array(decoder)
    if (type === syncProtocol.messageYjsSyncStep1) {
      if (!hasBegun) options.onExchange()
      hasBegun = true
      if (speaksParley() && isCopied(content)) options.onCopied()
      else upload(content)
    } else if (whole) collect(whole, type, content)
    else if (type === syncProtocol.messageYjsSyncStep2) {
      const complete = take(content)
      answered++
      if (complete) {
        resyncMs = RESYNC_DELAY_MS
        provider.synced = true
        synced = true
        options.onSynced()
      }
      if (barrier && answered >= barrier.step) {
        const { token } = barrier
        barrier = null
        options.onAnswer(token, null)
      }
    } else if (type === syncProtocol.messageYjsUpdate) {
      if (speaksParley() && bringsCopied(content)) options.onCopied()
      else take(content)
    }
  }

  /** Takes in a part of the server's whole state. What comes before it is in it too. */
  const collect = (into: NonNullable<typeof whole>, type: number, content: Uint8Array): void => {
    const isAnswer = type === syncProtocol.messageYjsSyncStep2
    if (isAnswer) answered++
    if (answered >= into.step - 1 && !(isAnswer && answered < into.step)) into.pieces.push(content)
    if (answered < into.step) return
    whole = null
    const state = Y.mergeUpdates(into.pieces)
    try {
      options.onWholeState(state)
    } catch (error) {
      // Nothing may be sent of what cannot be reconciled; the next connection tries again.
      environment.reportError(error)
      giveUp()
      return
    }
    // Nothing was sent meanwhile: what only this device has, and what it did since.
    provider.synced = true
    synced = true
    finishUpload(Y.encodeStateAsUpdate(doc, Y.encodeStateVectorFromUpdate(state)))
    options.onSynced()
  }

  /** Sends what the server lacks, and says so once all of it has been sent. */
  const upload = (vector: Uint8Array): void => {
    cancelUpload?.()
    cancelUpload = null
    onPiecesStored = null
    const missing = Y.encodeStateAsUpdate(doc, vector)
    if (missing.byteLength < UPLOAD_IN_PIECES_BYTES) {
      finishUpload(missing)
      return
    }
    // Everything the pieces bring; edits made meanwhile are in the last message.
    const sent = Y.encodeStateVector(doc)
    const finish = (): void => finishUpload(Y.encodeStateAsUpdate(doc, sent))
    const pieces = splitUpdate(missing, PIECE)
    if (speaksParley()) sendWindow(pieces, MIN_WINDOW_BYTES, finish)
    else sendBuffered(pieces, finish)
  }
  const finishUpload = (update: Uint8Array): void => {
    sendSync((encoder) => {
      encoding.writeVarUint(encoder, syncProtocol.messageYjsSyncStep2)
      encoding.writeVarUint8Array(encoder, update)
    })
    noteSent()
    if (uploaded) return
    uploaded = true
    options.onUploaded()
  }
  const sendUpdate = (update: Uint8Array): void =>
    sendSync((encoder) => syncProtocol.writeUpdate(encoder, update))

  /**
   * Sends as many pieces as `windowBytes`, and the next ones once the server has stored these: what lies in the buffers of the
   * system and of proxies would be lost with the connection, and a browser does not see it. The time this takes is that of the
   * line, so the next window is larger or smaller. The last message follows when everything is stored, because a server handles a
   * SyncStep2 before the updates that wait.
   */
  const sendWindow = (pieces: Iterator<Uint8Array>, windowBytes: number, done: () => void): void => {
    const since = environment.elapsed()
    let bytes = 0
    let next = pieces.next()
    for (; !next.done; next = pieces.next()) {
      sendUpdate(next.value)
      bytes += next.value.byteLength
      if (bytes >= windowBytes) break
    }
    if (bytes === 0) {
      done()
      return
    }
    onPiecesStored = () => {
      cancelUpload?.()
      const took = environment.elapsed() - since
      const factor = took < FAST_WINDOW_MS ? 2 : took > SLOW_WINDOW_MS ? 0.5 : 1
      sendWindow(pieces, Math.min(Math.max(windowBytes * factor, PIECE.maxBytes), MAX_WINDOW_BYTES), done)
    }
    sendWhole(encodeAcknowledgeRequest(PIECES_TOKEN))
    cancelUpload = environment.schedule(giveUp, WINDOW_TIMEOUT * options.silenceMs())
  }

  /** Sends pieces to a stock server, which confirms nothing: as fast as they leave the browser. */
  const sendBuffered = (pieces: Iterator<Uint8Array>, done: () => void): void => {
    while ((provider.ws?.bufferedAmount ?? 0) < MAX_BUFFERED_BYTES) {
      const next = pieces.next()
      if (next.done) {
        done()
        return
      }
      sendUpdate(next.value)
    }
    cancelUpload = environment.schedule(() => sendBuffered(pieces, done), BUFFER_POLL_MS)
  }

  /** A message that cannot be read is the server's fault; thrown, it would end in the socket's event. */
  const guard = (read: (decoder: decoding.Decoder) => void) => (_: unknown, decoder: decoding.Decoder) => {
    lastSign = environment.elapsed()
    try {
      read(decoder)
    } catch (error) {
      environment.reportError(error)
      options.onTrouble('invalid-update')
    }
  }
  provider.messageHandlers[messageSync] = guard(readSync)
  provider.messageHandlers[MESSAGE_ACKNOWLEDGE] = guard((decoder) => {
    const { token, ...position } = readAcknowledgement(decoder)
    // An answer may overtake what arrives for a sync.
    isUnchanged = synced && uploaded && asked === answered && !whole
    if (token === PIECES_TOKEN) {
      const finish = onPiecesStored
      onPiecesStored = null
      finish?.()
    } else options.onAnswer(token, position)
  })
  provider.messageHandlers[MESSAGE_DIGEST] = guard((decoder) => {
    const answer = readDigestAnswer(decoder)
    if (answer.type === 'outcome') options.onCompared(answer.id, answer.outcome)
    else options.onBegan({ epoch: answer.epoch, version: answer.version })
  })
  provider.messageHandlers[MESSAGE_TOKEN] = guard((decoder) => {
    if (provider.ws?.protocol !== SUBPROTOCOL && !understandsTokens) options.onStripped()
    understandsTokens = true
    options.onTokenLifetime(readTokenLifetime(decoder))
  })
  const receiveAwareness = provider.messageHandlers[messageAwareness]
  // A heartbeat is one of these.
  provider.messageHandlers[messageAwareness] = (...args) => {
    lastSign = environment.elapsed()
    receiveAwareness?.(...args)
  }

  doc.off('update', provider._updateHandler)
  const stopListening = onUpdate(
    doc,
    ({ update, origin }) => {
      isUnchanged = false
      if (origin === ORIGINS.rebuild) return
      // Before the first SyncStep2 of ours the server may lack what an edit builds on; that one brings all of them.
      if (!uploaded || origin === ORIGINS.socket) return
      sendSync((encoder) => syncProtocol.writeUpdate(encoder, update))
      noteSent()
    },
    environment.reportError,
  )

  provider.on('status', ({ status }) => {
    if (status !== 'connected') return
    opened = true
    lastSign = environment.elapsed()
    lastKeepAlive = lastSign
    lastBuffered = 0
    watch(lastSign + WATCH_MS)
    // Firefox opens a socket whose server selects none of the subprotocols that were offered.
    const wasSent = provider.ws?.protocol === SUBPROTOCOL && provider.protocols.length > 1
    if (firstToken !== null && !wasSent) sendWhole(encodeToken(firstToken))
    // The provider itself sends the first SyncStep1 right after this.
    asked = 1
    // Stock servers send nothing while nothing happens, except one's own awareness back to oneself.
    const keepAlive = !speaksParley() && firstToken === null
    if (keepAlive !== (awareness.getLocalState() !== null)) awareness.setLocalState(keepAlive ? {} : null)
    options.onOpen()
  })
  provider.on('connection-close', (event) => {
    // Or the provider would set up the next socket by itself.
    provider.shouldConnect = false
    const hadOpened = opened
    opened = false
    uploaded = false
    synced = false
    asked = 0
    answered = 0
    whole = null
    hasBegun = false
    isUnchanged = false
    barrier = null
    understandsTokens = false
    onPiecesStored = null
    for (const cancel of [cancelResync, cancelBarrier, cancelProbe, cancelWatch, cancelUpload]) cancel?.()
    cancelWatch = null
    cancelUpload = null
    cancelResync = null
    cancelBarrier = null
    cancelProbe = null
    // Told after the provider has finished, so that it can be told to connect again at once.
    if (!closing) queueMicrotask(() => options.onClosed(event, hadOpened))
  })
  // Its errors are followed by a close, which says as much.
  provider.on('connection-error', () => {})

  /** y-websocket says goodbye under the document's client id, which may be another one by now, and throws for one it does not know. */
  const adoptClientId = (): void => {
    if (awareness.clientID === doc.clientID) return
    awareness.clientID = doc.clientID
    awareness.setLocalState(null)
  }

  const disconnect = (): void => {
    adoptClientId()
    closing = true
    provider.disconnect()
    closing = false
  }

  const giveUp = (): void => {
    disconnect()
    options.onClosed(null, true)
  }

  /** Gives the socket up when neither a message arrives nor anything that waits to be sent leaves for too long. */
  const watch = (expected: number): void => {
    cancelWatch = environment.schedule(() => {
      const now = environment.elapsed()
      const buffered = provider.ws?.bufferedAmount ?? 0
      if (buffered < lastBuffered) lastSign = now
      lastBuffered = buffered
      if (now - expected > OVERSLEPT_MS)
        lastSign = Math.max(lastSign, now - options.silenceMs() + PROBE_TIMEOUT_MS)
      if (now - lastSign > options.silenceMs()) return giveUp()
      keepAlive(now)
      watch(now + WATCH_MS)
    }, WATCH_MS)
  }

  /** A server takes a client that says nothing for dead, and a client that downloads for minutes has nothing to say. */
  const keepAlive = (now: number): void => {
    if (now - lastKeepAlive < KEEP_ALIVE_MS) return
    lastKeepAlive = now
    if (!synced && speaksParley()) sendWhole(encodeAcknowledgeRequest(PROBE_TOKEN))
    // With a new clock, and so sent and sent back.
    else if (awareness.getLocalState() !== null) awareness.setLocalState({})
  }

  const speaksParley = (): boolean => provider.ws?.protocol === SUBPROTOCOL || understandsTokens
  const sendWhole = (message: Uint8Array): void => {
    if (provider.ws?.readyState === 1) provider.ws.send(message as Uint8Array<ArrayBuffer>)
  }

  const ask = (token: number): void => {
    if (speaksParley()) {
      sendWhole(encodeAcknowledgeRequest(token))
      return
    }
    cancelBarrier ??= environment.schedule(() => {
      cancelBarrier = null
      sendStep1()
      barrier = { token, step: asked }
    }, BARRIER_DELAY_MS)
  }

  return {
    connect(protocols, token) {
      firstToken = token
      provider.protocols = protocols
      provider.connect()
    },
    disconnect,
    ask,
    sendToken(token) {
      if (speaksParley()) sendWhole(encodeToken(token))
    },
    get isUnchanged() {
      return isUnchanged
    },
    claim(claim) {
      if (speaksParley()) sendWhole(encodeDigestClaim(claim))
    },
    askForAll() {
      // What is under way is part of it.
      cancelUpload?.()
      cancelUpload = null
      onPiecesStored = null
      uploaded = false
      synced = false
      asked++
      whole = { step: asked, pieces: [] }
      sendSync((encoder) => {
        encoding.writeVarUint(encoder, syncProtocol.messageYjsSyncStep1)
        encoding.writeVarUint8Array(encoder, NOTHING_KNOWN)
      })
    },
    get busy() {
      return provider.ws !== null
    },
    get isTransferring() {
      return (provider.ws?.bufferedAmount ?? 0) > 0
    },
    probe() {
      const socket = provider.ws
      // The answer would come behind all of the first sync, over which the watch has its eye.
      if (!opened || !synced || !socket || cancelProbe) return
      const last = lastSign
      if (speaksParley()) ask(PROBE_TOKEN)
      else sendStep1()
      cancelProbe = environment.schedule(() => {
        cancelProbe = null
        if (provider.ws === socket && lastSign === last) giveUp()
      }, PROBE_TIMEOUT_MS)
    },
    destroy() {
      stopListening()
      disconnect()
      provider.destroy()
      awareness.destroy()
    },
  }
}
