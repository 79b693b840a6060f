/** The members of a foreign error object that name its cause. Any other member may hold a token, so none is written out. */
const TEXTS = ['message', 'msg', 'localizedDescription', 'reason', 'error', 'errorMessage'] as const
const CODES = ['code', 'status', 'statusCode', 'domain', 'name'] as const

/** The longest description, in characters: an error may carry a whole page of HTML. */
const MAX_LENGTH = 300

/**
 * Describes an error of an app's provider in one line, whatever was thrown or passed: an `Error`, a text, a number, or an
 * object such as the JSON of an error response. Of objects only the members that name the cause are written out.
 */
export function describeError(error: unknown): string {
  const text = describe(error)
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}...` : text
}

function describe(error: unknown): string {
  if (error instanceof Error) return error.message || error.name
  if (typeof error !== 'object' || error === null) return String(error)
  const members = error as Readonly<Record<string, unknown>>
  const text = TEXTS.map((name) => members[name]).find(isText)
  const codes = CODES.filter((name) => isText(members[name]) || typeof members[name] === 'number').map(
    (name) => `${name} ${String(members[name])}`,
  )
  if (text !== undefined) return codes.length > 0 ? `${text} (${codes.join(', ')})` : text
  if (codes.length > 0) return codes.join(', ')
  const names = Object.keys(members)
  return names.length > 0 ? `an object with the members ${names.join(', ')}` : 'an object without members'
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
