import { type Channel, MAX_DRAFT_LENGTH } from '@parley/core'
import { useCallback, useRef } from 'react'
import { bindDraftInput, type DraftElement } from './bindDraftInput.js'
import { useParley } from './parleyContext.js'

/** What to put on the input field. */
export interface DraftInputProps {
  /** Binds the field to the draft. Give the field no `value` or `defaultValue`: it is written to directly. */
  readonly ref: (element: DraftElement | null) => void
  readonly maxLength: number
}

/**
 * Makes a text field the composer of a conversation: what is typed goes into the draft by the smallest edit, what other
 * devices type appears without moving the caret, an input method is left alone until it is done, and leaving the field
 * leaves the draft.
 *
 * @throws ParleyError with code `invalid-argument` for an invalid channel
 * @example
 * ```tsx
 * import { useDraftInput } from '@parley/react'
 *
 * function Composer({ userId }: { userId: string }) {
 *   return <textarea aria-label="Message" {...useDraftInput({ channelId: userId, channelType: 1 })} />
 * }
 * ```
 */
export function useDraftInput(channel: Channel): DraftInputProps {
  const { draft } = useParley().store.conversation(channel)
  const unbind = useRef<(() => void) | null>(null)
  // A new draft gives a new function, with which React calls the old one with null: fields are bound and unbound in turn.
  const ref = useCallback(
    (element: DraftElement | null) => {
      unbind.current?.()
      unbind.current = element && bindDraftInput(draft, element)
    },
    [draft],
  )
  return { ref, maxLength: MAX_DRAFT_LENGTH }
}
