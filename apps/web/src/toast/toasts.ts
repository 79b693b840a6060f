import { createEmitter, type Readable } from '@parley/core'

/** A short message about what was just done, with a way back. */
export interface Toast {
  readonly id: number
  readonly text: string
  readonly undo: (() => void) | undefined
}

/** The messages on the screen, the newest last. */
export interface Toasts extends Readable<readonly Toast[]> {
  /** Shows a message. `settled` runs when it went away without being undone. */
  show: (text: string, undo?: () => void, settled?: () => void) => void
  /** Undoes one, or the newest. */
  undo: (id?: number) => void
  dismiss: (id: number) => void
  /** Stops the clocks, while somebody reads or reaches for a button. */
  pause: () => void
  resume: () => void
  /** Settles all that are left. */
  close: () => void
}

/** Long enough to read, see that it was the wrong one, and reach the button. */
const SHOWN_MS = 8000
const MAX_SHOWN = 3

interface Entry {
  readonly toast: Toast
  readonly settled: (() => void) | undefined
  left: number
  since: number
  timer: ReturnType<typeof setTimeout> | undefined
}

/** Creates {@link Toasts}. */
export function createToasts(): Toasts {
  const changes = createEmitter<void>(console.error)
  let entries: Entry[] = []
  let shown: readonly Toast[] = []
  let paused = false
  let lastId = 0

  const publish = (): void => {
    shown = entries.map(({ toast }) => toast)
    changes.emit()
  }
  const take = (id: number): Entry | undefined => {
    const entry = entries.find(({ toast }) => toast.id === id)
    if (!entry) return undefined
    clearTimeout(entry.timer)
    entries = entries.filter((other) => other !== entry)
    publish()
    return entry
  }
  const dismiss = (id: number): void => take(id)?.settled?.()
  const start = (entry: Entry): void => {
    entry.since = Date.now()
    entry.timer = setTimeout(() => dismiss(entry.toast.id), entry.left)
  }

  return {
    subscribe: (listener) => changes.subscribe(listener),
    getSnapshot: () => shown,
    show(text, undo, settled) {
      const entry: Entry = {
        toast: { id: ++lastId, text, undo },
        settled,
        left: SHOWN_MS,
        since: 0,
        timer: undefined,
      }
      const tooMany = entries.length >= MAX_SHOWN ? entries[0] : undefined
      if (tooMany) dismiss(tooMany.toast.id)
      entries = [...entries, entry]
      if (!paused) start(entry)
      publish()
    },
    undo(id = entries.filter(({ toast }) => toast.undo).at(-1)?.toast.id) {
      if (id !== undefined) take(id)?.toast.undo?.()
    },
    dismiss,
    pause() {
      if (paused) return
      paused = true
      for (const entry of entries) {
        clearTimeout(entry.timer)
        entry.left = Math.max(1000, entry.left - (Date.now() - entry.since))
      }
    },
    resume() {
      if (!paused) return
      paused = false
      for (const entry of entries) start(entry)
    },
    close() {
      for (const { toast } of [...entries]) dismiss(toast.id)
    },
  }
}
