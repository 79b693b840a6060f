import { type Json, ParleyError } from '@parley/core'
import { parse } from 'lossless-json'

/** A run of so many digits may be more than JavaScript counts to. */
const LONG_RUN = 16

/**
 * Parses JSON in which integers may be larger than JavaScript counts: those come out as strings of their digits, all other
 * numbers as numbers. Message ids of 64 bits and versions in nanoseconds keep their last digits that way. Takes time in
 * proportion to the length of the text. Of two members with one name the last counts, as with `JSON.parse`.
 *
 * @throws ParleyError with code `invalid-argument` that says where the text is no JSON, or that it is nested too deeply: several
 *   thousand levels
 * @example
 * ```ts
 * import { parseExactJson } from '@parley/wukong'
 *
 * parseExactJson('{"message_id":1000000000000016644,"message_seq":7}') // { message_id: '1000000000000016644', message_seq: 7 }
 * ```
 */
export function parseExactJson(text: string, field = 'The text'): Json {
  try {
    // JSON.parse is three times as fast, and most texts hold no long integer.
    if (!hasLongRun(text)) return JSON.parse(text) as Json
    return parse(text, undefined, { parseNumber, onDuplicateKey: takeLast }) as Json
  } catch (cause) {
    // The library recurses, and the stack ends.
    const isDeep = cause instanceof RangeError
    const why = isDeep ? 'it is nested too deeply' : cause instanceof Error ? cause.message : String(cause)
    throw new ParleyError('invalid-argument', `${field} must be JSON: ${why}`, { field, cause })
  }
}

function parseNumber(token: string): number | string {
  const number = Number(token)
  return !Number.isSafeInteger(number) && INTEGER.test(token) ? token : number
}

const INTEGER = /^-?\d+$/

function takeLast({ newValue }: { readonly newValue: unknown }): unknown {
  return newValue
}

/**
 * True if a text holds a run of {@link LONG_RUN} digits. Of those one stands at a multiple of that, so only there is looked:
 * bodies of syncs are long, and a regular expression takes as long as the rest of parsing them.
 */
function hasLongRun(text: string): boolean {
  for (let at = LONG_RUN - 1; at < text.length; at += LONG_RUN) {
    if (!isDigit(text.charCodeAt(at))) continue
    let first = at
    while (isDigit(text.charCodeAt(first - 1))) first--
    let end = at + 1
    while (isDigit(text.charCodeAt(end))) end++
    if (end - first >= LONG_RUN) return true
  }
  return false
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

// Unguessable, so that no text of a user is taken for a number.
const MARK = `@${Math.random().toString(36).slice(2)}@`
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g')

/** An integer beyond 2^53, which {@link stringifyExactJson} writes with all its digits. */
export class ExactInteger {
  readonly digits: string

  constructor(digits: string) {
    this.digits = digits
  }

  toJSON(): string {
    return MARK + this.digits
  }
}

/** An integer as JSON is to have it: a number while that is exact. */
export function exactInteger(value: number | string | bigint): number | ExactInteger {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : new ExactInteger(BigInt(value).toString())
}

/**
 * Writes JSON, {@link ExactInteger}s as the numbers they stand for.
 *
 * @example
 * ```ts
 * import { exactInteger, stringifyExactJson } from '@parley/wukong'
 *
 * stringifyExactJson({ message_id: exactInteger('1000000000000016644') }) // '{"message_id":1000000000000016644}'
 * ```
 */
export function stringifyExactJson(value: unknown): string {
  const text = JSON.stringify(value)
  return text.includes(MARK) ? text.replace(MARKED, '$1') : text
}
