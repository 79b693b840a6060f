import type { Duplex } from 'node:stream'
import {
  CLOSE_CODES,
  type CloseCode,
  encodeLogPosition,
  encodeTokenLifetime,
  SUBPROTOCOL,
} from '@parley/core'
import type { RawData, WebSocket } from 'ws'
import { type Audit, kindOfCode } from '../access/audit.js'
import type { Access } from '../access/authenticate.js'
import type { Gate } from '../access/gate.js'
import type { Visit } from '../admission/admission.js'
import { ServerError } from '../errors.js'
import type { Limits, Timing } from '../limits.js'
import type { Logger } from '../logger.js'
import type { Digests } from '../room/digests.js'
import type { DocumentLease } from '../room/documentSlot.js'
import type { Peer, Seat } from '../room/peer.js'
import type { RoomLease, Rooms } from '../room/rooms.js'
import { Answer } from './answer.js'
import { type AwarenessPace, createAwarenessPace } from './awarenessPace.js'
import { closeSocket } from './closeSocket.js'
import type { EarlyMessage } from './firstMessage.js'
import { Inbox, type InboxClient } from './inbox.js'
import { encodeSyncRequest, HEARTBEAT } from './messages.js'
import { createSession, type Session, type SessionListener } from './session.js'

/** One WebSocket in its room. */
export interface Connection {
  readonly room: string
  /** Of the last token that was taken. */
  readonly access: Access
  /** Deals with all that was received, then closes. Settles when the connection is gone. */
  finish: (code: CloseCode, reason: string) => Promise<void>
}

/** A WebSocket that may use a room. */
export interface Admitted {
  readonly socket: WebSocket
  /** What its bytes come from. */
  readonly stream: Duplex
  /** Its place in the limits, to be left when it ends. */
  readonly visit: Visit
  readonly room: string
  readonly access: Access
  /** The client's address. */
  readonly remoteAddress: string | undefined
  /** What arrived behind the token in the first message; `null` if the token was in the request. */
  readonly early: readonly EarlyMessage[] | null
}

/** What all connections of a server have in common. */
export interface ConnectionContext {
  /** Decides about fresh tokens. */
  readonly gate: Gate | null
  readonly rooms: Rooms
  readonly digests: Digests
  readonly limits: Limits
  readonly timing: Timing
  readonly logger: Logger
  readonly audit: Audit
  /** Called once a connection is gone. */
  readonly onClosed: (connection: Connection) => void
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
export function createConnection(admitted: Admitted, context: ConnectionContext): Connection {
  return new SocketConnection(admitted, context)
}

/**
 * A class, and what belongs to it has it for its owner: with tens of thousands who are connected and idle, what each function
 * of each of them takes is most of what they take.
 */
class SocketConnection implements Connection, Peer, InboxClient, SessionListener {
  readonly room: string
  readonly visit: Visit
  readonly session: Session
  private readonly socket: WebSocket
  private readonly remoteAddress: string | undefined
  private readonly context: ConnectionContext
  private readonly awareness: AwarenessPace
  private readonly heartbeat: NodeJS.Timeout
  private seat: Seat | null = null
  private lease: RoomLease | null = null
  private inbox: Inbox | null = null
  private ended = false
  speaksParley: boolean
  private early: readonly EarlyMessage[] | null
  /** The answer to a sync while it is on its way, and what is to follow it. */
  private answer: Answer | null = null
  private deferred: Uint8Array[] | null = null
  private deferredBytes = 0
  private answerBytes = 0
  private lastSign = performance.now()
  private lastBuffered = 0
  private receivedBytes = 0
  private wasStalled = false

