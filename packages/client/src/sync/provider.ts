import {
  encodeAcknowledgeRequest,
  encodeToken,
  MESSAGE_ACKNOWLEDGE,
  MESSAGE_TOKEN,
  onUpdate,
  ParleyError,
  readAcknowledgement,
  readTokenLifetime,
  SUBPROTOCOL,
} from '@parley/core'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { Awareness } from 'y-protocols/awareness'
import * as syncProtocol from 'y-protocols/sync'
import { messageSync, WebsocketProvider } from 'y-websocket'
import type * as Y from 'yjs'
import type { ClientEnvironment } from '../environment.js'
import { ORIGINS } from '../origins.js'

/** A y-websocket connection that checks what it receives. It connects when told to, and never by itself. */
export interface SyncProvider {
  /** Opens a socket. @throws what the browser throws for an address or a subprotocol it does not take */
  connect: (protocols: string[]) => void
  /** Closes the socket, if there is one; `onClosed` is not called. */
  disconnect: () => void
  /** Asks the server whether all that was sent before is durable; `onAnswer` brings the token. */
  ask: (token: number) => void
  /** Gives a server of `parley.1` a fresh token for the connection there is; others do not know what that is. */
  sendToken: (token: string) => void
  /** Asks for any sign of life, and gives the socket up if none comes: after a sleep it may be dead and not know. */
  probe: () => void
  /** True while there is a socket, open or not yet. */
  readonly busy: boolean
  destroy: () => void
}

export interface SyncProviderOptions {
  readonly url: string
  readonly room: string
  readonly doc: Y.Doc
  readonly receive: (update: Uint8Array, origin: unknown) => 'applied' | 'held'
  readonly WebSocket: typeof WebSocket
  readonly environment: Pick<ClientEnvironment, 'schedule' | 'reportError'>
  readonly onOpen: () => void
  /** Called when a socket closed by itself; `opened` is false if it never opened. */
  readonly onClosed: (event: CloseEvent | null, opened: boolean) => void
  /** Called when everything in the document was sent: from here on edits follow one by one. */
  readonly onUploaded: () => void
  /** Called when what the server has is in the document. */
  readonly onSynced: () => void
  readonly onAnswer: (token: number) => void
  /** Called when the server says how long the token lasts, in milliseconds; `null` if it does not end. */
  readonly onTokenLifetime: (lifetimeMs: number | null) => void
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

/** The token of a question whose answer only says that there is one. */
const PROBE_TOKEN = 0

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
  let opened = false
  let uploaded = false
  let closing = false
  let asked = 0
  let answered = 0
  let resyncMs = RESYNC_DELAY_MS
  /** For stock servers: which answer to a SyncStep1 answers which question. */
  let barrier: { token: number; step: number } | null = null
  let cancelResync: (() => void) | null = null
  let cancelBarrier: (() => void) | null = null
  let cancelProbe: (() => void) | null = null

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
    try {
      if (options.receive(update, ORIGINS.socket) === 'applied') return true
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
      sendSync((encoder) => syncProtocol.writeSyncStep2(encoder, doc, content))
      if (uploaded) return
      uploaded = true
      options.onUploaded()
    } else if (type === syncProtocol.messageYjsSyncStep2) {
      const complete = take(content)
      answered++
      if (complete) {
        resyncMs = RESYNC_DELAY_MS
        provider.synced = true
        options.onSynced()
      }
      if (barrier && answered >= barrier.step) {
        const { token } = barrier
        barrier = null
        options.onAnswer(token)
      }
    } else if (type === syncProtocol.messageYjsUpdate) take(content)
  }

  /** A message that cannot be read is the server's fault; thrown, it would end in the socket's event. */
  const guard = (read: (decoder: decoding.Decoder) => void) => (_: unknown, decoder: decoding.Decoder) => {
    try {
      read(decoder)
    } catch (error) {
      environment.reportError(error)
      options.onTrouble('invalid-update')
    }
  }
  provider.messageHandlers[messageSync] = guard(readSync)
  provider.messageHandlers[MESSAGE_ACKNOWLEDGE] = guard((decoder) =>
    options.onAnswer(readAcknowledgement(decoder).token),
  )
  provider.messageHandlers[MESSAGE_TOKEN] = guard((decoder) =>
    options.onTokenLifetime(readTokenLifetime(decoder)),
  )

  doc.off('update', provider._updateHandler)
  const stopListening = onUpdate(
    doc,
    ({ update, origin }) => {
      // Before the first SyncStep2 of ours the server may lack what an edit builds on; that one brings all of them.
      if (!uploaded || origin === ORIGINS.socket) return
      sendSync((encoder) => syncProtocol.writeUpdate(encoder, update))
    },
    environment.reportError,
  )

  provider.on('status', ({ status }) => {
    if (status !== 'connected') return
    opened = true
    // The provider itself sends the first SyncStep1 right after this.
    asked = 1
    // Stock servers send nothing while nothing happens, except one's own awareness back to oneself, every 15 s; a
    // client that hears nothing for 30 s reconnects.
    const keepAlive = !speaksParley()
    if (keepAlive !== (awareness.getLocalState() !== null)) awareness.setLocalState(keepAlive ? {} : null)
    options.onOpen()
  })
  provider.on('connection-close', (event) => {
    // Or the provider would set up the next socket by itself.
    provider.shouldConnect = false
    const hadOpened = opened
    opened = false
    uploaded = false
    asked = 0
    answered = 0
    barrier = null
    for (const cancel of [cancelResync, cancelBarrier, cancelProbe]) cancel?.()
    cancelResync = null
    cancelBarrier = null
    cancelProbe = null
    // Told after the provider has finished, so that it can be told to connect again at once.
    if (!closing) queueMicrotask(() => options.onClosed(event, hadOpened))
  })
  // Its errors are followed by a close, which says as much.
  provider.on('connection-error', () => {})

  const disconnect = (): void => {
    closing = true
    provider.disconnect()
    closing = false
  }

  const speaksParley = (): boolean => provider.ws?.protocol === SUBPROTOCOL
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
    connect(protocols) {
      provider.protocols = protocols
      provider.connect()
    },
    disconnect,
    ask,
    sendToken(token) {
      if (speaksParley()) sendWhole(encodeToken(token))
    },
    get busy() {
      return provider.ws !== null
    },
    probe() {
      const socket = provider.ws
      if (!opened || !socket || cancelProbe) return
      const last = provider.wsLastMessageReceived
      if (speaksParley()) ask(PROBE_TOKEN)
      else sendStep1()
      cancelProbe = environment.schedule(() => {
        cancelProbe = null
        if (provider.ws !== socket || provider.wsLastMessageReceived !== last) return
        disconnect()
        options.onClosed(null, true)
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
