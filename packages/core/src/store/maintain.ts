import type { EntryLog } from '../document/entryLog.js'
import { deleteCovered } from '../drafts/coverage.js'
import { type DraftFacts, finishingActs, SEND_STATES } from '../drafts/draftFacts.js'
import type { StoreCore } from './core.js'

/** Below this many dominated entries a sweep waits, and below this share of the live ones: it walks all of them. */
const MIN_SWEEP = 64
const SWEEP_SHARE = 1 / 16

/** A draft's characters are deleted this long after it was acknowledged or cleared: nobody regrets it any more. */
const CLEAN_UP_AFTER_MS = 24 * 60 * 60 * 1000

/** Sweeps if it is worth the walk; call it inside of a transaction. */
export function sweepIfDue({ index, sweep }: EntryLog): void {
  if (index.dominated.size >= Math.max(MIN_SWEEP, index.size * SWEEP_SHARE)) sweep()
}

/** Sweeps all that is dominated, and empties drafts that are done with. */
export function maintainDocument(core: StoreCore): void {
  const { drafts, environment, log } = core
  const before = environment.now() - CLEAN_UP_AFTER_MS
  const done = [...drafts.all()].filter(
    ({ episode, facts }) => episode.text.length > 0 && isSettled(facts, before),
  )
  if (log.index.dominated.size === 0 && done.length === 0) return
  core.transact(() => {
    for (const { episode, facts } of done) {
      deleteCovered(
        episode.text,
        finishingActs(facts).map(({ covers }) => covers),
      )
    }
    log.sweep()
  })
}

/** True if a draft was finished before a time, and no send of it may still fail. */
function isSettled(facts: DraftFacts, before: number): boolean {
  const acts = finishingActs(facts)
  return (
    acts.length > 0 &&
    acts.every(({ at }) => (at[0] as number) < before) &&
    facts.sends.every(({ state }) => state !== SEND_STATES.sent)
  )
}
