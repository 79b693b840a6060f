import type { Pacer } from '../pacer.js'

/**
 * Lets those who come go on one after the other, in their order, the next when the pace allows it. They must not reject.
 *
 * Who waits is a function and not a promise: what waits for long is old to the garbage collector, and an old promise keeps
 * what it was settled with, such as a document, until all of the heap is collected, even if nobody needs either any more.
 */
export type Turnstile = (goOn: () => Promise<void>) => void

/** Creates a {@link Turnstile}. */
export function createTurnstile(pace: Pacer): Turnstile {
  const waiting = new Set<() => Promise<void>>()
  let isBusy = false

  const next = (): void => {
    const [goOn] = waiting
    isBusy = goOn !== undefined
    if (!goOn) return
    waiting.delete(goOn)
    void goOn().finally(() => pace(next))
  }

  return (goOn) => {
    waiting.add(goOn)
    if (!isBusy) next()
  }
}
