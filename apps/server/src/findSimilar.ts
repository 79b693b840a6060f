/** So many letters may differ for a word to be taken for another one that was mistyped. */
const MAX_DISTANCE = 2

/** The one of some words that another one is most like; `null` if it is like none. */
export function findSimilar(word: string, words: readonly string[]): string | null {
  const [nearest] = words
    .map((one) => ({ one, distance: distanceOf(word, one) }))
    .filter(({ one, distance }) => distance <= MAX_DISTANCE && distance < one.length)
    .sort((a, b) => a.distance - b.distance)
  return nearest?.one ?? null
}

/** How many letters must be put in, taken out, replaced or swapped with the next one to get from one word to another. */
function distanceOf(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, n) => n)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= a.length; i++) {
    rows.push([i])
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped))
    }
  }
  return at(a.length, b.length)
}
