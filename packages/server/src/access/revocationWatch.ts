import { CLOSE_CODES } from '@parley/core'
import type { Connection } from '../connection/connection.js'
import type { Logger } from '../logger.js'
import { isRevokedBy, type Revocations } from './revocations.js'

/** Ends open connections whose tokens are taken back. */
export interface RevocationWatch {
  /** Looks whether the token of a new connection was taken back while it was let in. */
  check: (connection: Connection) => void
  stop: () => void
}

export interface RevocationWatchOptions {
  revocations: Revocations
  /** The open ones. */
  connections: Iterable<Connection>
  logger: Logger
  /** Connections that end together are ended spread over this long, in milliseconds. */
  jitterMs: number
  /** How often the store is asked for what other nodes revoked and did not get through with; never if left out. */
  pollMs?: number
}

/** The store is asked for so many connections at a time. */
const POLL_COUNT = 1_000
const SWEEP_INTERVAL_MS = 24 * 60 * 60 * 1000

/** Creates a {@link RevocationWatch}. */
export function createRevocationWatch(options: RevocationWatchOptions): RevocationWatch {
  const { revocations, connections, logger, jitterMs, pollMs } = options

  const end = (connection: Connection, isStillRevoked: () => boolean): void => {
    setTimeout(() => {
      // A fresh token may have come meanwhile.
      if (isStillRevoked()) void connection.finish(CLOSE_CODES.unauthenticated, 'the token was revoked')
    }, Math.random() * jitterMs).unref()
  }
  const run = (task: () => Promise<void>): void => {
    task().catch((error) => logger.warn({ err: error }, 'what was revoked could not be looked up'))
  }

  const unsubscribe = revocations.subscribe((revocation) => {
    for (const connection of connections) {
      const isRevoked = (): boolean => isRevokedBy(connection.access, revocation)
      if (isRevoked()) end(connection, isRevoked)
    }
  })
  const poll = async (): Promise<void> => {
    const all = [...connections]
    for (let start = 0; start < all.length; start += POLL_COUNT) {
      const some = all.slice(start, start + POLL_COUNT)
      const accesses = some.map(({ access }) => access)
      const revoked = await revocations.check(accesses)
      for (const [index, connection] of some.entries()) {
        if (revoked[index]) end(connection, () => connection.access === accesses[index])
      }
    }
  }
  const timers = [
    setInterval(() => run(revocations.sweep), SWEEP_INTERVAL_MS),
    ...(pollMs === undefined ? [] : [setInterval(() => run(poll), pollMs)]),
  ]
  for (const timer of timers) timer.unref()
  run(revocations.sweep)

  return {
    check(connection) {
      const isRevoked = (): boolean => revocations.wasJustRevoked(connection.access)
      if (isRevoked()) end(connection, isRevoked)
    },
    stop() {
      unsubscribe()
      for (const timer of timers) clearInterval(timer)
    },
  }
}