  constructor(admitted: Admitted, context: ConnectionContext) {
    const { socket, stream, visit, room, access, remoteAddress, early } = admitted
    const { gate, rooms, limits, timing } = context
    this.room = room
    this.visit = visit
    this.speaksParley = early !== null || socket.protocol === SUBPROTOCOL
    this.early = early
    this.socket = socket
    this.remoteAddress = remoteAddress
    this.context = context
    this.awareness = createAwarenessPace({
      rate: limits.awarenessPerConnection,
      maxClients: limits.awarenessClients,
      pass: (update) => this.seat?.receiveAwareness(update),
    })
    this.heartbeat = setInterval(() => this.beat(), timing.heartbeatMs).unref()
    const jitterMs = timing.expiryJitterMs
    this.session = createSession({ room, access, remoteAddress, gate, jitterMs, listener: this })
    // A client that sent its token in a message learns from this that it was understood.
    if (early !== null && access.expiresAt === undefined) this.onLifetime(null)
    socket.on('close', () => this.onClose())
    // Before ws gets the bytes, and with them completes a message.
    stream.prependListener('data', (chunk: Buffer) => this.onData(chunk))
    socket.on('message', (data, isBinary) => this.onMessage(data, isBinary))
    socket.on('pong', () => {
      this.lastSign = performance.now()
    })
    // Followed by `close`.
    socket.on('error', (error) => this.logger.debug({ room: this.room, err: error }, 'a connection failed'))
    socket.pause()
    rooms.queueLook(room, (head) => this.enter(head))
  }

  get access(): Access {
    return this.session.access
  }

  get readOnly(): boolean {
    return this.access.readOnly === true
  }

  get digests(): Digests {
    return this.context.digests
  }

  get limits(): Limits {
    return this.context.limits
  }

  get logger(): Logger {
    return this.context.logger
  }

  send(message: Uint8Array): void {
    if (!this.answer) {
      this.sendNow(message)
      return
    }
    if (this.ended) return
    this.deferred ??= []
    this.deferred.push(message)
    this.deferredBytes += message.byteLength
    if (this.deferredBytes > this.limits.bufferedBytes) this.refuseSlowReader()
  }

  sendNow(message: Uint8Array): void {
    if (this.ended) return
    if (this.socket.bufferedAmount - this.answerBytes > this.limits.bufferedBytes) this.refuseSlowReader()
    else this.socket.send(message)
  }

  sendAnswer(update: Uint8Array, sent: () => void): void {
    if (this.ended) {
      sent()
      return
    }
    const answer = new Answer(update, {
      send: (message, left) => {
        this.answerBytes += message.byteLength
        this.socket.send(message, () => {
          this.answerBytes -= message.byteLength
          left()
        })
      },
      onProgress: () => {
        this.lastSign = performance.now()
      },
      onSent: () => {
        this.answer = null
        const deferred = this.deferred ?? []
        this.deferred = null
        this.deferredBytes = 0
        for (const message of deferred) this.sendNow(message)
        // The next answer is encoded when this one has been read, and its bytes are within the rate again.
        const waitMs = this.ended ? 0 : this.visit.answer(update.byteLength)
        if (waitMs > 0) setTimeout(sent, waitMs).unref()
        else sent()
      },
    })
    this.answer = answer
  }

  private refuseSlowReader(): void {
    this.refuse(CLOSE_CODES.slowReader, 'messages are not read fast enough')
  }

  refuse(code: CloseCode, reason: string): void {
    if (this.ended) return
    this.ended = true
    this.answer?.stop()
    const { socket, room, remoteAddress } = this
    if (code !== CLOSE_CODES.serviceRestart)
      this.context.audit({ kind: kindOfCode(code), at: 'connection', code, reason, room, remoteAddress })
    closeSocket(socket, code, reason)
    // Its answer, and what it still uploads, must be read for the handshake to end.
    if (socket.isPaused) socket.resume()
    const deadline = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref()
    // Or thousands who come and go would be remembered until then.
    socket.once('close', () => clearTimeout(deadline))
  }

  offerAwareness(update: Uint8Array): void {
    this.awareness.offer(update)
  }

  onLifetime(lifetimeMs: number | null): void {
    if (this.speaksParley) this.sendNow(encodeTokenLifetime(lifetimeMs))
  }

  onExpired(): void {
    void this.finish(CLOSE_CODES.unauthenticated, 'the token has expired')
  }

  onRefused(code: CloseCode, reason: string): void {
    void this.finish(code, reason)
  }

  async finish(code: CloseCode, reason: string): Promise<void> {
    const { socket, seat } = this
    const closed = this.untilClosed()
    socket.pause()
    if (seat && !this.ended && seat.stalled === null) {
      const done = new Promise<void>((reached) => seat.add({ type: 'barrier', reached }))
      // Who does not read the answer to its sync, or does not answer ours, is not waited for.
      await Promise.race([closed, done, delay(FINISH_TIMEOUT_MS)])
    }
    socket.resume()
    this.refuse(code, reason)
    await closed
  }

