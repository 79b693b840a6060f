import { HttpError } from './httpError.js'

/** A request's body: an object out of somebody else's JSON. What is `null` is as good as left out. */
export type Body = Readonly<Record<string, unknown>>

const BAD_REQUEST = 400
/** Messages of one request: more than an IM server puts into one. */
export const MAX_MESSAGES = 50_000
/** More than the largest group has. */
const MAX_USERS = 200_000

/** The body of a request, an empty one if there is none. */
export function bodyOf(value: unknown): Body {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) refuse('the body', 'an object')
  return value as Body
}

/** @throws HttpError with status 400 */
export function refuse(field: string, expectation: string): never {
  throw new HttpError(BAD_REQUEST, `${field} must be ${expectation}`)
}

/** A text; nothing is the empty one. */
export function readText(body: Body, name: string): string {
  const value = body[name] ?? ''
  return typeof value === 'string' ? value : refuse(name, 'a string')
}

/** An integer, or its digits; nothing is 0. Beyond what JavaScript counts to it is the greatest number that it does. */
export function readInteger(body: Body, name: string): number {
  const value = body[name] ?? 0
  const number = typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) refuse(name, 'an integer')
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number))
}

/** A list of at most `most` integers; nothing is none. */
export function readIntegers(body: Body, name: string, most: number): number[] {
  return readList(body, name, most).map((value, index) =>
    readInteger({ [`${name}[${index}]`]: value }, `${name}[${index}]`),
  )
}

/** A list of at most `most` texts, or `undefined` if there is none. */
export function readTexts(body: Body, name: string, most = MAX_USERS): string[] | undefined {
  if (body[name] === undefined || body[name] === null) return undefined
  return readList(body, name, most).map((value, index) =>
    typeof value === 'string' && value !== '' ? value : refuse(`${name}[${index}]`, 'a string, not empty'),
  )
}

/** A list of at most `most` entries; nothing is none. */
export function readList(body: Body, name: string, most: number): readonly unknown[] {
  const value = body[name] ?? []
  if (!Array.isArray(value)) refuse(name, 'an array')
  if (value.length > most) refuse(name, `an array of at most ${most} entries, not ${value.length}`)
  return value
}
