import { ServerError } from '../errors.js'
import type { ValueScope } from './logStore.js'

/** 2^53 - 1 has 14 hexadecimal digits; padded, keys sort as their numbers do. */
const VERSION_DIGITS = 14

/** Where things lie in LevelDB. `/` cannot occur in an encoded name, so no room's keys begin with those of another. */
export interface RoomKeys {
  /** The room's numbers, as JSON. */
  readonly meta: string
  readonly snapshot: string
  readonly row: (version: number) => string
  readonly quarantined: (version: number) => string
  /** All rows after a version. */
  readonly rowsAfter: (version: number) => { gt: string; lt: string }
  /** All rows up to and including a version. */
  readonly rowsThrough: (version: number) => { gte: string; lte: string }
  readonly allRows: { gte: string; lt: string }
  readonly allQuarantined: { gte: string; lt: string }
}

/** The key of the number that says how everything else is to be read. */
export const FORMAT_KEY = 'format'
/** Written over and over to see if the disk takes writes. */
export const CHECK_KEY = 'check'
/** All keys that hold a room's numbers. */
export const ALL_META = { gte: 'meta/', lt: 'meta0' }

/** The keys of a room. Any well-formed string is a name. */
export function roomKeys(room: string): RoomKeys {
  const name = encodeName(room)
  const row = (version: number): string => `row/${name}/${digits(version)}`
  return {
    meta: `meta/${name}`,
    snapshot: `snapshot/${name}`,
    row,
    quarantined: (version) => `quarantined/${name}/${digits(version)}`,
    rowsAfter: (version) => ({ gt: row(version), lt: `row/${name}0` }),
    rowsThrough: (version) => ({ gte: `row/${name}/`, lte: row(version) }),
    allRows: { gte: `row/${name}/`, lt: `row/${name}0` },
    allQuarantined: { gte: `quarantined/${name}/`, lt: `quarantined/${name}0` },
  }
}

/** The key of a value beside the logs. */
export function valueKey(scope: ValueScope, name: string): string {
  return `value/${encodeName(scope)}/${encodeName(name)}`
}

/** All values of a scope. */
export function valuesOf(scope: ValueScope): { gte: string; lt: string } {
  return { gte: `value/${encodeName(scope)}/`, lt: `value/${encodeName(scope)}0` }
}

/** The values of a scope whose names begin alike. */
export function valuesFrom(scope: ValueScope, prefix: string): { gte: string; lt: string } {
  const gte = valueKey(scope, prefix)
  // `~` is the greatest character of an encoded name.
  return { gte, lt: `${gte}\x7f` }
}

/** The name at the end of a value's key. */
export function valueName(key: string): string {
  return decodeURIComponent(key.slice(key.lastIndexOf('/') + 1))
}

/** The room of a key that holds a room's numbers. */
export function roomOfMeta(key: string): string {
  return decodeURIComponent(key.slice(ALL_META.gte.length))
}

/** The version at the end of a row's key. */
export function versionOf(key: string): number {
  return Number.parseInt(key.slice(-VERSION_DIGITS), 16)
}

function digits(version: number): string {
  return version.toString(16).padStart(VERSION_DIGITS, '0')
}

function encodeName(room: string): string {
  try {
    return encodeURIComponent(room)
  } catch (cause) {
    throw new ServerError('invalid-argument', 'A room name must be a well-formed string', { cause })
  }
}
