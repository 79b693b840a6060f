import type { Totals } from '@parley/core'
import { useSyncExternalStore } from 'react'
import { useParley } from './parleyContext.js'
import { SERVER_TOTALS } from './serverSnapshots.js'

/**
 * The badges of the whole list, muted conversations apart.
 *
 * @example
 * ```tsx
 * import { useTotals } from '@parley/react'
 *
 * const Title = () => <title>{`(${useTotals().unread}) Chats`}</title>
 * ```
 */
export function useTotals(): Totals {
  const { totals } = useParley().store
  return useSyncExternalStore(totals.subscribe, totals.getSnapshot, () => SERVER_TOTALS)
}
