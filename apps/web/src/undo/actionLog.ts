import { createEmitter, type Readable } from '@parley/core'
import type { Toasts } from '../toast/toasts.js'

/** Something that was done in the list and can be undone. */
export interface UndoStep {
  readonly id: number
  /** What was done, such as "bob archived". */
  readonly label: string
}

/** The list actions of this session that can be undone, the newest last. */
export interface ActionLog extends Readable<readonly UndoStep[]> {
  /** Notes that an action was done, and shows it with a button that runs `undo`. */
  done: (label: string, undo: () => void) => void
  /** Undoes the newest action, or the one with this `id`. Does nothing if there is none. */
  undo: (id?: number) => void
}

/** More than anybody takes back; bounded, for a session may last for weeks. */
const MAX_STEPS = 500

interface Entry {
  readonly step: UndoStep
  readonly toastId: number
  readonly undo: () => void
}

/** Creates the {@link ActionLog} of one session. It shows what it does in `toasts`. */
export function createActionLog(toasts: Toasts): ActionLog {
  const changes = createEmitter<void>(console.error)
  let entries: readonly Entry[] = []
  let steps: readonly UndoStep[] = []
  let lastId = 0

  const set = (next: readonly Entry[]): void => {
    entries = next
    steps = next.map(({ step }) => step)
    changes.emit()
  }
  const undo = (id = steps.at(-1)?.id): void => {
    const entry = entries.find(({ step }) => step.id === id)
    if (!entry) return
    set(entries.filter((other) => other !== entry))
    toasts.dismiss(entry.toastId)
    entry.undo()
    toasts.show(`Undone: ${entry.step.label}`)
  }

  return {
    subscribe: (listener) => changes.subscribe(listener),
    getSnapshot: () => steps,
    done(label, undoIt) {
      const step: UndoStep = { id: ++lastId, label }
      const toastId = toasts.show(label, { label: 'Undo', run: () => undo(step.id) })
      set([...entries, { step, toastId, undo: undoIt }].slice(-MAX_STEPS))
    },
    undo,
  }
}
