/** The rows in sight, by their places in the list of messages: the first and the last, both included. */
export interface RowsInSight {
  readonly first: number
  readonly last: number
}

/** Follows how far the messages of a conversation were displayed. Places count from 0, the oldest message. */
export interface ReadPosition {
  /** The place up to which everything was displayed; -1 if nothing was. */
  readonly upTo: number
  /**
   * Notes what is in sight.
   *
   * @param scrolled true if the user scrolled to it; false if it was there from the start, or came into sight by itself
   */
  display: (rows: RowsInSight, scrolled: boolean) => void
}

/**
 * Creates a {@link ReadPosition} of a list in which everything up to the place `upTo` was read before.
 *
 * It moves on to what is in sight if nothing unread lies above that, and as far as the user scrolls down from there. A newest
 * message that is in sight because the list rests at its end says nothing of those above it.
 *
 * @example
 * ```ts
 * const position = createReadPosition(9)
 * position.display({ first: 990, last: 999 }, false) // opened at the end: 980 messages were never in sight
 * position.upTo // 9
 * position.display({ first: 8, last: 17 }, true)
 * position.upTo // 17
 * ```
 */
export function createReadPosition(upTo: number): ReadPosition {
  let position = upTo
  /** True while the rows in sight adjoin what was read. */
  let adjoins = false
  return {
    get upTo() {
      return position
    },
    display({ first, last }, scrolled) {
      adjoins = first <= position + 1 || (adjoins && scrolled)
      if (adjoins) position = Math.max(position, last)
    },
  }
}

/** What {@link rowsInSight} needs of an element. */
export interface Box {
  readonly top: number
  readonly bottom: number
}

/**
 * Finds the rows that are in sight, from the top of which at least half is. Rows are in order; each box is measured only when
 * the search comes by it.
 *
 * @returns null if no row is in sight
 */
export function rowsInSight(count: number, boxOf: (place: number) => Box, view: Box): RowsInSight | null {
  const first = firstPlace(count, (place) => boxOf(place).bottom > view.top)
  const after = firstPlace(count, (place) => {
    const { top, bottom } = boxOf(place)
    // Of a message that is higher than the window, half of the window.
    return top + Math.min((bottom - top) / 2, (view.bottom - view.top) / 2) > view.bottom
  })
  return first < after ? { first, last: after - 1 } : null
}

/** The first place at which a condition holds that holds at all later ones; `count` if there is none. */
function firstPlace(count: number, holds: (place: number) => boolean): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
