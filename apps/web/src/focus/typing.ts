import { createEmitter } from '@parley/core'

/** A key that follows the one before within this many milliseconds belongs to the same run of typing. */
export const TYPING_PAUSE_MS = 1_000

/** A typed key that reached no text field, and was dropped. */
export interface DroppedKey {
  /** The element that had the focus. */
  readonly target: Element
}

/** What {@link readsAsText} needs of a keyboard event. */
export type TypedKey = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'getModifierState'>

const EDITING_KEYS: ReadonlySet<string> = new Set([
  'Backspace',
  'Delete',
  'Enter',
  // What browsers report while an input method or a dead key is at work.
  'Dead',
  'Process',
  'Unidentified',
])

const dropped = createEmitter<DroppedKey>(console.error)
/** The field that was typed in last, and when the run of typing that began there went on last. */
let field: HTMLElement | null = null
let typedAt = Number.NEGATIVE_INFINITY
let composing = false

/**
 * True while the user types: less than {@link TYPING_PAUSE_MS} after the last key of a run that began in a text field, or
 * while an input method composes. The run goes on with each typed key, even where the focus is elsewhere by then: a sentence
 * that lost its field is still a sentence.
 */
export function isTyping(): boolean {
  if (composing && field?.isConnected) return true
  return performance.now() - typedAt < TYPING_PAUSE_MS
}

/** Ends the run of typing: the user opened something with the pointer, or in another way that cannot be a slip. */
export function endTyping(): void {
  typedAt = Number.NEGATIVE_INFINITY
  composing = false
}

/** True for an element that takes text. */
export function isTextField(element: EventTarget | null): element is HTMLElement {
  if (!(element instanceof HTMLElement)) return false
  if (element instanceof HTMLInputElement) return !NO_TEXT.has(element.type)
  return element instanceof HTMLTextAreaElement || element.isContentEditable
}

const NO_TEXT: ReadonlySet<string> = new Set(['button', 'checkbox', 'radio', 'reset', 'submit'])

/** True for a key that puts text into a field or takes it out. */
export function readsAsText(event: TypedKey): boolean {
  const { key, ctrlKey, metaKey } = event
  if (EDITING_KEYS.has(key)) return true
  // AltGr reports itself as Ctrl and Alt on Windows.
  return [...key].length === 1 && ((!ctrlKey && !metaKey) || event.getModifierState('AltGraph'))
}

/** Calls `listener` for each run of typing of which a key was dropped, until the returned function is called. */
export function onDroppedKey(listener: (key: DroppedKey) => void): () => void {
  return dropped.subscribe(listener)
}

/**
 * Follows the keyboard, so that {@link isTyping} knows. A typed key that arrives at the list or at the page itself while a run
 * of typing goes on is taken back into the field of that run; if the field is gone, the key is dropped and
 * {@link onDroppedKey} says so. Buttons, menus and dialogs keep their keys. Call it once.
 */
export function installTyping(): void {
  let wasDropped = false
  const typed = (target: HTMLElement): void => {
    field = target
    typedAt = performance.now()
    wasDropped = false
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const { target } = event
    if (!readsAsText(event)) return
    if (isTextField(target)) {
      typed(target)
      return
    }
    if (!(target instanceof Element) || !isStray(target) || !isTyping()) return
    typedAt = performance.now()
    event.stopPropagation()
    // The browser gives the character to the field that has the focus by the end of this event.
    if (event.key !== 'Enter' && takeBack(field)) return
    event.preventDefault()
    if (!wasDropped) dropped.emit({ target })
    wasDropped = true
  }
  const onText = ({ target }: Event): void => {
    if (isTextField(target)) typed(target)
  }
  document.addEventListener('keydown', onKeyDown, true)
  for (const type of ['beforeinput', 'input', 'compositionupdate']) {
    document.addEventListener(type, onText, true)
  }
  document.addEventListener('compositionstart', (event) => {
    composing = true
    onText(event)
  })
  document.addEventListener('compositionend', (event) => {
    composing = false
    onText(event)
  })
  document.addEventListener('focusout', () => {
    composing = false
  })
}

/** True for what has the focus when nothing sensible has: the page, or a list, whose keys are shortcuts. */
function isStray(target: Element): boolean {
  return (
    target === document.body ||
    target === document.documentElement ||
    target.closest('[role="listbox"]') !== null
  )
}

function takeBack(element: HTMLElement | null): boolean {
  if (!element?.isConnected || element.getClientRects().length === 0) return false
  element.focus({ preventScroll: true })
  return document.activeElement === element
}
