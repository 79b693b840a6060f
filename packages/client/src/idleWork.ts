import type { Environment } from '@parley/core'

/** How long nothing must have changed before the document is tidied up and compacted. */
const IDLE_MS = 2_000

/** Runs a task whenever nothing has happened for a while. */
export interface IdleWork {
  /** Says that something happened. */
  touch: () => void
  stop: () => void
}

/** Creates {@link IdleWork}; what `task` throws is reported. */
export function createIdleWork(
  task: () => Promise<void>,
  { schedule, reportError }: Pick<Environment, 'schedule' | 'reportError'>,
): IdleWork {
  let cancel: (() => void) | null = null
  let stopped = false
  let isRunning = false
  const run = (): void => {
    // One at a time: a task may have to wait for another page that holds the database.
    if (isRunning) {
      cancel = schedule(run, IDLE_MS)
      return
    }
    isRunning = true
    void task()
      .catch(reportError)
      .finally(() => {
        isRunning = false
      })
  }
  return {
    touch() {
      cancel?.()
      cancel = stopped ? null : schedule(run, IDLE_MS)
    },
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
