/** The longest delay that timers take; Node runs a longer one at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Calls `action` once at a time in milliseconds since 1970, however far away; returns what cancels it. */
export function callAt(time: number, action: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (): void => {
    const left = time - Date.now()
    timer = setTimeout(left > MAX_DELAY_MS ? wait : action, Math.min(Math.max(0, left), MAX_DELAY_MS))
    timer.unref()
  }
  wait()
  return () => clearTimeout(timer)
}
