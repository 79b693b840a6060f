import type { Channel } from '@parley/core'
import { useCallback, useRef } from 'react'
import { bindDraftInput, type DraftElement, type DraftInputOptions } from './bindDraftInput.js'
import { useParley } from './parleyContext.js'

/** What to put on the input field. */
export interface DraftInputProps {
  /** Binds the field to the draft. Give the field no `value` or `defaultValue`: it is written to directly. */
  readonly ref: (element: DraftElement | null) => void
}

/**
 * Makes a text field the composer of a conversation: what is typed goes into the draft by the smallest edit, what other
 * devices type appears without moving the caret, an input method is left alone until it is done, and leaving the field
 * leaves the draft. Set no `maxLength`: browsers cut a longer paste without a word, while `options.onReject` lets the app
 * say that the text is too long, and the field keeps it.
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
export function useDraftInput(channel: Channel, options: DraftInputOptions = {}): DraftInputProps {
  const { draft } = useParley().store.conversation(channel)
  const { onReject } = options
  // Another function at each render must not bind the field again.
  const latest = useRef(onReject)
  latest.current = onReject
  const unbind = useRef<(() => void) | null>(null)
  // A new draft gives a new function, with which React calls the old one with null: fields are bound and unbound in turn.
  const ref = useCallback(
    (element: DraftElement | null) => {
      unbind.current?.()
      unbind.current =
        element && bindDraftInput(draft, element, { onReject: (error) => latest.current?.(error) })
    },
    [draft],
  )
  return { ref }
}
