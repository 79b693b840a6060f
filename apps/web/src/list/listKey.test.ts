import { describe, expect, it } from 'vitest'
import { listKey } from './listKey.js'

const press = (
  key: string,
  modifiers: Partial<Record<'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey', true>> = {},
) =>
  listKey(
    { key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...modifiers },
    { index: 5, page: 8, total: 100 },
  )

describe('listKey', () => {
  it.each([
    ['ArrowDown', 6],
    ['ArrowUp', 4],
    ['PageDown', 13],
    ['PageUp', -3],
    ['Home', 0],
    ['End', 99],
  ])('%s moves to %d', (key, index) => {
    expect(press(key)).toEqual({ type: 'move', index })
  })

  it.each([
    ['u', 'read'],
    ['p', 'pin'],
    ['m', 'mute'],
    ['e', 'archive'],
    ['Delete', 'delete'],
    ['Backspace', 'delete'],
  ])('%s does: %s', (key, action) => {
    expect(press(key)).toEqual({ type: 'act', action })
  })

  it('opens, searches, undoes and shows the menu', () => {
    expect(press('Enter')).toEqual({ type: 'open' })
    expect(press('/')).toEqual({ type: 'search' })
    expect(press('z', { ctrlKey: true })).toEqual({ type: 'undo' })
    expect(press('z', { metaKey: true })).toEqual({ type: 'undo' })
    expect(press('F10', { shiftKey: true })).toEqual({ type: 'menu' })
  })

  it('leaves the shortcuts of the browser alone', () => {
    expect(press('p', { ctrlKey: true })).toBeNull()
    expect(press('F10')).toBeNull()
    expect(press('ArrowRight', { altKey: true })).toBeNull()
    expect(press('Z', { ctrlKey: true, shiftKey: true })).toBeNull()
  })
})
