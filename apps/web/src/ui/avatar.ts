/** One or two letters for a name: of its first and last word, or its first two. */
export function initials(name: string): string {
  const words = name.split(/[\s_|\-.]+/u).map((word) => word.replace(/[^\p{L}\p{N}]/gu, ''))
  const [first, ...rest] = words.filter((word) => word !== '')
  if (first === undefined) return '#'
  const last = rest.at(-1)
  const letters = [...first]
  const second =
    last && /^\p{L}/u.test(last) ? [...last][0] : letters.slice(1).find((letter) => /\p{L}/u.test(letter))
  return `${letters[0]}${second ?? ''}`.toLocaleUpperCase()
}

/** The colour of a name: an angle on the colour wheel, the same everywhere. */
export function hueOf(name: string): number {
  let hash = 0
  for (const letter of name) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) >>> 0
  // Spread: names that differ in one letter should not look alike.
  return Math.round((hash * 137.508) % 360)
}
