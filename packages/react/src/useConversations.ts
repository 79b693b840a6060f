import type { ListFilter, ListSnapshot, ListWindow } from '@parley/core'
import { useEffect, useLayoutEffect, useMemo, useSyncExternalStore } from 'react'
import { createListSource } from './listSource.js'
import { useParley } from './parleyContext.js'
import { SERVER_LIST } from './serverSnapshots.js'

/**
 * The conversation list: filtered, in order, and only as much of it as the window shows. Filter and window may be new
 * objects each time; a `match` function that is new filters the list again.
 *
 * @param window all of the list if it is left out
 * @example
 * ```tsx
 * import { useConversations } from '@parley/react'
 *
 * function Inbox() {
 *   const { conversations, total } = useConversations({ unread: true }, { offset: 0, limit: 50 })
 *   return (
 *     <ul aria-label={`${total} unread`}>
 *       {conversations.map(({ key, channel }) => <li key={key}>{channel.channelId}</li>)}
 *     </ul>
 *   )
 * }
 * ```
 */
export function useConversations(filter: ListFilter = {}, window?: ListWindow): ListSnapshot {
  const { store } = useParley()
  const { archived, unread, pinned, muted, match } = filter
  const channelTypes = filter.channelTypes?.join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: an equal filter is the same filter, and windows follow below
  const source = useMemo(
    () => createListSource(store, filter, window),
    [store, archived, unread, pinned, muted, match, channelTypes],
  )
  const { offset, limit } = window ?? {}
  useIsomorphicLayoutEffect(() => {
    source.setWindow(offset === undefined || limit === undefined ? undefined : { offset, limit })
  }, [source, offset, limit])
  return useSyncExternalStore(source.subscribe, source.getSnapshot, () => SERVER_LIST)
}

/** Before the browser paints, so that scrolling shows no empty rows; servers have no layout and React says so. */
const useIsomorphicLayoutEffect = typeof document === 'undefined' ? useEffect : useLayoutEffect
