import { CLOSE_CODES, type CloseCode } from '@parley/core'
import type { Access } from '../access/authenticate.js'
import type { Gate } from '../access/gate.js'
import { callAt } from './callAt.js'

/** Who uses a connection, what they may, and until when. */
export interface Session {
  /** As of the last token that was taken. */
  readonly access: Access
  /** Takes a fresh token in place of the one that the connection began with. */
  renew: (token: string) => void
  /** Forgets the token under way, and the end. */
  stop: () => void
}

export interface SessionOptions {
  room: string
  access: Access
  remoteAddress: string | undefined
  /** `null` where nobody is asked who they are, and any token will do. */
  gate: Gate | null
  /** Connections whose tokens expire together are ended spread over this long, in milliseconds. */
  jitterMs: number
  listener: SessionListener
}

/** Who is told what becomes of a session. */
export interface SessionListener {
  /** Called with how long the token lasts, in milliseconds: at the beginning if it ends, and after each fresh one. */
  onLifetime: (lifetimeMs: number | null) => void
  /** Called when the token has expired. */
  onExpired: () => void
  /** Called when a fresh token is not taken. */
  onRefused: (code: CloseCode, reason: string) => void
}

/** Creates the {@link Session} of somebody who was let in. */
export function createSession(options: SessionOptions): Session {
  return new TokenSession(options)
}

/** A class, as there is one for each connection: an object literal with a getter would be a hash table each. */
class TokenSession implements Session {
  private readonly room: string
  private readonly remoteAddress: string | undefined
  private readonly gate: Gate | null
  private readonly jitterMs: number
  private readonly listener: SessionListener
  private current: Access
  private waiting: string | null = null
  private isAsking = false
  private hasStopped = false
  private cancelExpiry: (() => void) | null = null

  constructor({ room, access, remoteAddress, gate, jitterMs, listener }: SessionOptions) {
    this.room = room
    this.remoteAddress = remoteAddress
    this.gate = gate
    this.jitterMs = jitterMs
    this.listener = listener
    this.current = access
    this.arm()
    if (access.expiresAt !== undefined) this.tell()
  }

  get access(): Access {
    return this.current
  }

  renew(token: string): void {
    this.waiting = token
    void this.run()
  }

  stop(): void {
    this.hasStopped = true
    this.cancelExpiry?.()
  }

  private arm(): void {
    this.cancelExpiry?.()
    const { expiresAt } = this.current
    this.cancelExpiry =
      expiresAt === undefined
        ? null
        : callAt(expiresAt + Math.random() * this.jitterMs, () => this.listener.onExpired())
  }

  private tell(): void {
    const { expiresAt } = this.current
    this.listener.onLifetime(expiresAt === undefined ? null : expiresAt - Date.now())
  }

  private async run(): Promise<void> {
    if (this.isAsking) return
    this.isAsking = true
    // The newest one only: whoever sends many has one of them checked at a time.
    for (let token = this.waiting; token !== null && !this.hasStopped; token = this.waiting) {
      this.waiting = null
      await this.take(token)
    }
    this.isAsking = false
  }

  private async take(token: string): Promise<void> {
    const { room, remoteAddress, gate, listener } = this
    const decision = gate
      ? await gate({ uid: room, token, headers: {}, remoteAddress })
      : { access: this.current }
    if (this.hasStopped) return
    if ('code' in decision) {
      // What could not be decided changes nothing: the client learns how long the old one lasts, and tries again.
      if (decision.code === CLOSE_CODES.storeUnavailable) this.tell()
      else listener.onRefused(decision.code, decision.reason)
    } else if (ownerOf(decision.access) !== ownerOf(this.current)) {
      listener.onRefused(CLOSE_CODES.forbidden, 'the fresh token is of another user')
    } else {
      this.current = decision.access
      this.arm()
      this.tell()
    }
  }
}

function ownerOf({ uid, subject }: Access): string {
  return subject ?? uid
}
