import * as Y from 'yjs'
import { ParleyError } from '../errors.js'
import { type DecodedUpdate, decodeUpdate, isEmptyUpdate } from './decode.js'
import { findGap, type Gap } from './gap.js'
import { checkIntegration } from './integrationSteps.js'

/**
 * What became of an update.
 *
 * - `applied`: it is in the document.
 * - `held`: it builds on something the document does not have, and is kept outside of it, whole, until that arrives.
 */
export type IntakeResult = 'applied' | 'held'

/** The one door through which bytes from outside get into a document: a socket, another tab, a row of a database. */
export interface Intake {
  /**
   * Checks an update and applies it, or holds it while it has a gap. What was held is applied as soon as it can be.
   *
   * @param origin passed on to Yjs; listeners of the document see it
   * @throws ParleyError with code `invalid-update`, or `too-large` if it holds or costs too much; the document is unchanged then
   */
  receive: (update: Uint8Array, origin?: unknown) => IntakeResult
  /** What the oldest held update waits for, or `null` if none is held: the sign to ask the peer for a full sync. */
  readonly gap: Gap | null
  /** How many updates are held. */
  readonly heldCount: number
  /** Gives up waiting: returns what is held and forgets it. */
  release: () => DecodedUpdate[]
}

/** Held updates beyond this many bytes are dropped, oldest first; the sync that a gap asks for brings them again. */
const MAX_HELD_BYTES = 8 * 1024 * 1024

interface HeldUpdate {
  update: Uint8Array
  decoded: DecodedUpdate
  origin: unknown
  gap: Gap | null
}

/** Creates the {@link Intake} of a document. Use one per document, so that what one source held another can complete. */
export function createIntake(doc: Y.Doc): Intake {
  let held: HeldUpdate[] = []
  let heldBytes = 0

  /** Applies one update if it has no gap; returns what it waits for otherwise. */
  const tryApply = (candidate: HeldUpdate): boolean => {
    candidate.gap = findGap(doc, candidate.decoded)
    if (candidate.gap) return false
    checkIntegration(doc, candidate.decoded)
    Y.applyUpdate(doc, candidate.update, candidate.origin)
    return true
  }

  /** True when a held update needs no more waiting: it was applied, or turned out to be one that never can be. */
  const settles = (candidate: HeldUpdate): boolean => {
    try {
      return tryApply(candidate)
    } catch (error) {
      if (error instanceof ParleyError) return true
      throw error
    }
  }

  const retryHeld = (): void => {
    for (let progress = true; progress && held.length > 0; ) {
      progress = false
      const waiting = held
      held = []
      for (const candidate of waiting) {
        if (settles(candidate)) {
          heldBytes -= candidate.update.byteLength
          progress = true
        } else held.push(candidate)
      }
    }
  }

  return {
    receive(update, origin) {
      const decoded = decodeUpdate(update)
      if (isEmptyUpdate(decoded)) return 'applied'
      if (doc._transaction) {
        // Yjs takes a remote update inside of a local transaction for a clash of client ids, and changes ours.
        throw new ParleyError(
          'invalid-argument',
          'An update cannot be received inside of a transaction of the document',
        )
      }
      const candidate: HeldUpdate = { update, decoded, origin, gap: null }
      if (tryApply(candidate)) {
        retryHeld()
        return 'applied'
      }
      held.push(candidate)
      heldBytes += update.byteLength
      while (heldBytes > MAX_HELD_BYTES && held.length > 1) heldBytes -= held.shift()?.update.byteLength ?? 0
      return 'held'
    },
    get gap() {
      return held[0]?.gap ?? null
    },
    get heldCount() {
      return held.length
    },
    release() {
      const released = held.map(({ decoded }) => decoded)
      held = []
      heldBytes = 0
      return released
    },
  }
}
