import { beginDigest, type DigestClaim, type DigestOutcome, isSameHash, type StateDigest } from '@parley/core'
import pLimit from 'p-limit'
import type { Logger } from '../logger.js'
import type { DivergenceKind } from './roomContext.js'
import type { Rooms } from './rooms.js'

/** What a client says that it holds; the digest is `null` if it is of another format. */
export type Claim = Omit<DigestClaim, 'digest'> & { readonly digest: StateDigest | null }

/** Compares what devices hold with what is stored, in the background. */
export interface Digests {
  /**
   * Compares a claim, once all that its connection sent before is stored. It never rejects.
   *
   * @param head the version of the room at that moment
   */
  compare: (room: string, head: number, claim: Claim) => Promise<DigestOutcome>
}

export interface DigestsOptions {
  rooms: Pick<Rooms, 'enter'>
  logger: Logger
  /** Called with each outcome. */
  onCompared: (outcome: DigestOutcome) => void
  onDivergence: (room: string, kind: DivergenceKind) => void
}

interface KnownDigest {
  readonly epoch: number
  readonly version: number
  readonly digest: StateDigest
}

/** A digest is read from a document in steps of so many entries, a millisecond each. */
const STEP_ENTRIES = 200
/** So many comparisons may wait for a document. When a crowd reconnects the others are skipped: they compare the next time. */
const MAX_WAITING = 64
/** About 2 MB. A digest of a room that is not among them is computed again. */
const MAX_KNOWN = 10_000
const MAX_REPORTED = 1_000

/** Creates {@link Digests}. */
export function createDigests({ rooms, logger, onCompared, onDivergence }: DigestsOptions): Digests {
  const known = new Map<string, KnownDigest>()
  const queue = pLimit(1)
  /** What was reported, so that whoever claims the same again and again fills no log. */
  const reported = new Set<string>()
  let waiting = 0

  const report = (room: string, kind: DivergenceKind, version: number): void => {
    const key = JSON.stringify([room, kind, version])
    if (reported.has(key)) return
    if (reported.size >= MAX_REPORTED) reported.clear()
    reported.add(key)
    onDivergence(room, kind)
  }

  const remember = (room: string, digest: KnownDigest): void => {
    known.delete(room)
    known.set(room, digest)
    for (const oldest of known.keys()) {
      if (known.size <= MAX_KNOWN) break
      known.delete(oldest)
    }
  }
  const compute = async (room: string): Promise<KnownDigest> => {
    const entered = rooms.enter(room)
    try {
      const { document, release } = await entered.room.openDocument('look')
      const { epoch, version } = document
      const run = beginDigest(document.doc)
      release()
      for (;;) {
        const digest = run.step(STEP_ENTRIES)
        if (digest) {
          remember(room, { epoch, version, digest })
          return { epoch, version, digest }
        }
        await new Promise(setImmediate)
      }
    } finally {
      entered.release()
    }
  }
  const compareWith = (
    room: string,
    claim: Claim,
    { epoch, version, digest }: KnownDigest,
  ): DigestOutcome => {
    if (epoch !== claim.epoch || version !== claim.version) return 'moved'
    if (!claim.digest) return 'skipped'
    if (!isSameHash(digest.vector, claim.digest.vector)) {
      report(room, 'incomplete', version)
      return 'incomplete'
    }
    if (isSameHash(digest.state, claim.digest.state)) return 'same'
    report(room, 'diverged', version)
    return 'diverged'
  }
  const find = async (room: string, claim: Claim): Promise<DigestOutcome> => {
    const last = known.get(room)
    if (last && last.version === claim.version && last.epoch === claim.epoch)
      return compareWith(room, claim, last)
    if (!claim.digest || waiting >= MAX_WAITING) return 'skipped'
    waiting++
    try {
      return compareWith(room, claim, await queue(() => compute(room)))
    } catch (error) {
      logger.warn({ room, err: error }, 'a digest could not be computed')
      return 'skipped'
    } finally {
      waiting--
    }
  }

  return {
    async compare(room, head, claim) {
      if (claim.lost > 0) report(room, 'server-rolled-back', head)
      const outcome = claim.version < head ? 'moved' : await find(room, claim)
      onCompared(outcome)
      return outcome
    },
  }
}
