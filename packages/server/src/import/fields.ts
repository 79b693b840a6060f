import { type Json, ParleyError } from '@parley/core'

/** An object out of somebody else's JSON. */
export type JsonObject = { readonly [name: string]: Json }

// Each reader names the member as the input has it, so that whoever made the input finds it.

/** @throws ParleyError with code `invalid-argument` */
export function refuse(field: string, expectation: string): never {
  throw new ParleyError('invalid-argument', `${field} must be ${expectation}`, { field })
}

export function readObject(value: Json | undefined, field: string): JsonObject {
  if (!isObject(value)) refuse(field, 'an object')
  return value
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function readArray(value: Json | undefined, field: string): readonly Json[] {
  if (!Array.isArray(value)) refuse(field, 'an array')
  return value
}

export function readInteger(value: Json | undefined, field: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    refuse(field, `an integer from ${least} to ${most}`)
  }
  return value
}

export function readText(value: Json | undefined, field: string): string {
  if (typeof value !== 'string') refuse(field, 'a string')
  return value
}

const MAX_ID_LENGTH = 200

export function readId(value: Json | undefined, field: string): string {
  const id = readText(value, field)
  if (id === '' || id.length > MAX_ID_LENGTH) refuse(field, `a string of 1 to ${MAX_ID_LENGTH} characters`)
  return id
}

/** An integer of up to 64 bits: a number, or the string of digits that a larger one came out of the parser as. */
export function readVersion(value: Json | undefined, field: string): number | string {
  if (value === undefined) return 0
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return value
  refuse(field, 'an integer from 0 to 2^64 - 1')
}

/** WuKongIM's booleans are 0 and 1; what is left out is 0. */
export function readFlag(value: Json | undefined, field: string): boolean {
  if (value === undefined || value === 0 || value === false) return false
  if (value === 1 || value === true) return true
  refuse(field, '0 or 1')
}
