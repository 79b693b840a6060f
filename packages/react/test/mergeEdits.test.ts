import { smallestEdit } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { applyEdits, mergeEdits, shiftPosition } from '../src/mergeEdits.js'

const merge = (base: string, ours: string, theirs: string) => {
  const [a, b] = [smallestEdit(base, ours), smallestEdit(base, theirs)]
  if (!a || !b) throw new Error('both have to differ from the base')
  return [mergeEdits(base, a, b), mergeEdits(base, b, a)]
}

describe('mergeEdits', () => {
  it.each([
    ['apart', 'one two three', 'ONE two three', 'one two THREE', 'ONE two THREE'],
    ['an insertion into what is removed', 'abcdef', 'af', 'abcXdef', 'aXf'],
    ['removals that overlap', 'abcdef', 'aef', 'abcf', 'af'],
    ['one removal in another', 'abcdef', 'af', 'abdef', 'af'],
    ['touching', 'abcd', 'aXcd', 'abYd', 'aXYd'],
  ])('%s', (_, base, ours, theirs, expected) => {
    expect(merge(base, ours, theirs)).toEqual([expected, expected])
  })

  it('keeps both insertions at one place', () => {
    for (const merged of merge('ab', 'aXb', 'aYb')) expect(['aXYb', 'aYXb']).toContain(merged)
  })
})

describe('shiftPosition', () => {
  it('stays before, moves behind, and lands behind what replaced its surroundings', () => {
    const edit = { index: 2, remove: 3, insert: 'x' }
    expect([1, 2, 3, 5, 7].map((position) => shiftPosition(position, edit))).toEqual([1, 2, 3, 3, 5])
  })
})

it('applyEdits makes each edit in what the one before left', () => {
  expect(
    applyEdits('abc', [
      { index: 0, remove: 0, insert: 'x' },
      { index: 3, remove: 1, insert: '' },
    ]),
  ).toBe('xab')
})
