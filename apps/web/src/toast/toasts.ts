import { createEmitter, type Readable } from '@parley/core'

/** What a message offers to do. */
export interface ToastAction {
  /** The text of its button. */
  readonly label: string
  readonly run: () => void
}

/** A short message about what was just done. */
export interface Toast {
  readonly id: number
  readonly text: string
  readonly action: ToastAction | undefined
}

/** The messages on the screen, the newest last. */
export interface Toasts extends Readable<readonly Toast[]> {
  /** Shows a message, for a while; returns its `id`. */
  show: (text: string, action?: ToastAction) => number
  /** Takes a message away and does what it offers. */
  act: (id: number) => void
  /** Takes a message away. */
  dismiss: (id: number) => void
  /** Stops the clocks, while the user reads or reaches for a button. */
  pause: () => void
  resume: () => void
  /** Takes all messages away. */
  close: () => void
}

/** Long enough to read, see that it was the wrong one, and reach the button. */
const SHOWN_MS = 8000
const MAX_SHOWN = 3

interface Entry {
  readonly toast: Toast
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
  const dismiss = (id: number): Toast | undefined => {
    const entry = entries.find(({ toast }) => toast.id === id)
    if (!entry) return undefined
    clearTimeout(entry.timer)
    entries = entries.filter((other) => other !== entry)
    if (entries.length === 0) paused = false
    publish()
    return entry.toast
  }
  const start = (entry: Entry): void => {
    entry.since = Date.now()
    entry.timer = setTimeout(() => dismiss(entry.toast.id), entry.left)
  }

  return {
    subscribe: (listener) => changes.subscribe(listener),
    getSnapshot: () => shown,
    show(text, action) {
      const id = ++lastId
      const entry: Entry = { toast: { id, text, action }, left: SHOWN_MS, since: 0, timer: undefined }
      const tooMany = entries.length >= MAX_SHOWN ? entries[0] : undefined
      if (tooMany) dismiss(tooMany.toast.id)
      entries = [...entries, entry]
      if (!paused) start(entry)
      publish()
      return id
    },
    act: (id) => dismiss(id)?.action?.run(),
    dismiss: (id) => void dismiss(id),
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
