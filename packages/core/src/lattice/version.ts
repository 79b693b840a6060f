import { invalidArgument } from '../errors.js'

/**
 * A version that somebody else's server gave: a number while JavaScript can count that far, beyond 2^53 its decimal digits
 * padded with zeros to 20 places. Both order rightly in a stamp, where numbers come before strings.
 */
export type Version = number | string

const VERSION_DIGITS = 20
const MAX_VERSION = 2n ** 64n - 1n

/**
 * Brings a version into the form that stamps compare: `7`, `'7'` and `7n` are one version.
 *
 * @throws ParleyError with code `invalid-argument` unless it is an integer from 0 to 2^64 - 1; a number beyond 2^53 is
 * refused too, for its last digits are lost already: pass the digits as a string
 * @example
 * ```ts
 * import { normalizeVersion } from '@parley/core'
 *
 * normalizeVersion('1204353600000000000', 'version') // '01204353600000000000'
 * ```
 */
export function normalizeVersion(version: number | string | bigint, field: string): Version {
  if (typeof version === 'number') {
    if (!Number.isSafeInteger(version) || version < 0) {
      invalidArgument(field, 'an integer from 0 to 2^53 - 1; pass the digits of a larger one as a string')
    }
    return version
  }
  if (typeof version === 'string' && !/^\d{1,20}$/.test(version)) {
    invalidArgument(field, 'an integer from 0 to 2^64 - 1')
  }
  const exact = BigInt(version)
  if (exact < 0n || exact > MAX_VERSION) invalidArgument(field, 'an integer from 0 to 2^64 - 1')
  return exact <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(exact)
    : exact.toString().padStart(VERSION_DIGITS, '0')
}

/** True for the two forms that {@link normalizeVersion} gives. */
export function isVersion(part: unknown): part is Version {
  if (typeof part === 'number') return Number.isSafeInteger(part) && part >= 0
  return typeof part === 'string' && part.length === VERSION_DIGITS && /^\d+$/.test(part)
}
