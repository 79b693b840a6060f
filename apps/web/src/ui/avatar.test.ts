import { describe, expect, it } from 'vitest'
import { hueOf, initials } from './avatar.js'

describe('initials', () => {
  it.each([
    ['Jack_Sparrow', 'JS'],
    ['Amara Abara', 'AA'],
    ['[-Haza-]', 'HA'],
    ['bob__', 'BO'],
    ['x', 'X'],
    ['nerdsquad3210', 'NE'],
    ['Noor Okafor 2', 'NO'],
    ['Émile Zola', 'ÉZ'],
    ['|||', '#'],
  ])('of %s are %s', (name, expected) => {
    expect(initials(name)).toBe(expected)
  })
})

it('hueOf is an angle, and differs between names that are alike', () => {
  const hues = ['anna', 'annb', 'annc'].map(hueOf)
  expect(new Set(hues).size).toBe(3)
  for (const hue of hues) expect(hue).toBeGreaterThanOrEqual(0)
  for (const hue of hues) expect(hue).toBeLessThanOrEqual(360)
})
