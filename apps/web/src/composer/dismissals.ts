import { createEmitter, type Draft, type DraftText, type Readable, type RecoveredDraft } from '@parley/core'
import { bringBackDraft } from '../list/draftUndo.js'

/** Offered drafts that were dismissed: hidden at once, deleted on all devices after a while. Holds their ids. */
export interface Dismissals extends Readable<ReadonlySet<string>> {
  /** Hides an offered draft; returns what brings it back, before and after it is deleted. */
  dismiss: (draft: Draft, offered: DraftText | RecoveredDraft) => () => void
  /** Deletes what is hidden, now. */
  close: () => void
}

/** Another device may be typing in the draft: it is deleted only when there was time to think again. */
const DELAY_MS = 8_000

/** Creates {@link Dismissals}. */
export function createDismissals(): Dismissals {
  const changes = createEmitter<void>(console.error)
  const waiting = new Map<string, () => void>()
  let hidden: ReadonlySet<string> = new Set()
  const publish = (): void => {
    hidden = new Set(waiting.keys())
    changes.emit()
  }

  return {
    subscribe: (listener) => changes.subscribe(listener),
    getSnapshot: () => hidden,
    dismiss(draft, offered) {
      const { draftId } = offered
      const timer = setTimeout(() => waiting.get(draftId)?.(), DELAY_MS)
      waiting.set(draftId, () => {
        clearTimeout(timer)
        waiting.delete(draftId)
        // Sent, cleared or dismissed on another device meanwhile: there is nothing left to delete.
        const { others, recovered } = draft.getSnapshot()
        if ([...others, ...recovered].some((known) => known.draftId === draftId)) draft.dismiss(draftId)
        publish()
      })
      publish()
      return () => {
        if (!waiting.delete(draftId)) return bringBackDraft(draft, offered)
        clearTimeout(timer)
        publish()
      }
    },
    close() {
      for (const finish of [...waiting.values()]) finish()
    },
  }
}
