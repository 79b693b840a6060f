import type { Page } from 'playwright-core'

/** The widths that every view is measured at, in CSS pixels. */
export const WIDTHS = [320, 360, 800, 1440] as const

/**
 * Names the elements that reach beyond the left or right side of the window. The width of the document says nothing: `body`
 * hides what overflows. The two devices, which are scrolled sideways, and lines that end in an ellipsis may be wider.
 */
export function elementsOutside(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const isReachable = (element: Element): boolean => {
      for (let box = element.parentElement; box; box = box.parentElement) {
        // Only the two devices are meant to be scrolled sideways; any box that scrolls downwards could be as well.
        if (box.matches('.devices__table')) return true
        if (getComputedStyle(box).textOverflow === 'ellipsis') return true
      }
      return false
    }
    return [...document.body.querySelectorAll('*')]
      .filter((element) => {
        const { left, right, width, height } = element.getBoundingClientRect()
        if (width === 0 || height === 0 || element.closest('.visually-hidden')) return false
        return (left < -0.5 || right > innerWidth + 0.5) && !isReachable(element)
      })
      .map((element) => {
        const { left, right } = element.getBoundingClientRect()
        return `${element.tagName} ${element.getAttribute('class') ?? ''}: ${left} to ${right} of ${innerWidth}`
      })
  })
}
