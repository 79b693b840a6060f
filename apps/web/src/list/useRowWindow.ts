import type { ListWindow } from '@parley/core'
import { type RefObject, useLayoutEffect, useState } from 'react'

/** Rows are brought in and dropped in steps of this many, so that most scrolling renders nothing. */
const STEP = 10

/** The part of a long list to render: what is in sight, and a step more on each side. */
export function rowWindow(scrollTop: number, height: number, rowHeight: number): ListWindow {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight / STEP) * STEP
  const shown = Math.ceil(height / rowHeight / STEP) * STEP
  const offset = Math.max(0, first - STEP)
  return { offset, limit: first - offset + shown + 2 * STEP }
}

/** Follows what is in sight of a scrolling element with rows of one height. */
export function useRowWindow(scroller: RefObject<HTMLElement | null>, rowHeight: number): ListWindow {
  const [window, setWindow] = useState<ListWindow>({ offset: 0, limit: 3 * STEP })
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const update = (): void => {
      const next = rowWindow(element.scrollTop, element.clientHeight, rowHeight)
      setWindow((known) => (known.offset === next.offset && known.limit === next.limit ? known : next))
    }
    update()
    element.addEventListener('scroll', update, { passive: true })
    const sizes = new ResizeObserver(update)
    sizes.observe(element)
    return () => {
      element.removeEventListener('scroll', update)
      sizes.disconnect()
    }
  }, [scroller, rowHeight])
  return window
}
