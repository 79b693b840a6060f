/** Does tasks in their order, so many in a turn of the event loop as fit a budget; in between others get their turn. */
export type Pacer = (task: () => void) => void

export interface PacerOptions {
  /** How long the tasks of one turn may take, in milliseconds; one is done in any case. */
  budgetMs: number
  /** The time in milliseconds, from any beginning. */
  now?: () => number
}

/** Creates a {@link Pacer}. Its tasks must not throw. */
export function createPacer({ budgetMs, now = () => performance.now() }: PacerOptions): Pacer {
  let waiting: Array<() => void> = []
  let isScheduled = false

  const run = (): void => {
    const end = now() + budgetMs
    let done = 0
    while (done < waiting.length) {
      waiting[done++]?.()
      if (now() >= end) break
    }
    waiting = waiting.slice(done)
    isScheduled = waiting.length > 0
    if (isScheduled) setImmediate(run)
  }

  return (task) => {
    waiting.push(task)
    if (isScheduled) return
    isScheduled = true
    setImmediate(run)
  }
}
