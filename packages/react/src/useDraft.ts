import type { Channel, Draft, DraftView } from '@parley/core'
import { useMemo, useSyncExternalStore } from 'react'
import { useParley } from './parleyContext.js'
import { SERVER_DRAFTS } from './serverSnapshots.js'

/** All that can be done with a draft. */
export type DraftActions = Omit<Draft, 'subscribe' | 'getSnapshot'>

/**
 * The drafts of one conversation and what can be done with them. The input field itself is {@link useDraftInput}'s.
 *
 * @throws ParleyError with code `invalid-argument` for an invalid channel
 * @example
 * ```tsx
 * import { useDraft } from '@parley/react'
 *
 * function OtherDrafts({ userId }: { userId: string }) {
 *   const { others, choose } = useDraft({ channelId: userId, channelType: 1 })
 *   return others.map(({ draftId, device }) => (
 *     <button type="button" key={draftId} onClick={() => choose(draftId)}>Another draft, from {device}</button>
 *   ))
 * }
 * ```
 */
export function useDraft(channel: Channel): DraftView & DraftActions {
  const { draft } = useParley().store.conversation(channel)
  const view = useSyncExternalStore(draft.subscribe, draft.getSnapshot, () => SERVER_DRAFTS)
  return useMemo(() => ({ ...draft, ...view }), [draft, view])
}
