/** A load that waits its turn, or runs. */
export interface QueuedLoad<Result> {
  readonly done: Promise<Result>
  /** Puts it before those that are in no hurry, if it still waits. */
  hurry: () => void
}

/** Lets a few loads run at a time: first those that somebody's work waits for, then those of who only wants to be in sync. */
export interface LoadQueue {
  add: <Result>(load: () => Promise<Result>, isUrgent: boolean) => QueuedLoad<Result>
}

/** Creates a {@link LoadQueue}: so many run at a time, and when nobody is in a hurry one does, for the sake of all else. */
export function createLoadQueue(concurrency: number): LoadQueue {
  const urgent = new Set<() => void>()
  const patient = new Set<() => void>()
  let running = 0

  const take = (from: Set<() => void>): boolean => {
    const [start] = from
    if (!start) return false
    from.delete(start)
    running++
    start()
    return true
  }
  const next = (): void => {
    while (running < concurrency && take(urgent)) {
      // Until there are none, or no room for more.
    }
    if (running === 0) take(patient)
  }

  return {
    add(load, isUrgent) {
      let start = (): void => {}
      const turn = new Promise<void>((resolve) => {
        start = resolve
      })
      const done = turn.then(load)
      const end = (): void => {
        running--
        next()
      }
      // In another turn of the event loop: a document is built in one go, and what came in meanwhile is dealt with first.
      const yieldAndEnd = (): void => void setImmediate(end)
      done.then(yieldAndEnd, yieldAndEnd)
      if (isUrgent) urgent.add(start)
      else patient.add(start)
      next()
      return {
        done,
        hurry() {
          if (!patient.delete(start)) return
          urgent.add(start)
          next()
        },
      }
    },
  }
}
