import type { ClientEnvironment } from '../environment.js'

/** How often a follower asks whether the leader is there. Asked for, because the timers of hidden tabs are slowed down. */
const PING_MS = 400

/** A leader that has not answered for this long is frozen or hangs. Its lock would stay with it. */
const SILENCE_MS = 1_000

/** Followers take over this much apart, or they would rob each other. */
const STEAL_SPREAD_MS = 300

/** A timer this late means that this tab itself was asleep, and has no idea whether the leader is. */
const OVERSLEPT_MS = 600

/** A request that fails for another reason than being withdrawn is repeated after this long, then after twice as long. */
const RETRY_MS = 250

/** So many requests in a row may fail, or not be answered, before the browser counts as one without locks. */
const MAX_FAILURES = 4

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
  readonly environment: Pick<ClientEnvironment, 'elapsed' | 'random' | 'schedule'>
  /** Asks the leader for a sign of life. */
  readonly ping: () => void
  readonly onElected: () => void
  /** Called when another tab took the lead away, because this one was silent for too long. */
  readonly onRobbed: () => void
  /** Called once when the browser grants no locks here; the election has stopped then. */
  readonly onRefused: (error: unknown) => void
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
  let lastHeard = environment.elapsed()
  let cancelTick = (): void => {}
  /** Requests in a row that the browser rejected or left unanswered. */
  let failures = 0

  const lead = (): Promise<void> => {
    if (stopped) return Promise.resolve()
    waiting = null
    leading = true
    failures = 0
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
    const fail = (error: unknown): void => {
      // Either this request was withdrawn, or the lock was stolen from this tab.
      if (stopped || mine?.signal.aborted) return
      if (leading) {
        leading = false
        options.onRobbed()
        follow()
      } else retry(error)
    }
    try {
      const lock = mine
        ? locks.request(name, { signal: mine.signal }, lead)
        : locks.request(name, { steal }, lead)
      lock.catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  /** A rejection must not be followed by another request at once: that would be a loop without a timer in it. */
  const retry = (error: unknown): void => {
    failures++
    cancelTick()
    if (isRefusal(error) || failures >= MAX_FAILURES) {
      stop()
      options.onRefused(error)
    } else cancelTick = environment.schedule(follow, RETRY_MS * 2 ** failures)
  }

  const follow = (): void => {
    lastHeard = environment.elapsed()
    tick(lastHeard)
    request(false)
  }

  const tick = (expected: number): void => {
    cancelTick()
    if (stopped || leading) return
    const now = environment.elapsed()
    if (now - expected > OVERSLEPT_MS) lastHeard = now
    if (now - lastHeard > SILENCE_MS + environment.random() * STEAL_SPREAD_MS) {
      lastHeard = now
      if (++failures >= MAX_FAILURES) {
        retry(new Error('The browser does not answer requests for a lock'))
        return
      }
      request(true)
    }
    // Every follower hears the answer to another one's question.
    if (now - lastHeard >= PING_MS / 2) options.ping()
    cancelTick = environment.schedule(() => tick(now + PING_MS), PING_MS)
  }

  const stop = (): void => {
    if (stopped) return
    stopped = true
    leading = false
    cancelTick()
    waiting?.abort()
    release()
  }

  follow()
  return {
    get isLeader() {
      return leading
    },
    heard() {
      lastHeard = environment.elapsed()
      failures = 0
    },
    stop,
  }
}

/** True where the page may not use locks at all, as in a sandboxed frame or while site data is blocked. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'SecurityError'
}
