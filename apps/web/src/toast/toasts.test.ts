import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createToasts } from './toasts.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('toasts', () => {
  it('go away by themselves', () => {
    const toasts = createToasts()
    toasts.show('Deleted')
    expect(toasts.getSnapshot()).toHaveLength(1)
    vi.advanceTimersByTime(8000)
    expect(toasts.getSnapshot()).toHaveLength(0)
  })

  it('do what they offer once, and go', () => {
    const toasts = createToasts()
    const run = vi.fn()
    const id = toasts.show('Archived', { label: 'Undo', run })
    toasts.act(id)
    toasts.act(id)
    vi.advanceTimersByTime(20_000)
    expect(run).toHaveBeenCalledOnce()
    expect(toasts.getSnapshot()).toHaveLength(0)
  })

  it('wait while they are read', () => {
    const toasts = createToasts()
    toasts.show('Deleted')
    vi.advanceTimersByTime(7000)
    toasts.pause()
    vi.advanceTimersByTime(60_000)
    expect(toasts.getSnapshot()).toHaveLength(1)
    toasts.resume()
    vi.advanceTimersByTime(1000)
    expect(toasts.getSnapshot()).toHaveLength(0)
  })

  it('go away by themselves after the last one was closed while it was read', () => {
    const toasts = createToasts()
    const id = toasts.show('Deleted')
    toasts.pause()
    // The button under the pointer is gone, and no event says that the pointer left it.
    toasts.dismiss(id)
    toasts.show('Archived')
    vi.advanceTimersByTime(8000)
    expect(toasts.getSnapshot()).toHaveLength(0)
  })

  it('make room when there are too many, and go when all is closed', () => {
    const toasts = createToasts()
    for (let times = 0; times < 4; times++) toasts.show(`Deleted ${times}`)
    expect(toasts.getSnapshot().map(({ text }) => text)).toEqual(['Deleted 1', 'Deleted 2', 'Deleted 3'])
    toasts.close()
    expect(toasts.getSnapshot()).toEqual([])
  })
})
