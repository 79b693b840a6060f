import { invalidArgument, ParleyError } from '../errors.js'

/** Values nested deeper than this are refused when they are written. */
const MAX_VALUE_DEPTH = 32
/** The longest JSON text of one value, in UTF-16 code units: a message payload, an attribute, what was sent. */
export const MAX_VALUE_LENGTH = 64 * 1024

/** Refuses a value that is JSON, and longer or deeper than a value may be. */
export class ValueTooLarge extends ParleyError {
  constructor(field: string, expectation: string) {
    super('invalid-argument', `${field} must be ${expectation}`, { field })
  }
}

/**
 * Writes a value as JSON with the names of objects sorted, so that every device writes the same value as the same text and
 * ties between equal stamps break the same way everywhere. Lone surrogates come out as escapes, members that are
 * `undefined` are left out, `Date` and the like as their `toJSON` says.
 *
 * @param field names the value in the error
 * @throws ParleyError with code `invalid-argument` if the value is no JSON, too deep, or longer than {@link MAX_VALUE_LENGTH}
 */
export function canonicalJson(value: unknown, field: string): string {
  const text = canonicalText(value, field)
  if (text.length > MAX_VALUE_LENGTH) {
    throw new ValueTooLarge(field, `at most ${MAX_VALUE_LENGTH} characters of JSON; it has ${text.length}`)
  }
  return text
}

/** Writes a value as {@link canonicalJson} does, however long it is. */
export function canonicalText(value: unknown, field: string): string {
  return write(value, field, MAX_VALUE_DEPTH) ?? invalidArgument(field, 'a JSON value, not undefined')
}

function write(value: unknown, field: string, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) invalidArgument(field, 'a finite number')
      return JSON.stringify(value)
    case 'undefined':
      return undefined
    case 'object':
      if (value === null) return 'null'
      if (depth === 0) throw new ValueTooLarge(field, `JSON nested at most ${MAX_VALUE_DEPTH} deep`)
      return writeObject(value, field, depth - 1)
    default:
      return invalidArgument(field, `a JSON value, not a ${typeof value}`)
  }
}

function writeObject(value: object, field: string, depth: number): string | undefined {
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), field, depth)
  if (Array.isArray(value)) {
    // Not `map`, which leaves out what was never set.
    return `[${Array.from(value, (element, index) => write(element, `${field}[${index}]`, depth) ?? 'null').join(',')}]`
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    invalidArgument(field, 'a plain object')
  }
  const members: string[] = []
  for (const name of Object.keys(value).sort()) {
    const text = write((value as Record<string, unknown>)[name], `${field}.${name}`, depth)
    if (text !== undefined) members.push(`${JSON.stringify(name)}:${text}`)
  }
  return `{${members.join(',')}}`
}
