import {
  type Json,
  MAX_ID_LENGTH,
  MAX_MESSAGE_SEQ,
  normalizeVersion,
  ParleyError,
  type Version,
} from '@parley/core'

/** An object from outside: JSON, or a model object of an SDK. */
export type Fields = Readonly<Record<string, unknown>>

// Each reader names the member as the input has it, so that whoever made the input finds it. `null` is as good as nothing
// everywhere: servers written in Go and Java send it for what they do not know.

/** @throws ParleyError with code `invalid-argument` */
export function refuse(field: string, expectation: string): never {
  throw new ParleyError('invalid-argument', `${field} must be ${expectation}`, { field })
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function readFields(value: unknown, field: string): Fields {
  return isFields(value) ? value : refuse(field, 'an object')
}

/** The first of several names that has a value: the wire's own, and those of the SDKs' models. */
export function member(source: Fields, ...names: string[]): unknown {
  for (const name of names) {
    const value = source[name]
    if (value !== undefined && value !== null) return value
  }
  return undefined
}

export function readArray(value: unknown, field: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : refuse(field, 'an array')
}

export function readText(value: unknown, field: string, fallback = ''): string {
  if (value === undefined || value === null) return fallback
  return typeof value === 'string' ? value : refuse(field, 'a string')
}

export function readId(value: unknown, field: string): string {
  const id = readText(value, field)
  return id === '' || id.length > MAX_ID_LENGTH
    ? refuse(field, `a string of 1 to ${MAX_ID_LENGTH} characters`)
    : id
}

/** An integer; a string of digits is taken too, for some servers quote them. Nothing is 0. */
export function readInteger(value: unknown, field: string, least = 0, most = MAX_MESSAGE_SEQ): number {
  if (value === undefined || value === null) return 0
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value
  if (typeof number === 'bigint') return readInteger(Number(number), field, least, most)
  if (typeof number !== 'number' || !Number.isInteger(number) || number < least || number > most) {
    refuse(field, `an integer from ${least} to ${most}`)
  }
  return number
}

/** WuKongIM's booleans are 0 and 1; what is left out is 0. */
export function readFlag(value: unknown, field: string): boolean {
  if (value === undefined || value === null || value === 0 || value === false || value === '') return false
  return value === 1 || value === true ? true : refuse(field, '0 or 1')
}

/**
 * A version, however it is written. What is none counts as 0, which asks for everything: iOS keeps an empty text where it
 * has no version. A number beyond 2^53 that was parsed by `JSON.parse` is taken for the integer it is now.
 */
export function readVersion(value: unknown): Version {
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value < 1) return 0
    const whole = BigInt(Math.trunc(value))
    return whole > MAX_VERSION ? 0 : normalizeVersion(whole, 'version')
  }
  if (typeof value === 'bigint')
    return value < 0n || value > MAX_VERSION ? 0 : normalizeVersion(value, 'version')
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value) || BigInt(value) > MAX_VERSION) return 0
  return normalizeVersion(value, 'version')
}

const MAX_VERSION = 2n ** 64n - 1n

/** A version as a number. Beyond 2^53 the last digits may be lost, and the result is never above the version. */
export function versionNumber(version: Version): number {
  if (typeof version === 'number') return version
  const exact = BigInt(version)
  const rounded = Number(exact)
  return BigInt(rounded) <= exact ? rounded : nextBelow(rounded)
}

function nextBelow(value: number): number {
  let step = 1
  while (value - step === value) step *= 2
  return value - step
}

/** A version as its digits, without padding. */
export function versionDigits(version: Version): string {
  return BigInt(version).toString()
}

/** Any value as JSON can say it: big integers as their digits, what cannot be said left out. */
export function toJson(value: unknown): Json {
  return value === undefined
    ? null
    : (JSON.parse(
        JSON.stringify(value, (_, inner: unknown) =>
          typeof inner === 'bigint' ? inner.toString() : inner,
        ) ?? 'null',
      ) as Json)
}
