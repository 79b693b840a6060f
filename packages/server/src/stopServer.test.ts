import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from './connection/connection.js'
import { defaultTiming } from './limits.js'
import { type LogFields, silentLogger } from './logger.js'
import { stopServer } from './stopServer.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const app = (): FastifyInstance => Fastify()
const never = (): Promise<never> => new Promise(() => {})

function connectionOf(finish: Connection['finish']): Connection {
  return { room: 'alice', access: { uid: 'alice' }, finish }
}

describe('stopping', () => {
  it('[D3] closes connections one after the other, evenly over the time it is given', async () => {
    const started = performance.now()
    const closed: Array<{ at: number; code: number }> = []
    const connections = Array.from({ length: 101 }, () =>
      connectionOf(async (code) => void closed.push({ at: performance.now() - started, code })),
    )
    const stopped = stopServer({
      timing: { ...defaultTiming, drainMs: 2000 },
      logger: silentLogger,
      app: app(),
      connections,
      refuseConnections: () => {},
      closeLast: [],
    })
    await vi.advanceTimersByTimeAsync(2000)
    await stopped
    expect(closed.map(({ at }) => Math.round(at))).toEqual(Array.from({ length: 101 }, (_, n) => n * 20))
    expect(new Set(closed.map(({ code }) => code))).toEqual(new Set([1012]))
  })

  it('[D4] ends in time when neither clients nor the store answer, and tells what was left', async () => {
    const told: string[] = []
    const log = (_fields: LogFields, message: string): void => void told.push(message)
    const closedLast = vi.fn(never)
    let isStopped = false
    const stopped = stopServer({
      timing: { ...defaultTiming, stopDelayMs: 1000, drainMs: 2000, stopTimeoutMs: 10_000 },
      logger: { ...silentLogger, error: log },
      app: app(),
      connections: [connectionOf(never), connectionOf(never)],
      refuseConnections: () => {},
      closeLast: [closedLast, closedLast],
    }).then(() => {
      isStopped = true
    })
    await vi.advanceTimersByTimeAsync(11_999)
    expect(isStopped).toBe(false)
    await vi.advanceTimersByTimeAsync(100)
    await stopped
    expect(told[0]).toBe('connections could not be finished in time')
    expect(told.at(-1)).toBe('the store could not be finished in time')
    // Each was asked to finish all the same.
    expect(closedLast).toHaveBeenCalledTimes(2)
  })

  it('[D4] goes on when a step fails', async () => {
    const closedLast = vi.fn(async () => {
      throw new Error('the disk is gone')
    })
    const stopped = stopServer({
      timing: defaultTiming,
      logger: silentLogger,
      app: app(),
      connections: [],
      refuseConnections: () => {},
      closeLast: [closedLast, closedLast],
    })
    await vi.advanceTimersByTimeAsync(0)
    await stopped
    expect(closedLast).toHaveBeenCalledTimes(2)
  })
})
