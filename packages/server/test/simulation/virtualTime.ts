import { vi } from 'vitest'

/** The time of a simulated history: it passes only in {@link VirtualTime.advance}, and then at once. */
export interface VirtualTime {
  /** Milliseconds since the history began. */
  readonly now: number
  /** Lets so many milliseconds pass, timer by timer. */
  advance: (ms: number) => Promise<void>
  /** Lets happen what needs no time. */
  settle: () => Promise<void>
  /** Gives the process its own time back. */
  restore: () => void
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly everyMs: number | null
  readonly run: () => void
}

/** What `setTimeout` returns in a history: enough of it for the code under test. */
interface Handle {
  readonly unref: () => Handle
  readonly ref: () => Handle
  readonly [Symbol.toPrimitive]: () => number
}

/** A Monday, so that times in failing histories are easy to read. */
const BEGINNING = Date.UTC(2024, 0, 1)

/** Puts time and timers of the process in the hands of a simulation. */
export function createVirtualTime(): VirtualTime {
  const flush = setImmediate
  const timers = new Map<number, Timer>()
  let now = 0
  let count = 0

  const start = (run: () => void, delayMs: number, everyMs: number | null): Handle => {
    const id = ++count
    timers.set(id, { at: now + Math.max(1, delayMs || 0), order: id, everyMs, run })
    const handle: Handle = { unref: () => handle, ref: () => handle, [Symbol.toPrimitive]: () => id }
    return handle
  }
  const stop = (handle: unknown): void => {
    if (handle) timers.delete(Number(handle))
  }
  vi.stubGlobal('setTimeout', (run: () => void, delayMs: number) => start(run, delayMs, null))
  vi.stubGlobal('setInterval', (run: () => void, everyMs: number) => start(run, everyMs, everyMs))
  vi.stubGlobal('clearTimeout', stop)
  vi.stubGlobal('clearInterval', stop)
  vi.spyOn(Date, 'now').mockImplementation(() => BEGINNING + Math.floor(now))
  vi.spyOn(performance, 'now').mockImplementation(() => now)

  const settle = (): Promise<void> => new Promise((resolve) => flush(resolve))
  const nextBefore = (end: number): [number, Timer] | null => {
    let found: [number, Timer] | null = null
    for (const entry of timers) {
      const [, { at, order }] = entry
      if (at > end) continue
      if (!found || at < found[1].at || (at === found[1].at && order < found[1].order)) found = entry
    }
    return found
  }

  return {
    get now() {
      return now
    },
    settle,
    async advance(ms) {
      const end = now + ms
      await settle()
      for (let next = nextBefore(end); next; next = nextBefore(end)) {
        const [id, timer] = next
        timers.delete(id)
        now = Math.max(now, timer.at)
        if (timer.everyMs !== null) timers.set(id, { ...timer, at: now + timer.everyMs })
        timer.run()
        await settle()
      }
      now = end
    },
    restore() {
      vi.unstubAllGlobals()
      vi.restoreAllMocks()
    },
  }
}
