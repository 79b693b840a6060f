interface AmbientTimers {
  setTimeout: (task: () => void, delayMs: number) => unknown
  clearTimeout: (handle: unknown) => void
}

/**
 * Runs `task` once after `delayMs` milliseconds and returns what cancels it. The timer keeps a Node process alive: a sync or
 * an upload that is waiting to be retried is unfinished work, and a script that ended would lose it. The timers of the
 * store itself, such as the end of a mute, do not.
 */
export function scheduleWork(task: () => void, delayMs: number): () => void {
  const { setTimeout, clearTimeout } = globalThis as unknown as AmbientTimers
  const handle = setTimeout(task, delayMs)
  return () => clearTimeout(handle)
}
