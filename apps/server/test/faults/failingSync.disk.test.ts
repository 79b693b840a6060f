import { describe, expect, it } from 'vitest'
import { serve } from '../support/parley.js'
import { readiness, until } from '../support/watch.js'
import { lostOf, readValues, startWriter } from '../support/writers.js'
import { createUnreliableDisk } from './support/unreliableDisk.js'

const ROOMS = ['alice', 'bob']

describe('a disk whose syncs', () => {
  it('[F1] fail: updates are refused for a while, what is stored is served, and all goes on afterwards', {
    timeout: 90_000,
  }, async () => {
    const disk = await createUnreliableDisk()
    const serving = await serve(disk.folder, [], disk.env)
    const writers = ROOMS.map((room) => startWriter(serving, room, { name: room }))
    await until('they write', () => writers.every(({ safe }) => safe > 0))

    await disk.tell('fail')
    await until('they are refused', () => writers.every(({ closes }) => closes.length > 0))
    expect(writers.map(({ closes }) => closes)).toEqual([[4503], [4503]])
    // The fault: the system says so.
    expect(serving.log()).toContain('Input/output error')
    await until('it is not ready', async () => (await readiness(serving)) === 503)
    for (let round = 2; round < 5; round++) {
      await Promise.all(writers.map(({ reconnect }) => reconnect(serving)))
      await until('they are refused again', () => writers.every(({ closes }) => closes.length === round))
      expect(await lostOf(serving, writers)).toEqual([])
    }
    const safe = writers.map((writer) => writer.safe)

    await disk.tell('work')
    await until('it is ready again', async () => (await readiness(serving)) === 200)
    await Promise.all(writers.map(({ reconnect }) => reconnect(serving)))
    await until('they write again', () => writers.every((writer, n) => writer.safe > (safe[n] ?? 0)))
    for (const { stop } of writers) stop()
    // A failed sync is as good as none: what was written behind it must not depend on it.
    await serving.stop('SIGKILL')
    await disk.cutPower()
    expect(await lostOf(await serve(disk.folder, [], disk.env), writers)).toEqual([])
  })

  it('[F2] [H2] do not return: nothing is acknowledged, others are served, and it goes on when they do', {
    timeout: 90_000,
  }, async () => {
    const disk = await createUnreliableDisk()
    const serving = await serve(disk.folder, [], disk.env)
    const before = startWriter(serving, 'alice', { name: 'before' })
    await until('it is written', () => before.safe > 0)
    before.stop()
    // What it sent last is dealt with, so that nothing of this room waits for the disk.
    const metrics = async (): Promise<string> => (await fetch(`${serving.url}/metrics`)).text()
    await until('it has left', async () => (await metrics()).includes('parley_connections 0\n'))
    await readValues(serving, 'alice')
    await disk.tell('hang')
    const during = startWriter(serving, 'bob', { name: 'during' })
    await during.connected
    await until('it is not ready', async () => (await readiness(serving)) === 503)
    expect((await fetch(`${serving.url}/healthz`)).status).toBe(200)
    expect((await readValues(serving, 'alice')).size).toBeGreaterThanOrEqual(before.safe)
    expect(during.safe).toBe(0)
    await disk.tell('work')
    await until('it is written', () => during.safe > 0)
    await until('it is ready', async () => (await readiness(serving)) === 200)
    expect(during.closes).toEqual([])
    during.stop()
    expect(await lostOf(serving, [before, during])).toEqual([])
  })

  it('[D4] do not return: it ends all the same when it is told to stop', { timeout: 90_000 }, async () => {
    const disk = await createUnreliableDisk()
    const serving = await serve(disk.folder, [], { ...disk.env, PARLEY_STOP_DELAY: '0' })
    const writer = startWriter(serving, 'alice', { name: 'alice' })
    await until('it is written', () => writer.safe > 0)
    await disk.tell('hang')
    await until('nothing is acknowledged any more', async () => (await readiness(serving)) === 503)
    // Threads that wait for the disk cannot be ended in order.
    expect(await serving.stop('SIGTERM')).toBe('SIGKILL')
    expect(serving.log()).toContain('the store does not answer')
    expect(writer.closes).toEqual([1012])
    await disk.cutPower()
    await disk.tell('work')
    expect(await lostOf(await serve(disk.folder, [], disk.env), [writer])).toEqual([])
  })
})
