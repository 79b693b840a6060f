import { describe, expect, it } from 'vitest'
import { formatAgo, formatDay, formatRowTime, isSameDay } from './formatTime.js'

const at = (text: string) => new Date(text).getTime()
const NOW = at('2026-03-12T15:30:00')

describe('formatRowTime', () => {
  it.each([
    ['2026-03-12T09:05:00', '09:05'],
    ['2026-03-12T00:00:00', '00:00'],
    ['2026-03-11T23:59:00', 'Yesterday'],
    ['2026-03-10T12:00:00', 'Tue'],
    ['2026-03-06T12:00:00', 'Fri'],
    ['2026-03-05T12:00:00', '5 Mar'],
    ['2008-02-29T12:00:00', '29 Feb 2008'],
  ])('%s is %s', (text, expected) => {
    expect(formatRowTime(at(text), NOW, 'en-GB')).toBe(expected)
  })

  it('shows the time of a clock that is ahead, and nothing for nothing', () => {
    expect(formatRowTime(NOW + 60_000, NOW, 'en-GB')).toBe('15:31')
    expect(formatRowTime(0, NOW, 'en-GB')).toBe('')
  })
})

it.each([
  ['2026-03-12T01:00:00', 'Today'],
  ['2026-03-11T01:00:00', 'Yesterday'],
  ['2026-03-10T01:00:00', 'Tuesday 10 March'],
  ['2008-02-29T12:00:00', 'Friday 29 February 2008'],
])('formatDay of %s is %s', (text, expected) => {
  expect(formatDay(at(text), NOW, 'en-GB').replace(',', '')).toBe(expected)
})

it.each([
  [10, 'just now'],
  [150, '2 minutes ago'],
  [7200, '2 hours ago'],
  [200_000, '2 days ago'],
])('formatAgo of %d seconds is %s', (seconds, expected) => {
  expect(formatAgo(NOW - seconds * 1000, NOW, 'en-GB')).toBe(expected)
})

it('isSameDay goes by the local day', () => {
  expect(isSameDay(at('2026-03-12T00:00:00'), at('2026-03-12T23:59:59'))).toBe(true)
  expect(isSameDay(at('2026-03-11T23:59:59'), at('2026-03-12T00:00:00'))).toBe(false)
})
