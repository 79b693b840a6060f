import type { ClockHighWater } from '@parley/core'
import type { ClientEnvironment } from './environment.js'

/** The pause between two writes of the mark; only a crash within it and a wall clock set back could repeat a time. */
const SAVE_MS = 1_000

/** Keeps the high-water mark of a document's clock outside of the document: the last edits may be lost in a crash. */
export interface ClockKeeper {
  /** The mark that was kept, or `undefined`. Read at once, for it must be known before the first edit. */
  readonly initial: ClockHighWater | undefined
  /** Says that the clock has moved. */
  moved: () => void
  /** Writes the mark now. */
  save: () => void
  /** Deletes the mark. */
  forget: () => void
}

/** Creates a {@link ClockKeeper} over `localStorage`; without one it keeps nothing. */
export function createClockKeeper(
  name: string,
  current: () => ClockHighWater,
  { localStorage, schedule }: Pick<ClientEnvironment, 'localStorage' | 'schedule'>,
): ClockKeeper {
  const key = `${name}/clock`
  let cancel: (() => void) | null = null
  const read = (): ClockHighWater | undefined => {
    try {
      const { ms, counter } = JSON.parse(localStorage?.getItem(key) ?? '') as Partial<ClockHighWater>
      return typeof ms === 'number' && typeof counter === 'number' ? { ms, counter } : undefined
    } catch {
      return undefined
    }
  }
  const save = (): void => {
    cancel?.()
    cancel = null
    const mark = current()
    const kept = read()
    // Other tabs write it too.
    if (kept && (kept.ms > mark.ms || (kept.ms === mark.ms && kept.counter >= mark.counter))) return
    try {
      localStorage?.setItem(key, JSON.stringify({ ms: mark.ms, counter: mark.counter }))
    } catch {
      // A full store: the wall clock has to do.
    }
  }
  return {
    initial: read(),
    moved() {
      cancel ??= schedule(save, SAVE_MS)
    },
    save,
    forget() {
      cancel?.()
      cancel = null
      try {
        localStorage?.removeItem(key)
      } catch {
        // What cannot be used holds no mark.
      }
    },
  }
}
