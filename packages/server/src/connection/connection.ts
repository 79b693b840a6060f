import type { Duplex } from 'node:stream'
import { CLOSE_CODES, type CloseCode, encodeTokenLifetime, SUBPROTOCOL } from '@parley/core'
import type { RawData, WebSocket } from 'ws'
import { type Audit, kindOfCode } from '../access/audit.js'
import type { Access } from '../access/authenticate.js'
import type { Gate } from '../access/gate.js'
import type { Visit } from '../admission/admission.js'
import type { Limits, Timing } from '../limits.js'
import type { Logger } from '../logger.js'
import type { DocumentLease } from '../room/documentSlot.js'
import type { Peer, Seat } from '../room/peer.js'
import type { RoomLease, Rooms } from '../room/rooms.js'
import { createAwarenessPace } from './awarenessPace.js'
import { closeSocket } from './closeSocket.js'
import { createInbox, type Inbox } from './inbox.js'
import { encodeSyncRequest, HEARTBEAT } from './messages.js'
import { createSession } from './session.js'

/** One WebSocket in its room. */
export interface Connection {
  readonly room: string
  /** Of the last token that was taken. */
  readonly access: Access
  /** Deals with all that was received, then closes. Settles when the connection is gone. */
  finish: (code: CloseCode, reason: string) => Promise<void>
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>
}

export interface ConnectionOptions {
  socket: WebSocket
  /** What the WebSocket's bytes come from. */
  stream: Duplex
  /** Counts what comes; ends with the connection. */
  visit: Visit
  room: string
  access: Access
  /** The client's address. */
  remoteAddress: string | undefined
  /** Decides about fresh tokens. */
  gate: Gate | null
  rooms: Rooms
  limits: Limits
  timing: Timing
  logger: Logger
  audit: Audit
}

/** A connection that shows no sign of life for so many heartbeats is cut. */
const SILENT_HEARTBEATS = 3
/** Whoever sends a large message over a thin line answers no ping meanwhile. So much a second is a sign of life. */
const MIN_UPLOAD_BYTES_PER_S = 1024
/** How long a client may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5_000
/** How long what a connection sent may take to be dealt with when the server stops. */
const FINISH_TIMEOUT_MS = 3_000
const MS_PER_S = 1000

