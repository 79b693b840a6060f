import { describe, expect, it } from 'vitest'
import { createReadPosition, rowsInSight } from './readPosition.js'

describe('the read position', () => {
  it('[WEB42] stays when the newest of many messages is in sight', () => {
    const position = createReadPosition(0)
    position.display({ first: 990, last: 999 }, false)
    expect(position.upTo).toBe(0)
    // Going further up or down there changes nothing.
    position.display({ first: 500, last: 509 }, true)
    position.display({ first: 990, last: 999 }, true)
    expect(position.upTo).toBe(0)
  })

  it('[WEB42] follows what is displayed from the first unread message on', () => {
    const position = createReadPosition(4)
    position.display({ first: 2, last: 8 }, false)
    expect(position.upTo).toBe(8)
    position.display({ first: 9, last: 15 }, false)
    expect(position.upTo).toBe(15)
    position.display({ first: 0, last: 5 }, true)
    expect(position.upTo).toBe(15)
  })

  it('[WEB42] goes along when the user scrolls down past messages, and not when messages push others out of sight', () => {
    const scrolling = createReadPosition(4)
    scrolling.display({ first: 2, last: 8 }, false)
    scrolling.display({ first: 40, last: 46 }, true)
    expect(scrolling.upTo).toBe(46)

    const pushed = createReadPosition(4)
    pushed.display({ first: 2, last: 8 }, false)
    pushed.display({ first: 50, last: 56 }, false)
    expect(pushed.upTo).toBe(8)
    pushed.display({ first: 51, last: 57 }, true)
    expect(pushed.upTo).toBe(8)
    pushed.display({ first: 7, last: 13 }, true)
    pushed.display({ first: 51, last: 57 }, true)
    expect(pushed.upTo).toBe(57)
  })
})

describe('rowsInSight', () => {
  const at = (height: number) => (place: number) => ({ top: place * height, bottom: (place + 1) * height })

  it('[WEB42] counts a row of which half is in sight', () => {
    expect(rowsInSight(100, at(10), { top: 100, bottom: 156 })).toEqual({ first: 10, last: 15 })
    expect(rowsInSight(100, at(10), { top: 100, bottom: 154 })).toEqual({ first: 10, last: 14 })
  })

  it('[WEB42] counts a row that is higher than the window when it fills half of it', () => {
    expect(rowsInSight(3, at(1000), { top: 1100, bottom: 1300 })).toEqual({ first: 1, last: 1 })
    expect(rowsInSight(3, at(1000), { top: 880, bottom: 1080 })).toEqual({ first: 0, last: 0 })
  })

  it('[WEB42] finds none where there is none', () => {
    expect(rowsInSight(0, at(10), { top: 0, bottom: 100 })).toBeNull()
    expect(rowsInSight(5, at(10), { top: 100, bottom: 200 })).toBeNull()
  })
})
