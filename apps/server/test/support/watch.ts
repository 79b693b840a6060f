import { setTimeout as delay } from 'node:timers/promises'
import type { Serving } from './parley.js'

/** Waits until something is so; fails the test with `what` when it never is. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`never came to be: ${what}`)
    await delay(20)
  }
}

/** What a server says when it is asked whether it is ready. */
export const readiness = async ({ url }: Serving): Promise<number> => (await fetch(`${url}/readyz`)).status
