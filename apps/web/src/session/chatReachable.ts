import type { ClientStatus } from '@parley/client'
import type { Readable } from '@parley/core'

/**
 * Whether the demonstration's chat server counts as reachable. It lives in this browser, but behaves as if it stood beside
 * the sync server: a device that is off the network must not get a message out.
 */
export function chatReachable(status: Readable<ClientStatus>): Readable<boolean> {
  const getSnapshot = (): boolean => {
    const { ready, connection, unsaved } = status.getSnapshot()
    if (!ready) return false
    if (connection.state === 'local-only') return navigator.onLine
    // A socket may look open for half a minute after the network is gone; a server on this machine answers without one.
    if (!navigator.onLine && unsaved.server) return false
    return connection.state === 'online' || connection.state === 'syncing'
  }
  return {
    getSnapshot,
    subscribe(listener) {
      let last = getSnapshot()
      const check = (): void => {
        const next = getSnapshot()
        if (next === last) return
        last = next
        listener()
      }
      const unsubscribe = status.subscribe(check)
      addEventListener('online', check)
      addEventListener('offline', check)
      return () => {
        unsubscribe()
        removeEventListener('online', check)
        removeEventListener('offline', check)
      }
    },
  }
}
