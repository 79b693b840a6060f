import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react'
import type { ChatMessage } from '../demo/chat/chatMessage.js'
import { createReadPosition, type ReadPosition, type RowsInSight, rowsInSight } from './readPosition.js'

/** What {@link useReadPosition} follows. */
export interface ReadPositionOptions {
  readonly messages: readonly ChatMessage[]
  /** The number of the newest message that was read, here or on another device. */
  readonly readSeq: number
  /** False while there may be messages to come that belong before those that are there. */
  readonly complete: boolean
  /** Called with the place of the last message that was displayed; everything before it was, too. -1 if there is none. */
  readonly onRead: (place: number) => void
  /** Called with the place of the first unread message and the rows in sight. */
  readonly onSight: (firstUnread: number, rows: RowsInSight) => void
}

/**
 * Calls `onRead` as messages are displayed to the user: their rows, marked with `data-seq`, are in sight of the scroller and of
 * the window, and the page is visible and has the focus.
 */
export function useReadPosition(scroller: RefObject<HTMLElement | null>, options: ReadPositionOptions): void {
  const state = useRef(options)
  state.current = options
  const look = useRef((_scrolled: boolean): void => {})

  useEffect(() => {
    let read: ReadPosition = createReadPosition(-1)
    let upToSeq = 0
    look.current = (scrolled) => {
      const { messages, readSeq, complete, onRead, onSight } = state.current
      const element = scroller.current
      const view = element && visiblePart(element)
      if (!view || !complete) return
      const isDisplayed = document.visibilityState === 'visible' && document.hasFocus()
      if (messages.length === 0) {
        if (isDisplayed) onRead(-1)
        return
      }
      const rows = element.querySelectorAll('[data-seq]')
      if (rows.length !== messages.length) return
      upToSeq = Math.max(upToSeq, readSeq)
      // Numbers stay; places move when older messages load above, or when another device read on.
      const after = messages.findIndex(({ messageSeq }) => messageSeq > upToSeq)
      const place = (after < 0 ? messages.length : after) - 1
      if (read.upTo !== place) read = createReadPosition(place)
      const inSight = rowsInSight(rows.length, (at) => (rows[at] as Element).getBoundingClientRect(), view)
      if (!inSight) return
      if (isDisplayed) {
        read.display(inSight, scrolled)
        upToSeq = messages[read.upTo]?.messageSeq ?? upToSeq
        if (read.upTo >= 0) onRead(read.upTo)
      }
      onSight(read.upTo + 1, inSight)
    }
    const onScroll = (): void => look.current(true)
    const onOther = (): void => look.current(false)
    const element = scroller.current
    const sizes = new ResizeObserver(onOther)
    if (element) sizes.observe(element)
    // Of what the scroller lies in, too: it may be scrolled out of sight.
    addEventListener('scroll', onScroll, { capture: true, passive: true })
    addEventListener('focus', onOther)
    document.addEventListener('visibilitychange', onOther)
    return () => {
      sizes.disconnect()
      removeEventListener('scroll', onScroll, { capture: true })
      removeEventListener('focus', onOther)
      document.removeEventListener('visibilitychange', onOther)
    }
  }, [scroller])

  const { messages, complete, readSeq } = options
  useLayoutEffect(() => {
    const frame = requestAnimationFrame(() => look.current(false))
    return () => cancelAnimationFrame(frame)
  }, [messages, complete, readSeq])
}

/** The part of an element that is inside of the window; `null` where less than half of its width is. */
function visiblePart(element: Element): { top: number; bottom: number } | null {
  const { left, right, top, bottom } = element.getBoundingClientRect()
  const width = Math.min(right, innerWidth) - Math.max(left, 0)
  const part = { top: Math.max(top, 0), bottom: Math.min(bottom, innerHeight) }
  return width >= (right - left) / 2 && part.bottom > part.top ? part : null
}
