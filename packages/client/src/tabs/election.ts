import type { ClientEnvironment } from '../environment.js'

/** How often a follower asks whether the leader is there. Asked for, because the timers of hidden tabs are slowed down. */
const PING_MS = 400

/** A leader that has not answered for this long is frozen or hangs. Its lock would stay with it. */
const SILENCE_MS = 1_000

/** Followers take over this much apart, or they would rob each other. */
const STEAL_SPREAD_MS = 300

/** A timer this late means that this tab itself was asleep, and has no idea whether the leader is. */
const OVERSLEPT_MS = 600

/** Which of the browser's tabs leads. */
export interface Election {
  readonly isLeader: boolean
  /** Says that a leader was heard of. */
  heard: () => void
  /** Gives up the lead or the wait for it. */
  stop: () => void
}

export interface ElectionOptions {
  /** The name of the lock; tabs that use the same one elect one of them. */
  readonly name: string
  readonly locks: Pick<LockManager, 'request'>
  readonly environment: Pick<ClientEnvironment, 'now' | 'random' | 'schedule' | 'reportError'>
  /** Asks the leader for a sign of life. */
  readonly ping: () => void
  readonly onElected: () => void
  /** Called when another tab took the lead away, because this one was silent for too long. */
  readonly onRobbed: () => void
}

/**
 * Elects one tab by a Web Lock, which the browser hands on the moment its holder is closed or crashes. A frozen tab keeps
 * its lock, so a follower that hears nothing of the leader steals it.
 */
export function createElection(options: ElectionOptions): Election {
  const { name, locks, environment } = options
  let stopped = false
  let leading = false
  let release = (): void => {}
  let waiting: AbortController | null = null
  let lastHeard = environment.now()
  let cancelTick = (): void => {}

  const lead = (): Promise<void> => {
    if (stopped) return Promise.resolve()
    waiting = null
    leading = true
    cancelTick()
    options.onElected()
    return new Promise<void>((resolve) => {
      release = resolve
    })
  }

  const request = (steal: boolean): void => {
    waiting?.abort()
    waiting = steal ? null : new AbortController()
    const mine = waiting
    const lock = mine
      ? locks.request(name, { signal: mine.signal }, lead)
      : locks.request(name, { steal }, lead)
    lock.catch((error: unknown) => {
      // Either this request was withdrawn, or the lock was stolen from this tab.
      if (stopped || mine?.signal.aborted) return
      if (!isAbort(error)) environment.reportError(error)
      const robbed = leading
      leading = false
      if (robbed) options.onRobbed()
      follow()
    })
  }

  const follow = (): void => {
    lastHeard = environment.now()
    request(false)
    tick(environment.now())
  }

  const tick = (expected: number): void => {
    cancelTick()
    if (stopped || leading) return
    const now = environment.now()
    if (now - expected > OVERSLEPT_MS) lastHeard = now
    if (now - lastHeard > SILENCE_MS + environment.random() * STEAL_SPREAD_MS) {
      lastHeard = now
      request(true)
      // Asked for by `lead` or by the rejection; until then there is nothing to watch.
      return
    }
    // Every follower hears the answer to another one's question.
    if (now - lastHeard >= PING_MS / 2) options.ping()
    cancelTick = environment.schedule(() => tick(now + PING_MS), PING_MS)
  }

  follow()
  return {
    get isLeader() {
      return leading
    },
    heard() {
      lastHeard = environment.now()
    },
    stop() {
      if (stopped) return
      stopped = true
      leading = false
      cancelTick()
      waiting?.abort()
      release()
    },
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
