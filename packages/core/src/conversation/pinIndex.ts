import { generateKeyBetween } from 'fractional-indexing'

const SUFFIX_ALPHABET = '123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SUFFIX_LENGTH = 3

/** True for what {@link pinIndexBetween} gives and takes. */
export function isPinIndex(index: string): boolean {
  try {
    generateKeyBetween(index, null)
    return true
  } catch {
    return false
  }
}

/**
 * A fractional index between two others, `null` for either end. Random at its end, so that two devices that pin at the same
 * place get different ones, between which a third still fits.
 */
export function pinIndexBetween(before: string | null, after: string | null, random: () => number): string {
  let index = generateKeyBetween(before, after)
  for (let i = 0; i < SUFFIX_LENGTH; i++) {
    index += SUFFIX_ALPHABET[Math.floor(random() * SUFFIX_ALPHABET.length)]
  }
  // A key that `after` begins with cannot be lengthened and stay below it.
  return after !== null && index >= after ? generateKeyBetween(before, after) : index
}
