/** Held, shared, by each tab with an open session; exclusively by the one that deletes the local data. */
const LOCK = 'parley.session'

/** Without locks other tabs get this long to let go of the local data, in milliseconds. */
const GRACE_MS = 500

/**
 * Says that this tab uses the local data. Waits while another tab deletes it.
 *
 * @returns what to call when the tab has let go of the data
 */
export async function holdLocalData(locks = browserLocks()): Promise<() => void> {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await new Promise<void>((granted) => {
    const request = locks?.request(LOCK, { mode: 'shared' }, () => {
      granted()
      return held
    })
    // Where locks are missing or refused there is nothing to wait for.
    if (request) request.catch(() => granted())
    else granted()
  })
  return release
}

/**
 * Runs `action` when no other tab uses the local data, or after `timeoutMs`.
 *
 * @returns false if another tab still used it then, such as one that the browser froze
 */
export async function whenNobodyHolds(
  timeoutMs: number,
  action: () => Promise<void>,
  locks = browserLocks(),
): Promise<boolean> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), timeoutMs)
  let ran = false
  try {
    if (!locks) throw new DOMException('There are no locks here', 'NotSupportedError')
    await locks.request(LOCK, { signal: abort.signal }, async () => {
      clearTimeout(timer)
      ran = true
      await action()
    })
    return true
  } catch (error) {
    if (ran) throw error
    const isHeld = abort.signal.aborted
    if (!isHeld) await new Promise((resolve) => setTimeout(resolve, GRACE_MS))
    await action()
    return !isHeld
  } finally {
    clearTimeout(timer)
  }
}

function browserLocks(): LockManager | undefined {
  return navigator.locks as LockManager | undefined
}
