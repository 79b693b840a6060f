import { type Draft, ParleyError, smallestEdit, type TextEdit } from '@parley/core'
import { followText } from './followText.js'
import { applyEdits, mergeEdits, shiftPosition } from './mergeEdits.js'

/** A field that a draft can be typed in. */
export type DraftElement = HTMLTextAreaElement | HTMLInputElement

/** Options of {@link bindDraftInput} and `useDraftInput`. */
export interface DraftInputOptions {
  /**
   * Called with the error (code `draft-too-long`) when the text of the field is too long for a draft, at each input until
   * the text fits; then once with `null`. The field keeps its text meanwhile, and the draft what it had before.
   */
  readonly onReject?: (error: ParleyError | null) => void
}

/**
 * Binds a text field to a draft in both directions, until the returned function is called.
 *
 * The field is written to only where it differs, never while an input method composes in it (that would end the
 * composition), and the selection moves along with the text around it. {@link useDraftInput} does this in React.
 *
 * @throws ParleyError with code `closed` from its listeners, if the store was closed and the user types on
 * @example
 * ```ts
 * import { createStore } from '@parley/core'
 * import { bindDraftInput } from '@parley/react'
 *
 * const store = createStore({ userId: 'alice' })
 * const field = document.createElement('textarea')
 * const unbind = bindDraftInput(store.conversation({ channelId: 'bob', channelType: 1 }).draft, field)
 * field.value = 'Hello Bob'
 * field.dispatchEvent(new Event('input'))
 * unbind()
 * ```
 */
export function bindDraftInput(
  draft: Draft,
  element: DraftElement,
  { onReject = () => {} }: DraftInputOptions = {},
): () => void {
  /** What the field says, as far as the draft was told. */
  let shown = ''
  let composing = false
  let typing = false
  /** True while the field holds a text that the draft does not take. */
  let rejected = false
  /** True once the user typed: until then a caret at the end stays there, behind a draft that loads or that others type. */
  let typed = false
  /** What other devices did to the draft since the field was written to. */
  let unseen: TextEdit[] = []
  const follower = followText(draft, (edits) => {
    if (!typing) unseen.push(...edits)
  })
  const draftText = (): string => draft.getSnapshot().composer?.text ?? ''

  const show = (): void => {
    follower.refresh()
    if (composing || typing || rejected) return
    const next = draftText()
    const edits = applyEdits(element.value, unseen) === next ? unseen : smallestEdits(element.value, next)
    unseen = []
    shown = next
    if (next === '') typed = false
    if (element.value !== next) writeKeepingSelection(element, next, edits, !typed)
  }

  const take = (): void => {
    const before = shown
    const caret = element.selectionStart ?? undefined
    const ours = smallestEdit(before, element.value, caret)
    if (!ours) {
      accept()
      return
    }
    // The draft may be ahead of the field: by what came while an input method was composing.
    const theirs = smallestEdit(before, draftText())
    typed = true
    typing = true
    try {
      if (theirs) draft.set(mergeEdits(before, ours, theirs))
      else draft.edit(ours)
    } catch (error) {
      if (!isParleyError(error, 'draft-too-long')) throw error
      rejected = true
      onReject(error)
      return
    } finally {
      typing = false
    }
    accept()
    shown = element.value
    unseen = []
    show()
  }

  const accept = (): void => {
    if (!rejected) return
    rejected = false
    onReject(null)
  }

  const listeners: Record<string, () => void> = {
    input: take,
    compositionstart: () => {
      composing = true
    },
    compositionend: () => {
      composing = false
      // Safari sends the last input after this event, the others before it.
      take()
      show()
    },
    blur: () => {
      composing = false
      take()
      typed = false
      leave(draft)
      show()
    },
  }
  for (const [type, listener] of Object.entries(listeners)) element.addEventListener(type, listener)
  const unsubscribe = draft.subscribe(show)
  // Whatever the field holds belongs to another conversation.
  element.value = ''
  show()

  return () => {
    unsubscribe()
    follower.stop()
    for (const [type, listener] of Object.entries(listeners)) element.removeEventListener(type, listener)
    leave(draft)
  }
}

function smallestEdits(from: string, to: string): TextEdit[] {
  const edit = smallestEdit(from, to)
  return edit ? [edit] : []
}

function writeKeepingSelection(
  element: DraftElement,
  next: string,
  edits: readonly TextEdit[],
  keepAtEnd: boolean,
): void {
  const { selectionStart, selectionEnd, selectionDirection, scrollTop } = element
  const isAtEnd = selectionStart === element.value.length
  element.value = next
  // Browsers put the caret behind a value that is assigned. Safari gives the focus to a field whose selection is set.
  if (element.ownerDocument.activeElement === element && selectionStart !== null) {
    const place = (position: number): number =>
      keepAtEnd && isAtEnd ? next.length : edits.reduce(shiftPosition, position)
    element.setSelectionRange(
      place(selectionStart),
      place(selectionEnd ?? selectionStart),
      selectionDirection ?? undefined,
    )
  }
  element.scrollTop = scrollTop
}

/** Leaves a draft, whose store may have been closed before the field went away. */
function leave(draft: Draft): void {
  try {
    draft.leave()
  } catch (error) {
    if (!isParleyError(error, 'closed')) throw error
  }
}

function isParleyError(error: unknown, code: ParleyError['code']): error is ParleyError {
  return error instanceof ParleyError && error.code === code
}
