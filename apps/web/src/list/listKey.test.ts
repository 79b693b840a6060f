import { describe, expect, it } from 'vitest'
import { listKey } from './listKey.js'

const press = (
  key: string,
  modifiers: Partial<Record<'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey' | 'repeat', true>> = {},
  typing = false,
) =>
  listKey(
    { key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...modifiers },
    { index: 5, page: 8, total: 100, typing },
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

  it('opens, searches and shows the menu', () => {
    expect(press('Enter')).toEqual({ type: 'open' })
    expect(press('/')).toEqual({ type: 'search' })
    expect(press('F10', { shiftKey: true })).toEqual({ type: 'menu' })
  })

  const ACTING = ['u', 'p', 'm', 'e', 'Delete', 'Backspace', 'Enter', ' ', 'ArrowRight', '/']

  it.each(ACTING)('[WEB1] %j does nothing while the user types', (key) => {
    expect(press(key, {}, true)).toEqual({ type: 'none' })
  })

  it.each(ACTING)('[WEB3] %j does nothing while it is held down', (key) => {
    expect(press(key, { repeat: true })).toEqual({ type: 'none' })
  })

  it('[WEB3] a key that is held down moves in the list', () => {
    expect(press('ArrowDown', { repeat: true }, true)).toEqual({ type: 'move', index: 6 })
  })

  it('leaves the shortcuts of the browser alone', () => {
    expect(press('z', { ctrlKey: true })).toBeNull()
    expect(press('p', { ctrlKey: true })).toBeNull()
    expect(press('F10')).toBeNull()
    expect(press('ArrowRight', { altKey: true })).toBeNull()
    expect(press('Z', { ctrlKey: true, shiftKey: true })).toBeNull()
  })
})
