import { describe, expect, it } from 'vitest'
import { newFolder, serve } from './support/parley.js'
import { connectReader, lostOf, readValues, startWriter, type Writer } from './support/writers.js'

const KILLS = 25
/** Each round ends at a random moment within this time after its writers were connected. */
const ROUND_MS = 250
const ROOMS = ['alice', 'bob', 'carol']

describe('durability', () => {
  it(`[D1] keeps all that was acknowledged, over ${KILLS} SIGKILLs under load`, {
    timeout: 180_000,
  }, async () => {
    const data = await newFolder()
    const written: Writer[] = []
    let killedInFlight = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const serving = await serve(data)
      const writers = ROOMS.flatMap((room) => [
        startWriter(serving, room, { name: `${kill}.${room}.a` }),
        startWriter(serving, room, { name: `${kill}.${room}.b`, asks: 'barrier' }),
      ])
      await Promise.all(writers.map(({ connected }) => connected))
      await new Promise((resolve) => setTimeout(resolve, Math.random() * ROUND_MS))
      await serving.stop('SIGKILL')
      for (const { stop } of writers) stop()
      if (writers.some(({ safe, values }) => safe > 0 && safe < values.length)) killedInFlight++
      written.push(...writers)
    }
    const serving = await serve(data)
    expect(await lostOf(serving, written)).toEqual([])
    // Or the test would have shown nothing.
    expect(killedInFlight).toBeGreaterThan(KILLS / 2)
    expect(written.reduce((sum, { safe }) => sum + safe, 0)).toBeGreaterThan(KILLS * 20)
  })

  it('[D2] stores what it has received and closes with 1012 when it is told to stop, and exits with 0', {
    timeout: 20_000,
  }, async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const data = await newFolder()
      const serving = await serve(data)
      const writers = ROOMS.map((room) => startWriter(serving, room, { name: room }))
      await Promise.all(writers.map(({ connected }) => connected))
      const stock = await connectReader(serving, 'dave')
      const closed = new Promise<number | undefined>((resolve) =>
        stock.provider.on('connection-close', (event) => resolve(event?.code)),
      )
      stock.doc.getArray('values').push(['just before'])
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(await serving.stop(signal)).toBe(0)
      expect(await closed).toBe(1012)
      stock.close()
      const again = await serve(data)
      expect(await readValues(again, 'dave')).toEqual(new Set(['just before']))
      expect(await lostOf(again, writers)).toEqual([])
      await again.stop('SIGKILL')
    }
  })
})
