import type { Readable } from '@parley/core'
import type { Lifecycle } from './lifecycle.js'
import type { ClientStatus } from './status/status.js'

/** Makes the browser ask before the user leaves a page whose edits are not on disk. */
export function createLeaveGuard(
  status: Readable<ClientStatus>,
  lifecycle: Pick<Lifecycle, 'confirmLeave'>,
): { stop: () => void } {
  let release: (() => void) | null = null
  const update = (): void => {
    if (status.getSnapshot().unsaved.disk) release ??= lifecycle.confirmLeave?.() ?? null
    else {
      release?.()
      release = null
    }
  }
  const unsubscribe = status.subscribe(update)
  update()
  return {
    stop() {
      unsubscribe()
      release?.()
    },
  }
}
