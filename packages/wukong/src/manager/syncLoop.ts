import type { Environment } from '@parley/core'

/** What a sync came to. */
export type SyncOutcome =
  | 'synced'
  /** There is no provider to ask. */
  | 'no-provider'
  /** It was given up: the connection went, the manager was closed, or it failed too often. */
  | 'stopped'

/** Runs syncs one at a time, again after a while where they fail. */
export interface SyncLoop {
  /** Asks for a sync. One that is asked for while another runs follows it; any number of those are one. */
  request: () => Promise<SyncOutcome>
  /** Gives up what is waiting to be tried again, and does not wait for what is under way. */
  stop: () => void
  readonly isRunning: boolean
}

/** How a loop works. */
export interface SyncLoopOptions {
  /** One attempt. `isCurrent` turns false when the loop was stopped meanwhile. */
  readonly attempt: (isCurrent: () => boolean) => Promise<'synced' | 'no-provider'>
  readonly retryDelayMs: number
  readonly maxAttempts: number
  readonly environment: Pick<Environment, 'schedule' | 'reportError'>
}

/** Creates a {@link SyncLoop}. */
export function createSyncLoop({
  attempt,
  retryDelayMs,
  maxAttempts,
  environment,
}: SyncLoopOptions): SyncLoop {
  let generation = 0
  let running: Promise<SyncOutcome> | null = null
  let next: Promise<SyncOutcome> | null = null
  let wake: (() => void) | null = null

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel = environment.schedule(resolve, retryDelayMs)
      wake = () => {
        cancel()
        resolve()
      }
    })

  const run = async (mine: number): Promise<SyncOutcome> => {
    const isCurrent = (): boolean => mine === generation
    for (let count = 1; isCurrent(); count++) {
      try {
        const outcome = await attempt(isCurrent)
        return isCurrent() ? outcome : 'stopped'
      } catch (error) {
        if (!isCurrent()) break
        environment.reportError(error)
        if (count >= maxAttempts) break
      }
      await pause()
      wake = null
    }
    return 'stopped'
  }

  const start = (): Promise<SyncOutcome> => {
    const started = run(generation).finally(() => {
      if (running === started) running = null
    })
    running = started
    return started
  }

  return {
    request() {
      if (!running) return start()
      // Asked for while one waits to be tried again: that one begins anew.
      if (wake) {
        wake()
        return running
      }
      next ??= running.then(() => {
        next = null
        return start()
      })
      return next
    },
    stop() {
      generation++
      running = null
      next = null
      wake?.()
      wake = null
    },
    get isRunning() {
      return running !== null
    },
  }
}
