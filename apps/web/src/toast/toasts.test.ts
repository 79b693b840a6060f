import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createToasts } from './toasts.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('toasts', () => {
  it('go away by themselves and settle', () => {
    const toasts = createToasts()
    const settled = vi.fn()
    toasts.show('Deleted', () => {}, settled)
    expect(toasts.getSnapshot()).toHaveLength(1)
    vi.advanceTimersByTime(8000)
    expect(toasts.getSnapshot()).toHaveLength(0)
    expect(settled).toHaveBeenCalledOnce()
  })

  it('undo the newest that can be undone, and do not settle it', () => {
    const toasts = createToasts()
    const [undo, settled] = [vi.fn(), vi.fn()]
    toasts.show('Archived', undo, settled)
    toasts.show('Copied')
    toasts.undo()
    vi.advanceTimersByTime(20_000)
    expect(undo).toHaveBeenCalledOnce()
    expect(settled).not.toHaveBeenCalled()
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

  it('settle when there are too many, and when all is closed', () => {
    const toasts = createToasts()
    const settled = vi.fn()
    for (let times = 0; times < 4; times++) toasts.show('Deleted', () => {}, settled)
    expect(settled).toHaveBeenCalledTimes(1)
    toasts.close()
    expect(settled).toHaveBeenCalledTimes(4)
  })
})
