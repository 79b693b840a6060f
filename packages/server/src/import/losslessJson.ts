import { type Json, ParleyError } from '@parley/core'
import { parse } from 'lossless-json'

/**
 * Parses JSON in which integers may be larger than JavaScript counts: those come out as strings of their digits, all other
 * numbers as numbers. Ids of 64 bits and versions in nanoseconds keep their last digits that way.
 *
 * @throws ParleyError with code `invalid-argument` that says where the text is no JSON
 */
export function parseLosslessJson(text: string, field: string): Json {
  try {
    return parse(text, null, readNumber) as Json
  } catch (cause) {
    // A RangeError if it nests so deep that the parser runs out of stack.
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ParleyError('invalid-argument', `${field} must be JSON: ${why}`, { field, cause })
  }
}

function readNumber(digits: string): number | string {
  const number = Number(digits)
  return Number.isInteger(number) && !Number.isSafeInteger(number) && /^-?\d+$/.test(digits) ? digits : number
}
