import { ServerError } from '../errors.js'
import type { ValueScope } from './logStore.js'

/** What the scopes of rooms begin with, encoded. */
const ROOM_SCOPE = encodeURIComponent('room:')

/** 2^53 - 1 has 14 hexadecimal digits; padded, keys sort as their numbers do. */
const VERSION_DIGITS = 14

/**
 * Where the things of a room lie in LevelDB. `/` cannot occur in an encoded name, so no room's keys begin with those of another.
 *
 * A class, as there is one for each row that is written, which needs two of its keys.
 */
export class RoomKeys {
  /** The room's numbers, as JSON. */
  readonly meta: string
  private readonly name: string

  /** Any well-formed string is a name. */
  constructor(room: string) {
    this.name = encodeName(room)
    this.meta = `meta/${this.name}`
  }

  row(version: number): string {
    return `row/${this.name}/${digits(version)}`
  }

  /** By its version, so that one which an interrupted repair brought back is not taken for the last one. */
  snapshot(version: number): string {
    return `snapshot/${this.name}/${digits(version)}`
  }

  /** As {@link valueKey} has it for the values of the room. */
  value(name: string): string {
    return `value/${ROOM_SCOPE}${this.name}/${encodeName(name)}`
  }

  /** Where what cannot be used of a version is kept: a row, a snapshot, or the room's numbers. */
  quarantined(version: number, part?: 'snapshot' | 'numbers'): string {
    return `quarantined/${this.name}/${digits(version)}${part ? `.${part}` : ''}`
  }

  /** All rows after a version. */
  rowsAfter(version: number): { gt: string; lt: string } {
    return { gt: this.row(version), lt: `row/${this.name}0` }
  }

  /** All rows up to and including a version. */
  rowsThrough(version: number): { gte: string; lte: string } {
    return { gte: `row/${this.name}/`, lte: this.row(version) }
  }

  get allRows(): KeyRange {
    return under(`row/${this.name}`)
  }

  get allSnapshots(): KeyRange {
    return under(`snapshot/${this.name}`)
  }

  get allQuarantined(): KeyRange {
    return under(`quarantined/${this.name}`)
  }
}

/** Keys from one on, up to another one that is not among them. */
export interface KeyRange {
  readonly gte: string
  readonly lt: string
}

/** The key of the number that says how everything else is to be read. */
export const FORMAT_KEY = 'format'
/** Written over and over to see if the disk takes writes. */
export const CHECK_KEY = 'check'
/** The kind of the keys that name the ranges of which files may hold what was deleted or replaced. */
const UNERASED = 'unerased'
export const ALL_UNERASED: KeyRange = { gte: `${UNERASED}/`, lt: `${UNERASED}0` }
/** The key of a value beside the logs. */
export function valueKey(scope: ValueScope, name: string): string {
  return `value/${encodeName(scope)}/${encodeName(name)}`
}

/** All values of a scope. */
export function valuesOf(scope: ValueScope): KeyRange {
  return under(`value/${encodeName(scope)}`)
}

/** The values of a scope whose names begin alike. */
export function valuesFrom(scope: ValueScope, prefix: string): KeyRange {
  const gte = valueKey(scope, prefix)
  // `~` is the greatest character of an encoded name.
  return { gte, lt: `${gte}\x7f` }
}

/** The name at the end of a value's key. */
export function valueName(key: string): string {
  return decodeURIComponent(key.slice(key.lastIndexOf('/') + 1))
}

/** Who a key belongs to, encoded; `null` for one that belongs to nobody. */
export function ownerOfKey(key: string): string | null {
  const from = key.indexOf('/') + 1
  if (from === 0) return null
  const to = key.indexOf('/', from)
  if (to === -1) return key.startsWith('meta/') ? key.slice(from) : null
  return key.slice(from, to)
}

/** An encoded owner as it is called: a room or a scope. */
export function decodeOwner(owner: string): string {
  return decodeURIComponent(owner)
}

/** All keys of a kind that belong to an encoded owner. */
export function ownerRange(kind: string, owner: string): KeyRange {
  const key = `${kind}/${owner}`
  return kind === 'meta' ? { gte: key, lt: `${key}\0` } : under(key)
}

/**
 * How a range of keys of one kind and owner is named, by one of its keys; `null` where there is nothing to be named: the
 * numbers of rooms, and keys that belong to nobody.
 */
export function rangeNameOf(key: string): string | null {
  const to = key.indexOf('/', key.indexOf('/') + 1)
  return to === -1 ? null : key.slice(0, to)
}

/** The key by which a range is among {@link ALL_UNERASED}. */
export function unerasedKey(rangeName: string): string {
  return `${UNERASED}/${rangeName}`
}

/** The name of the range that such a key is for. */
export function unerasedName(key: string): string {
  return key.slice(UNERASED.length + 1)
}

/** All keys of a kind, or of a range by its name. */
export function rangeOf(name: string): KeyRange {
  return under(name)
}

/** The version at the end of the key of a row, a snapshot, or what is in quarantine. */
export function versionOf(key: string): number {
  const from = key.lastIndexOf('/') + 1
  return Number.parseInt(key.slice(from, from + VERSION_DIGITS), 16)
}

/** What begins with a prefix and a slash: `0` comes after it. */
function under(prefix: string): KeyRange {
  return { gte: `${prefix}/`, lt: `${prefix}0` }
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