  private untilClosed(): Promise<void> {
    const { socket } = this
    return new Promise((resolve) => {
      if (socket.readyState === socket.CLOSED) resolve()
      else socket.once('close', () => resolve())
    })
  }

  private async enter(head: number | null): Promise<void> {
    if (this.ended) return
    const { socket, room } = this
    let entered: RoomLease | null = null
    let document: DocumentLease
    try {
      entered = this.context.rooms.enter(room)
      document = await entered.room.openDocument('look')
      try {
        if (head === null) throw new ServerError('store-unavailable', 'The head of a room could not be read')
        if (head > entered.room.version) await entered.room.catchUp(head)
      } catch (error) {
        document.release()
        throw error
      }
    } catch {
      entered?.release()
      // Logged where the room was to be loaded, once for all who wait for it.
      this.refuse(CLOSE_CODES.storeUnavailable, 'the room could not be loaded')
      return
    } finally {
      socket.resume()
    }
    if (this.ended || socket.readyState !== socket.OPEN) {
      document.release()
      entered.release()
      return
    }
    this.lease = entered
    const seat = entered.room.join(this, { asked: true })
    this.seat = seat
    seat.onDrain = () => this.onDrain()
    this.inbox = new Inbox(this, entered.room, seat)
    // Before the client sends what it has: less than it was acknowledged means that the store was rolled back.
    if (this.speaksParley) {
      const { epoch, version } = document.document
      this.send(encodeLogPosition({ epoch, version }))
    }
    this.send(encodeSyncRequest(document.document.encodeStateVector()))
    // From here on it is in memory only when something must be looked up in it.
    document.release()
    seat.sendAwareness()
    const { early } = this
    this.early = null
    for (const { data, isBinary } of early ?? []) this.onMessage(data, isBinary)
  }

  private onData(chunk: Buffer): void {
    this.receivedBytes += chunk.byteLength
    const refused = this.ended ? null : this.visit.receive(chunk.byteLength)
    if (refused) this.refuse(refused.code, refused.reason)
  }

  private onMessage(data: RawData, isBinary: boolean): void {
    this.lastSign = performance.now()
    if (this.ended || !this.inbox) return
    // Copied out of ws' pooled buffer, see readMessage.
    this.inbox.receive(new Uint8Array(data as Buffer), isBinary)
    if (this.seat && this.seat.queuedBytes > this.limits.queuedBytes) this.socket.pause()
  }

  private beat(): void {
    const { socket } = this
    const { heartbeatMs } = this.context.timing
    const buffered = socket.bufferedAmount
    // Who reads a large answer over a thin line answers no ping before it is through.
    if (buffered < this.lastBuffered) this.lastSign = performance.now()
    this.lastBuffered = buffered
    // Nor does whoever is not listened to.
    if (socket.isPaused) this.lastSign = performance.now()
    if (this.receivedBytes * MS_PER_S >= MIN_UPLOAD_BYTES_PER_S * heartbeatMs)
      this.lastSign = performance.now()
    this.receivedBytes = 0
    if (performance.now() - this.lastSign > SILENT_HEARTBEATS * heartbeatMs) {
      socket.terminate()
      return
    }
    const stalled = this.seat?.stalled ?? null
    if (this.wasStalled && stalled !== null) {
      this.refuse(CLOSE_CODES.storeUnavailable, `sync again: ${stalled}`)
      return
    }
    this.wasStalled = stalled !== null
    socket.ping()
    this.sendNow(HEARTBEAT)
  }

  private onDrain(): void {
    const { socket, seat, limits } = this
    if (seat && socket.isPaused && seat.queuedBytes < limits.queuedBytes / 2) socket.resume()
  }

  private onClose(): void {
    this.ended = true
    this.answer?.stop()
    clearInterval(this.heartbeat)
    this.session.stop()
    this.awareness.stop()
    this.visit.leave()
    this.seat?.leave()
    // What it sent is stored before the room may leave memory.
    this.lease?.release()
    this.context.onClosed(this)
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
