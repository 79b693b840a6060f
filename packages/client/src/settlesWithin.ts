import type { Environment } from '@parley/core'

/** Resolves to true when `promise` settles, or to false if it has not after `ms` milliseconds. It never rejects. */
export function settlesWithin(
  promise: Promise<unknown>,
  ms: number,
  schedule: Environment['schedule'],
): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = schedule(() => resolve(false), ms)
    const settled = (): void => {
      cancel()
      resolve(true)
    }
    promise.then(settled, settled)
  })
}
