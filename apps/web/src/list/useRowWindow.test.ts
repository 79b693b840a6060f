import { describe, expect, it } from 'vitest'
import { rowWindow } from './useRowWindow.js'

describe('rowWindow', () => {
  it('always covers what is in sight, and never much more', () => {
    for (let scrollTop = 0; scrollTop < 20_000; scrollTop += 37) {
      const { offset, limit } = rowWindow(scrollTop, 700, 72)
      expect(offset * 72).toBeLessThanOrEqual(scrollTop)
      expect((offset + limit) * 72).toBeGreaterThanOrEqual(scrollTop + 700)
      expect(limit).toBeLessThanOrEqual(40)
    }
  })

  it('takes the overscroll of Safari', () => {
    expect(rowWindow(-80, 700, 72).offset).toBe(0)
  })
})
