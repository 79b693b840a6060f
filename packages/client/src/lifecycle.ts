/**
 * What happens to a page.
 *
 * - `online`, `offline`: what the browser believes of the network, which is a hint and no more.
 * - `visible`: the user came back to the page, or the browser woke it up.
 * - `hidden`: it may be ended from here on without another word.
 * - `frozen`: its timers stop right after this, until it is `visible` again; what it holds it would hold for ever.
 */
export type LifecycleEvent = 'online' | 'offline' | 'visible' | 'hidden' | 'frozen'

/** Tells what happens to the page that a client lives in. */
export interface Lifecycle {
  /** False only where the browser is sure that there is no network. */
  isOnline: () => boolean
  /** Calls `listener` on each event until the returned function is called. */
  subscribe: (listener: (event: LifecycleEvent) => void) => () => void
}

/** The {@link Lifecycle} of the current page, or of a worker or server where nothing of it is known. */
export function browserLifecycle(): Lifecycle {
  return {
    isOnline: () => (globalThis as Partial<typeof globalThis>).navigator?.onLine !== false,
    subscribe(listener) {
      const stops: Array<() => void> = []
      const on = (target: EventTarget | undefined, type: string, event: () => LifecycleEvent): void => {
        if (typeof target?.addEventListener !== 'function') return
        const handler = (): void => listener(event())
        target.addEventListener(type, handler)
        stops.push(() => target.removeEventListener(type, handler))
      }
      const page = typeof document === 'object' ? document : undefined
      on(globalThis as unknown as EventTarget, 'online', () => 'online')
      on(globalThis as unknown as EventTarget, 'offline', () => 'offline')
      on(page, 'visibilitychange', () => (page?.visibilityState === 'hidden' ? 'hidden' : 'visible'))
      // Safari ends pages without a visibilitychange.
      on(globalThis as unknown as EventTarget, 'pagehide', () => 'hidden')
      on(globalThis as unknown as EventTarget, 'pageshow', () => 'visible')
      on(page, 'freeze', () => 'frozen')
      on(page, 'resume', () => 'visible')
      return () => {
        for (const stop of stops.splice(0)) stop()
      }
    },
  }
}
