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
  /** Called with how long the token lasts, in milliseconds: at the beginning if it ends, and after each fresh one. */
  onLifetime: (lifetimeMs: number | null) => void
  /** Called when the token has expired. */
  onExpired: () => void
  /** Called when a fresh token is not taken. */
  onRefused: (code: CloseCode, reason: string) => void
}

/** Creates the {@link Session} of somebody who was let in. */
export function createSession(options: SessionOptions): Session {
  const { room, remoteAddress, gate, jitterMs, onLifetime, onExpired, onRefused } = options
  let { access } = options
  let waiting: string | null = null
  let asking = false
  let stopped = false
  let cancelExpiry = (): void => {}

  const arm = (): void => {
    cancelExpiry()
    const { expiresAt } = access
    cancelExpiry =
      expiresAt === undefined ? () => {} : callAt(expiresAt + Math.random() * jitterMs, onExpired)
  }
  const tell = (): void => {
    onLifetime(access.expiresAt === undefined ? null : access.expiresAt - Date.now())
  }

  const take = async (token: string): Promise<void> => {
    const decision = gate ? await gate({ uid: room, token, headers: {}, remoteAddress }) : { access }
    if (stopped) return
    if ('code' in decision) {
      // What could not be decided changes nothing: the client learns how long the old one lasts, and tries again.
      if (decision.code === CLOSE_CODES.storeUnavailable) tell()
      else onRefused(decision.code, decision.reason)
    } else if (ownerOf(decision.access) !== ownerOf(access)) {
      onRefused(CLOSE_CODES.forbidden, 'the fresh token is of another user')
    } else {
      access = decision.access
      arm()
      tell()
    }
  }
  const run = async (): Promise<void> => {
    if (asking) return
    asking = true
    // The newest one only: whoever sends many has one of them checked at a time.
    for (let token = waiting; token !== null && !stopped; token = waiting) {
      waiting = null
      await take(token)
    }
    asking = false
  }

  arm()
  if (access.expiresAt !== undefined) tell()
  return {
    get access() {
      return access
    },
    renew(token) {
      waiting = token
      void run()
    },
    stop() {
      stopped = true
      cancelExpiry()
    },
  }
}

function ownerOf({ uid, subject }: Access): string {
  return subject ?? uid
}
