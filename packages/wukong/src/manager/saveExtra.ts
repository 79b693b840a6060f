import type { Json, Store } from '@parley/core'
import type { ConversationExtra } from '../wire/extra.js'

/**
 * What an app saves of a conversation; what is left out stays as it is. `draftUpdatedAt` and `version` are accepted, because
 * the SDK's models have them, and have no effect: the store notes when a draft is edited, the provider gives the version.
 */
export type ExtraUpdate = Pick<ConversationExtra, 'channel'> &
  Partial<Omit<ConversationExtra, 'channel'>> & {
    /** Attributes of the app's own; each merges by itself, and `null` removes one. */
    readonly extraData?: Readonly<Record<string, Json>>
  }

/** Writes an extra into the store. */
export function saveExtra(
  store: Store,
  { channel, draft, browseTo, keepMessageSeq, keepOffsetY, extraData = {} }: ExtraUpdate,
): void {
  const handle = store.conversation(channel)
  const { keptPosition, attributes } = handle.getSnapshot()
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
    for (const [name, value] of Object.entries(extraData)) {
      if (JSON.stringify(attributes[name] ?? null) !== JSON.stringify(value)) handle.setAttribute(name, value)
    }
    if (draft === undefined) return
    if (draft === '') {
      if (handle.draft.getSnapshot().composer) handle.draft.clear()
    } else handle.draft.set(draft)
  })
  // Saved when the chat is left, as the SDK's apps do.
  if (draft !== undefined) handle.draft.leave()
}
