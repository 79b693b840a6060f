import type { ConversationRow } from '../conversation/conversation.js'
import { compareText } from '../lattice/stamp.js'

/** The order of a conversation list: pinned ones by their index, then the others, the newest activity first. */
export function compareRows(a: ConversationRow, b: ConversationRow): number {
  if (a.pin !== null || b.pin !== null) {
    if (a.pin === null) return 1
    if (b.pin === null) return -1
    return compareText(a.pin, b.pin) || compareText(a.key, b.key)
  }
  return b.activeAt - a.activeAt || compareText(a.key, b.key)
}

/** Where `row` stands, or would stand, in rows that are in order. */
export function findPlace(rows: readonly ConversationRow[], row: ConversationRow): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareRows(rows[middle] as ConversationRow, row) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** A change of one row: `null` where it was not, or is not any more. */
export interface RowChange {
  readonly before: ConversationRow | null
  readonly after: ConversationRow | null
}

/** Beyond this share of changed rows, sorting all again is cheaper than moving each. */
const RESORT_SHARE = 1 / 16

/** Brings rows up to date in place. */
export function updateRows(rows: ConversationRow[], changes: readonly RowChange[]): void {
  if (changes.length > 8 && changes.length > rows.length * RESORT_SHARE) {
    const gone = new Set(changes.map(({ before }) => before))
    const kept = rows.filter((row) => !gone.has(row))
    for (const { after } of changes) if (after) kept.push(after)
    kept.sort(compareRows)
    rows.length = 0
    for (const row of kept) rows.push(row)
    return
  }
  const arriving: ConversationRow[] = []
  for (const { before, after } of changes) {
    const place = before ? findPlace(rows, before) : -1
    const known = before !== null && rows[place] === before
    // Most changes leave a row where it is, and moving thousands of others twice costs more than all the rest.
    if (known && after && compareRows(before, after) === 0) rows[place] = after
    else {
      if (known) rows.splice(place, 1)
      if (after) arriving.push(after)
    }
  }
  for (const row of arriving) rows.splice(findPlace(rows, row), 0, row)
}
