/** Does tasks in their order, so many in a turn of the event loop as fit a budget; in between others get their turn. */
export type Pacer = (task: () => void) => void

export interface PacerOptions {
  /**
   * How long the tasks of one turn may take, in milliseconds, with what they go on to do in microtasks; one is done in any
   * case.
   */
  budgetMs: number
  /** The time in milliseconds, from any beginning. */
  now?: () => number
}

/** Creates a {@link Pacer}. Its tasks must not throw. */
export function createPacer({ budgetMs, now = () => performance.now() }: PacerOptions): Pacer {
  let waiting: Array<() => void> = []
  let done = 0
  let end = 0
  let isScheduled = false

  const schedule = (): void => {
    waiting = waiting.slice(done)
    done = 0
    isScheduled = waiting.length > 0
    if (isScheduled) setImmediate(run)
  }
  const run = (): void => {
    end = now() + budgetMs
    doNext()
  }
  const doNext = (): void => {
    waiting[done++]?.()
    // Behind the microtasks: a task that is an `async` function does most of its work in them.
    queueMicrotask(() => process.nextTick(goOn))
  }
  const goOn = (): void => {
    if (done < waiting.length && now() < end) doNext()
    else schedule()
  }

  return (task) => {
    waiting.push(task)
    if (isScheduled) return
    isScheduled = true
    setImmediate(run)
  }
}
