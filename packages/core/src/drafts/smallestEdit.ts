/** A replacement of `remove` code units at `index` by `insert`. */
export interface TextEdit {
  readonly index: number
  readonly remove: number
  readonly insert: string
}

/**
 * The smallest single replacement that turns one text into another, so that characters typed elsewhere at the same time
 * stay. Surrogate pairs are kept whole: an edit that splits an emoji makes the text differ between devices.
 *
 * @param caret where the caret stands in the new text; it tells which of several equal letters was typed
 * @returns `null` if the texts are the same
 * @example
 * ```ts
 * import { smallestEdit } from '@parley/core'
 *
 * smallestEdit('hello', 'hello there') // { index: 5, remove: 0, insert: ' there' }
 * ```
 */
export function smallestEdit(from: string, to: string, caret?: number): TextEdit | null {
  if (from === to) return null
  const shorter = Math.min(from.length, to.length)
  const maxSuffix = caret === undefined ? 0 : Math.min(shorter, Math.max(0, to.length - caret))
  // What stands behind the caret was not typed just now, so it is matched first.
  let suffix = commonSuffix(from, to, maxSuffix)
  let prefix = commonPrefix(from, to, shorter - suffix)
  suffix = commonSuffix(from, to, shorter - prefix)
  while (splitsPair(from, prefix) || splitsPair(to, prefix)) prefix--
  while (splitsPair(from, from.length - suffix) || splitsPair(to, to.length - suffix)) suffix--
  return {
    index: prefix,
    remove: from.length - prefix - suffix,
    insert: to.slice(prefix, to.length - suffix),
  }
}

function commonPrefix(a: string, b: string, limit: number): number {
  let length = 0
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

function commonSuffix(a: string, b: string, limit: number): number {
  let length = 0
  while (length < limit && a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length))
    length++
  return length
}

/** True if `index` lies between the two halves of a surrogate pair. */
export function splitsPair(text: string, index: number): boolean {
  if (index <= 0 || index >= text.length) return false
  return (text.charCodeAt(index - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(index) & 0xfc00) === 0xdc00
}
