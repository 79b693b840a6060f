/**
 * What happens to a page.
 *
 * - `online`, `offline`: what the browser believes of the network, which is a hint and no more.
 * - `visible`: the user came back to the page, or the browser woke it up.
 * - `hidden`: it may be ended from here on without another word.
 * - `frozen`: its timers stop right after this, until it is `visible` again; what it holds it would hold for ever.
 * - `left`: the user left the page for another one. It is destroyed, or kept in the back/forward cache and `visible` again
 *   when the user returns; a browser keeps only pages that hold no lock, no socket and no channel.
 */
export type LifecycleEvent = 'online' | 'offline' | 'visible' | 'hidden' | 'frozen' | 'left'

/** Tells what happens to the page that a client lives in. */
export interface Lifecycle {
  /** False only where the browser is sure that there is no network. */
  isOnline: () => boolean
  /** Calls `listener` on each event until the returned function is called. */
  subscribe: (listener: (event: LifecycleEvent) => void) => () => void
  /**
   * Makes the browser ask whether the user wants to leave the page, until the returned function is called. Missing where there
   * is no page.
   */
  confirmLeave?: () => () => void
}

/** The {@link Lifecycle} of the current page, or of a worker or server where nothing of it is known. */
export function browserLifecycle(): Lifecycle {
  const window = globalThis as unknown as EventTarget
  const page = typeof document === 'object' ? document : undefined
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
      on(window, 'online', () => 'online')
      on(window, 'offline', () => 'offline')
      on(page, 'visibilitychange', () => (page?.visibilityState === 'hidden' ? 'hidden' : 'visible'))
      // Safari ends pages without a visibilitychange.
      on(window, 'pagehide', () => 'left')
      on(window, 'pageshow', () => 'visible')
      on(page, 'freeze', () => 'frozen')
      on(page, 'resume', () => 'visible')
      return () => {
        for (const stop of stops.splice(0)) stop()
      }
    },
    ...(page
      ? {
          confirmLeave() {
            const ask = (event: Event): void => {
              event.preventDefault()
              // Chromium before 119 and WebKit look at this instead.
              ;(event as BeforeUnloadEvent).returnValue = true
            }
            window.addEventListener('beforeunload', ask)
            return () => window.removeEventListener('beforeunload', ask)
          },
        }
      : {}),
  }
}
