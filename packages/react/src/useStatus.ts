import type { ClientStatus } from '@parley/client'
import { useSyncExternalStore } from 'react'
import { useParley } from './parleyContext.js'

/**
 * Where the edits of this tab are safe, and how the connection is. `null` for a store without a client, which keeps
 * nothing, and on a server.
 *
 * @example
 * ```tsx
 * import { useStatus } from '@parley/react'
 *
 * function SavedNote() {
 *   const status = useStatus()
 *   return <p>{status?.saved === 'server' ? 'All changes saved' : 'Saving …'}</p>
 * }
 * ```
 */
export function useStatus(): ClientStatus | null {
  const status = useParley().client?.status
  return useSyncExternalStore(status?.subscribe ?? NEVER, status?.getSnapshot ?? NOTHING, NOTHING)
}

const NEVER = () => () => {}
const NOTHING = () => null
