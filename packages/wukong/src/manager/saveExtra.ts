import type { Store } from '@parley/core'
import type { ConversationExtra } from '../wire/extra.js'

/** What an app saves of a conversation; what is left out stays as it is. */
export type ExtraUpdate = Pick<ConversationExtra, 'channel'> &
  Partial<Pick<ConversationExtra, 'browseTo' | 'keepMessageSeq' | 'keepOffsetY' | 'draft'>>

/** Writes an extra into the store. */
export function saveExtra(
  store: Store,
  { channel, draft, browseTo, keepMessageSeq, keepOffsetY }: ExtraUpdate,
): void {
  const handle = store.conversation(channel)
  const { keptPosition } = handle.getSnapshot()
  store.transact(() => {
    if (browseTo !== undefined) handle.browseTo(browseTo)
    if (keepMessageSeq !== undefined || keepOffsetY !== undefined) {
      const next = {
        messageSeq: keepMessageSeq ?? keptPosition?.messageSeq ?? 0,
        offsetY: keepOffsetY ?? keptPosition?.offsetY ?? 0,
      }
      if (
        next.messageSeq !== (keptPosition?.messageSeq ?? 0) ||
        next.offsetY !== (keptPosition?.offsetY ?? 0)
      ) {
        // Beside no message an offset means nothing.
        handle.keepPosition(next.messageSeq === 0 ? null : next)
      }
    }
    if (draft === undefined) return
    if (draft === '') {
      if (handle.draft.getSnapshot().composer) handle.draft.clear()
    } else handle.draft.set(draft)
  })
  // Saved when the chat is left, as the SDK's apps do.
  if (draft !== undefined) handle.draft.leave()
}
