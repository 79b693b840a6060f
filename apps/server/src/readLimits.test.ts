import { describe, expect, it } from 'vitest'
import { readLimits } from './readLimits.js'

describe('PARLEY_LIMITS', () => {
  it('[C1] takes numbers and rates by their names', () => {
    expect(readLimits([])).toEqual({})
    expect(readLimits(['connectionsPerUser=20', 'messagesPerUser=100/5000'])).toEqual({
      connectionsPerUser: 20,
      messagesPerUser: { perSecond: 100, burst: 5000 },
    })
  })

  it.each([
    ['connectionPerUser=20', /no limit connectionPerUser, but connections, rooms/],
    ['constructor=1', /no limit constructor/],
    ['connectionsPerUser', /connectionsPerUser must be a whole number/],
    ['connectionsPerUser=0', /above 0, not 0/],
    ['connectionsPerUser=-1', /not -1/],
    ['connectionsPerUser=1e9', /not 1e9/],
    ['connectionsPerUser=1=2', /no limit/],
    ['connectionsPerUser=10/20', /not 10\/20/],
    ['messagesPerUser=100', /such as 100\/5000/],
    ['messagesPerUser=100/', /such as 100\/5000/],
    ['messagesPerUser=1/2/3', /such as 100\/5000/],
  ])('[C1] says what is wrong with %s', (setting, names) => {
    expect(() => readLimits([setting])).toThrow(names)
  })
})
