import { type ChannelKey, parseChannelKey } from '@parley/core'
import { type RefObject, useEffect, useRef } from 'react'
import { isTextField, onDroppedKey } from '../focus/typing.js'
import { displayName } from '../list/displayName.js'
import type { MessengerState } from './messengerContext.js'

/** The messenger that the user touched last, for keys that arrive at the page itself: a page may show two. */
let current: HTMLElement | null = null

/** Undoes the last list action with Ctrl+Z or Cmd+Z outside of text fields, and says where typed keys were dropped. */
export function useMessengerKeys(root: RefObject<HTMLElement | null>, messenger: MessengerState): void {
  const state = useRef(messenger)
  state.current = messenger
  const lastOpen = useRef<ChannelKey | null>(messenger.selected)
  if (messenger.selected !== null) lastOpen.current = messenger.selected

  useEffect(() => {
    const element = root.current
    if (!element) return
    current ??= element
    const touch = (): void => {
      current = element
    }
    const isOurs = (target: EventTarget | null): boolean =>
      target instanceof Node && target !== document.body && target !== document.documentElement
        ? element.contains(target)
        : current === element
    const onKeyDown = (event: KeyboardEvent): void => {
      const { key, ctrlKey, metaKey, shiftKey, altKey, repeat, target } = event
      if (key.toLowerCase() !== 'z' || !(ctrlKey || metaKey) || shiftKey || altKey) return
      if (event.defaultPrevented || isTextField(target) || !isOurs(target)) return
      event.preventDefault()
      if (!repeat) state.current.actions.undo()
    }
    const stopDropped = onDroppedKey(({ target }) => {
      if (!isOurs(target)) return
      const { toasts, select } = state.current
      const key = lastOpen.current
      toasts.show(
        'Not typed: no text field is active',
        key === null
          ? undefined
          : { label: `Back to ${displayName(parseChannelKey(key))}`, run: () => select(key) },
      )
    })
    element.addEventListener('pointerdown', touch, true)
    element.addEventListener('focusin', touch)
    document.addEventListener('keydown', onKeyDown)
    return () => {
      element.removeEventListener('pointerdown', touch, true)
      element.removeEventListener('focusin', touch)
      document.removeEventListener('keydown', onKeyDown)
      stopDropped()
      if (current === element) current = null
    }
  }, [root])
}
