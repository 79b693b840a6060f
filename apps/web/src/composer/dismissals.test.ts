import { createStore } from '@parley/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDismissals } from './dismissals.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A conversation with a draft in the composer and another one beside it. */
function open() {
  const { draft } = createStore({ userId: 'me' }).conversation({ channelId: 'bob', channelType: 1 })
  draft.set('in the composer')
  draft.import({ draftId: 'other', text: 'from the phone', device: 'Phone', editedAt: 1 })
  const offered = draft.getSnapshot().others[0]
  if (!offered) throw new Error('a draft is offered')
  return { draft, offered, dismissals: createDismissals() }
}
const texts = (draft: ReturnType<typeof open>['draft']) => draft.getSnapshot().others.map(({ text }) => text)

describe('dismissing an offered draft', () => {
  it('[WEB30] hides it at once and deletes it when there was time to think again', () => {
    const { draft, offered, dismissals } = open()
    dismissals.dismiss(draft, offered)
    expect([...dismissals.getSnapshot()]).toEqual(['other'])
    expect(texts(draft)).toEqual(['from the phone'])
    vi.advanceTimersByTime(8_000)
    expect(texts(draft)).toEqual([])
    expect([...dismissals.getSnapshot()]).toEqual([])
  })

  it.each([0, 8_000, 3_600_000])('[WEB30] is undone after %d ms', (ms) => {
    const { draft, offered, dismissals } = open()
    const undo = dismissals.dismiss(draft, offered)
    vi.advanceTimersByTime(ms)
    undo()
    vi.advanceTimersByTime(8_000)
    expect(texts(draft)).toEqual(['from the phone'])
    expect([...dismissals.getSnapshot()]).toEqual([])
    expect(draft.getSnapshot().composer?.text).toBe('in the composer')
  })

  it('[WEB30] deletes what is hidden before the page goes, and nothing that is gone already', () => {
    const { draft, offered, dismissals } = open()
    dismissals.dismiss(draft, offered)
    draft.choose('other')
    draft.send()
    dismissals.close()
    vi.advanceTimersByTime(8_000)
    expect(draft.getSnapshot().sending.map(({ text }) => text)).toEqual(['from the phone'])
  })
})
