import { describe, expect, it, vi } from 'vitest'
import { createStatusStore, type StatusParts } from './statusStore.js'

const initial: StatusParts = {
  connection: { state: 'offline', reason: { code: 'unreachable', message: 'No.' } },
  storage: { state: 'indexeddb', quarantined: 0 },
  unsaved: { disk: false, server: true },
  ready: true,
  tab: 'alone',
  divergence: null,
  refused: [],
}

describe('the status', () => {
  it('[CL50] is the same object until something changes, and a new one then', () => {
    const status = createStatusStore(initial, () => {})
    const listener = vi.fn()
    status.subscribe(listener)
    const before = status.getSnapshot()
    status.update({ unsaved: { disk: false, server: true }, ready: true })
    expect(status.getSnapshot()).toBe(before)
    expect(listener).not.toHaveBeenCalled()
    status.update({ unsaved: { disk: true, server: true } })
    const after = status.getSnapshot()
    expect(after).not.toBe(before)
    expect(after.connection).toBe(before.connection)
    expect(before.unsaved.disk).toBe(false)
    expect(Object.isFrozen(after)).toBe(true)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it.each([
    [false, false, 'server'],
    [true, false, 'server'],
    [false, true, 'disk'],
    [true, true, 'memory'],
  ] as const)('[CL50] unsaved on disk %s, on the server %s: saved in %s', (disk, server, saved) => {
    const status = createStatusStore({ ...initial, unsaved: { disk, server } }, () => {})
    expect(status.getSnapshot().saved).toBe(saved)
  })

  it('[CL50] a listener that throws is reported, and the others hear', () => {
    const reportError = vi.fn()
    const status = createStatusStore(initial, reportError)
    const listener = vi.fn()
    status.subscribe(() => {
      throw new Error('from a listener')
    })
    const stop = status.subscribe(listener)
    status.update({ ready: false })
    stop()
    stop()
    status.update({ ready: true })
    expect(listener).toHaveBeenCalledTimes(1)
    expect(reportError).toHaveBeenCalledTimes(2)
  })
})
