/** One place of a stamp. */
export type StampPart = number | string

/** What orders the entries of a register: compared place by place, numbers before strings, a prefix first. */
export type Stamp = readonly StampPart[]

/**
 * The one order of stamps, the same on every device and for ever. Nothing local takes part in it, the clock least of all:
 * an order that depended on the time made two devices delete each other's winner.
 *
 * @returns a negative number if `a` comes first, a positive one if `b` does, 0 if they are the same
 */
export function compareStamps(a: Stamp, b: Stamp): number {
  const shared = Math.min(a.length, b.length)
  for (let place = 0; place < shared; place++) {
    const order = compareParts(a[place] as StampPart, b[place] as StampPart)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareParts(a: StampPart, b: StampPart): number {
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0
  return typeof a === 'number' ? -1 : 1
}

/** Orders text by UTF-16 code units, as JavaScript's `<` does and no locale can change. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