/** Serves a WebSocket that may use its room. Nothing that happens here rejects or throws. */
export function createConnection(options: ConnectionOptions): Connection {
  const { socket, stream, visit, room: name, remoteAddress, rooms, limits, timing, logger, audit } = options
  const speaksParley = socket.protocol === SUBPROTOCOL
  let seat: Seat | null = null
  let lease: RoomLease | null = null
  let inbox: Inbox | null = null
  let ended = false
  /** Bytes of answers to syncs that are on their way: these may be as large as the document. */
  let answerBytes = 0
  let lastSign = Date.now()
  let lastBuffered = 0
  let receivedBytes = 0
  let wasStalled = false

  const close = (code: CloseCode, reason: string): void => {
    if (ended) return
    ended = true
    if (code !== CLOSE_CODES.serviceRestart)
      audit({ kind: kindOfCode(code), at: 'connection', code, reason, room: name, remoteAddress })
    closeSocket(socket, code, reason)
    // Its answer, and what it still uploads, must be read for the handshake to end.
    if (socket.isPaused) socket.resume()
    const deadline = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref()
    // Or thousands who come and go would be remembered until then.
    socket.once('close', () => clearTimeout(deadline))
  }

  const peer = new SocketPeer({
    isReadOnly: () => session.access.readOnly === true,
    send(message) {
      if (ended) return
      if (socket.bufferedAmount - answerBytes > limits.bufferedBytes) {
        close(CLOSE_CODES.slowReader, 'messages are not read fast enough')
      } else socket.send(message)
    },
    sendAnswer(message, sent) {
      if (ended) {
        sent()
        return
      }
      answerBytes += message.byteLength
      socket.send(message, () => {
        answerBytes -= message.byteLength
        sent()
      })
    },
    refuse: close,
  })

  const awareness = createAwarenessPace({
    rate: limits.awarenessPerConnection,
    maxClients: limits.awarenessClients,
    pass: (update) => seat?.receiveAwareness(update),
  })

  const onMessage = (data: RawData, isBinary: boolean): void => {
    lastSign = Date.now()
    if (ended || !inbox) return
    // Copied out of ws' pooled buffer, see readMessage.
    inbox(new Uint8Array(data as Buffer), isBinary)
    if (seat && seat.queuedBytes > limits.queuedBytes) socket.pause()
  }

  const heartbeat = setInterval(() => {
    const buffered = socket.bufferedAmount
    // Who reads a large answer over a thin line answers no ping before it is through.
    if (buffered < lastBuffered) lastSign = Date.now()
    lastBuffered = buffered
    // Nor does whoever is not listened to.
    if (socket.isPaused) lastSign = Date.now()
    if (receivedBytes * MS_PER_S >= MIN_UPLOAD_BYTES_PER_S * timing.heartbeatMs) lastSign = Date.now()
    receivedBytes = 0
    if (Date.now() - lastSign > SILENT_HEARTBEATS * timing.heartbeatMs) {
      socket.terminate()
      return
    }
    if (wasStalled && seat?.stalled) {
      close(CLOSE_CODES.storeUnavailable, `sync again: ${seat.stalled}`)
      return
    }
    wasStalled = seat?.stalled != null
    socket.ping()
    peer.send(HEARTBEAT)
  }, timing.heartbeatMs)
  heartbeat.unref()

  const enter = async (): Promise<void> => {
    if (ended) return
    let entered: RoomLease | null = null
    let document: DocumentLease
    try {
      entered = rooms.enter(name)
      document = await entered.room.openDocument('look')
    } catch {
      entered?.release()
      // Logged where the room was to be loaded, once for all who wait for it.
      close(CLOSE_CODES.storeUnavailable, 'the room could not be loaded')
      return
    } finally {
      socket.resume()
    }
    if (ended || socket.readyState !== socket.OPEN) {
      document.release()
      entered.release()
      return
    }
    lease = entered
    const taken = entered.room.join(peer, { asked: true })
    taken.onDrain = () => {
      if (socket.isPaused && taken.queuedBytes < limits.queuedBytes / 2) socket.resume()
    }
    seat = taken
    inbox = createInbox({
      ...{ room: entered.room, seat: taken, speaksParley, session, visit, limits, logger },
      ...{ send: peer.send, close, offerAwareness: awareness.offer },
    })
    peer.send(encodeSyncRequest(document.document.encodeStateVector()))
    // From here on it is in memory only when something must be looked up in it.
    document.release()
    taken.sendAwareness()
  }

  const finish: Connection['finish'] = async (code, reason) => {
    socket.pause()
    const at = seat
    if (at && !ended && at.stalled === null) {
      const done = new Promise<void>((reached) => at.add({ type: 'barrier', reached }))
      // Who does not read the answer to its sync, or does not answer ours, is not waited for.
      await Promise.race([closed, done, delay(FINISH_TIMEOUT_MS)])
    }
    socket.resume()
    close(code, reason)
    await closed
  }
  const session = createSession({
    ...options,
    jitterMs: timing.expiryJitterMs,
    onLifetime(lifetimeMs) {
      if (speaksParley) peer.send(encodeTokenLifetime(lifetimeMs))
    },
    onExpired: () => void finish(CLOSE_CODES.unauthenticated, 'the token has expired'),
    onRefused: (code, reason) => void finish(code, reason),
  })

  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      ended = true
      clearInterval(heartbeat)
      session.stop()
      awareness.stop()
      visit.leave()
      seat?.leave()
      // What it sent is stored before the room may leave memory.
      lease?.release()
      resolve()
    })
  })
  // Before ws gets the bytes, and with them completes a message.
  stream.prependListener('data', (chunk: Buffer) => {
    receivedBytes += chunk.byteLength
    const refused = ended ? null : visit.receive(chunk.byteLength)
    if (refused) close(refused.code, refused.reason)
  })
  socket.on('message', onMessage)
  socket.on('pong', () => {
    lastSign = Date.now()
  })
  // Followed by `close`.
  socket.on('error', (error) => logger.debug({ room: name, err: error }, 'a connection failed'))
  socket.pause()
  rooms.queueLook(name, enter)

  return {
    room: name,
    get access() {
      return session.access
    },
    closed,
    finish,
  }
}

/** A class, for an object literal with a getter is a hash table, and this is asked for every message. */
class SocketPeer implements Peer {
  readonly send: Peer['send']
  readonly sendAnswer: Peer['sendAnswer']
  readonly refuse: Peer['refuse']
  private readonly isReadOnly: () => boolean

  constructor({
    isReadOnly,
    send,
    sendAnswer,
    refuse,
  }: Omit<Peer, 'readOnly'> & { isReadOnly: () => boolean }) {
    this.isReadOnly = isReadOnly
    this.send = send
    this.sendAnswer = sendAnswer
    this.refuse = refuse
  }

  get readOnly(): boolean {
    return this.isReadOnly()
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
