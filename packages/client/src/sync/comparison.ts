import type { DigestOutcome, Environment, StateDigest, StoreDigest } from '@parley/core'
import type { DivergenceReasonCode, DivergenceStatus } from '../status/status.js'

/** Which state of the server's log something is about. */
export interface LogPosition {
  readonly epoch: number
  readonly version: number
}

/** What a client says that it holds. */
export interface Claim extends LogPosition {
  readonly id: number
  readonly lost: number
  readonly digest: StateDigest
}

/**
 * Compares what this device holds with what the server does, once on each connection, and repairs what differs.
 *
 * - `waiting`: for an acknowledgement of everything, with nothing received or edited after it.
 * - `computing`: the digest, in slices; a change sends it back to `waiting`.
 * - `claimed`: the server is comparing.
 * - `exchanging`: the server's whole state is under way, to replace this one.
 * - `done`: until the next connection.
 */
type State = 'waiting' | 'computing' | 'claimed' | 'exchanging' | 'done'

export interface Comparison {
  /** The greatest version that was acknowledged, 0 if none. */
  readonly known: LogPosition
  /** Takes in a version that was acknowledged before this page was loaded. */
  remember: (known: LogPosition) => void
  /** The server's log went up to a position when the connection began, before anything was sent. */
  began: (at: LogPosition) => void
  /** Something was acknowledged at a position. */
  answeredAt: (at: LogPosition) => void
  /** Everything in the document was acknowledged at a position, and is as it was then. */
  acknowledged: (at: LogPosition) => void
  /** The server has compared. */
  answered: (id: number, outcome: DigestOutcome) => void
  /** Another copy of this process goes on under the same client id: replaces the document before anything else is sent. */
  copied: () => void
  /** The document was replaced by the server's state, and what only this device had is on its way. */
  rebuilt: () => void
  /** The server's state could not be taken in. */
  failed: () => void
  disconnected: () => void
}

export interface ComparisonOptions {
  readonly digest: StoreDigest
  /** True if nothing was received or edited since the last acknowledgement. */
  readonly isUnchanged: () => boolean
  readonly claim: (claim: Claim) => void
  /** Has everything acknowledged once more. */
  readonly askAgain: () => void
  /** Asks for the server's whole state; `rebuilt` or `failed` is called when it is there. */
  readonly exchange: () => void
  readonly onDivergence: (status: DivergenceStatus) => void
  readonly schedule: Environment['schedule']
}

/** A page that has just connected has better things to do first. */
const DELAY_MS = 500
/** How many entries are hashed at a time, a few milliseconds on a phone. */
const SLICE_ENTRIES = 500
/** The pause before asking again after others have written; twice as long each time. */
const MOVED_MS = 1_000
const MAX_MOVED = 5
/** What is not repaired by then is left to the next connection. */
const MAX_REPAIRS = 2

const MESSAGES: Record<DivergenceReasonCode, string> = {
  'server-rolled-back': 'The server was put back to an earlier state; this device sent back what it has.',
  diverged: 'This device held another state than the server, with the same changes.',
  incomplete: 'This device and the server did not have the same changes, though they were in sync.',
  copied: 'A copy of this page goes on under the same identity; this one took a new identity.',
}

/** Creates a {@link Comparison}. */
export function createComparison(options: ComparisonOptions): Comparison {
  const { digest, schedule, onDivergence } = options
  let state: State = 'waiting'
  let known: LogPosition = { epoch: 0, version: 0 }
  let position: LogPosition | null = null
  let id = 0
  let moved = 0
  let repairs = 0
  /** How many versions the server has lost, until it was told. */
  let lost = 0
  let reported: DivergenceStatus | null = null
  let cancel = (): void => {}

  const later = (task: () => void, delayMs: number): void => {
    cancel()
    cancel = schedule(task, delayMs)
  }
  const report = (code: DivergenceReasonCode, progress: DivergenceStatus['state']): void => {
    reported = { state: progress, reason: { code, message: MESSAGES[code] } }
    onDivergence(reported)
  }
  const repair = (code: DivergenceReasonCode): void => {
    if (repairs >= MAX_REPAIRS) {
      report(code, 'failed')
      state = 'done'
      return
    }
    repairs++
    report(code, 'repairing')
    state = 'exchanging'
    options.exchange()
  }
  const compute = (): void => {
    if (state !== 'computing' || !position) return
    if (!options.isUnchanged()) {
      state = 'waiting'
      options.askAgain()
      return
    }
    const computed = digest.step(SLICE_ENTRIES)
    if (!computed) {
      later(compute, 0)
      return
    }
    state = 'claimed'
    options.claim({ id: ++id, ...position, lost, digest: computed })
    lost = 0
  }

  return {
    get known() {
      return known
    },
    remember(earlier) {
      if (earlier.epoch === known.epoch && earlier.version > known.version) known = earlier
    },
    began(at) {
      if (at.epoch !== known.epoch || at.version >= known.version) return
      lost = known.version - at.version
      known = at
      report('server-rolled-back', 'repairing')
    },
    answeredAt(at) {
      if (at.epoch !== known.epoch || at.version > known.version) known = at
    },
    acknowledged(at) {
      position = at
      if (state !== 'waiting') return
      state = 'computing'
      later(compute, DELAY_MS)
    },
    answered(answer, outcome) {
      if (state !== 'claimed' || answer !== id) return
      if (outcome === 'diverged' || outcome === 'incomplete') repair(outcome)
      else if (outcome === 'moved' && moved < MAX_MOVED) {
        state = 'waiting'
        later(options.askAgain, MOVED_MS * 2 ** moved++)
      } else {
        state = 'done'
        if (outcome === 'same' && reported?.state === 'repairing') report(reported.reason.code, 'repaired')
      }
    },
    copied: () => repair('copied'),
    rebuilt() {
      state = 'waiting'
      options.askAgain()
    },
    failed() {
      if (reported) report(reported.reason.code, 'failed')
      state = 'done'
    },
    disconnected() {
      cancel()
      state = 'waiting'
      position = null
      moved = 0
      repairs = 0
    },
  }
}
