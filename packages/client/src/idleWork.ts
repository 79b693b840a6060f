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
  return {
    touch() {
      cancel?.()
      cancel = stopped ? null : schedule(() => void task().catch(reportError), IDLE_MS)
    },
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
