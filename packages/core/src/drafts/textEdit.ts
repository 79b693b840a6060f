import * as Y from 'yjs'
import { invalidArgument, ParleyError } from '../errors.js'
import { splitsPair, type TextEdit } from './smallestEdit.js'

/**
 * The longest draft, in UTF-16 code units; an embed counts as one. A text that is longer is rejected with code
 * `draft-too-long` and never cut.
 */
export const MAX_DRAFT_LENGTH = 2 ** 20

const LONE_SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Replaces halves of surrogate pairs, which no encoding carries. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATES, '\ufffd')
}

/** @throws ParleyError with code `draft-too-long` for a length above {@link MAX_DRAFT_LENGTH} */
export function checkDraftLength(length: number): void {
  if (length <= MAX_DRAFT_LENGTH) return
  throw new ParleyError(
    'draft-too-long',
    `text must be at most ${MAX_DRAFT_LENGTH} characters; it would have ${length}. Nothing was changed: shorten the text, or attach it as a file`,
    { field: 'text' },
  )
}

/**
 * Checks an edit against the text it is meant for.
 *
 * @throws ParleyError with code `invalid-argument` for a place outside of the text or inside of a surrogate pair,
 * `draft-too-long` if the text would become too long
 */
export function checkEdit(text: string, { index, remove, insert }: TextEdit): void {
  if (!Number.isInteger(index) || index < 0 || index > text.length) {
    invalidArgument('edit.index', `an integer from 0 to the length of the text, ${text.length}`)
  }
  if (!Number.isInteger(remove) || remove < 0 || index + remove > text.length) {
    invalidArgument('edit.remove', `an integer from 0 to what follows edit.index, ${text.length - index}`)
  }
  if (typeof insert !== 'string') invalidArgument('edit.insert', 'a string')
  if (splitsPair(text, index)) invalidArgument('edit.index', 'outside of a surrogate pair')
  if (splitsPair(text, index + remove))
    invalidArgument('edit.remove', 'such that it ends outside of a surrogate pair')
  if (insert.length > remove) checkDraftLength(text.length - remove + insert.length)
}

/**
 * Applies an edit to a Yjs text; call it inside of a transaction. The edit counts characters, as the plain text does; embeds
 * between them stay. What is inserted goes behind the embeds at its place.
 */
export function applyEdit(text: Y.Text, { index, remove, insert }: TextEdit): void {
  const { place, removals } = locate(text, index, remove)
  for (const { from, length } of removals.reverse()) text.delete(from, length)
  if (insert !== '') text.insert(place, insert)
}

/** Finds characters by their number among the characters, as places of the Yjs text, where embeds count as well. */
function locate(text: Y.Text, index: number, remove: number) {
  const removals: Array<{ from: number; length: number }> = []
  let place = text.length
  let characters = 0
  let from = 0
  for (let item = text._start; item && characters <= index + remove; item = item.right) {
    if (item.deleted || !item.countable) continue
    if (item.content instanceof Y.ContentString) {
      const end = characters + item.length
      if (place === text.length && index < end && index >= characters) place = from + index - characters
      const first = Math.max(index, characters)
      const length = Math.min(index + remove, end) - first
      if (length > 0) removals.push({ from: from + first - characters, length })
      characters = end
    }
    from += item.length
  }
  return { place, removals }
}
