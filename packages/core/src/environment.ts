/** What the core takes from its surroundings. Everything has a default; tests and simulations bring their own. */
export interface Environment {
  /** The wall clock in milliseconds since 1970. */
  now: () => number
  /** A uniform random number in [0, 1). */
  random: () => number
  /** Runs `task` once after `delayMs` milliseconds and returns what cancels it. */
  schedule: (task: () => void, delayMs: number) => () => void
  /** Told of errors that listeners throw; the caller's code must not stop the store. */
  reportError: (error: unknown) => void
}

interface AmbientGlobals {
  setTimeout: (task: () => void, delayMs: number) => { unref?: () => void } | number
  clearTimeout: (handle: unknown) => void
  console?: { error: (...data: unknown[]) => void }
}

/** The longest delay that timers take; browsers and Node run a longer one at once. */
const MAX_TIMER_DELAY_MS = 2 ** 31 - 1

/** The environment that every JavaScript runtime offers. */
export const defaultEnvironment: Environment = {
  now: () => Date.now(),
  random: () => Math.random(),
  schedule(task, delayMs) {
    const { setTimeout, clearTimeout } = globalThis as unknown as AmbientGlobals
    const handle = setTimeout(task, Math.min(delayMs, MAX_TIMER_DELAY_MS))
    // A mute that ends next year must not keep a Node process alive.
    if (typeof handle === 'object') handle.unref?.()
    return () => clearTimeout(handle)
  },
  reportError(error) {
    ;(globalThis as unknown as AmbientGlobals).console?.error(error)
  },
}
