import { describe, expect, it } from 'vitest'
import { newFolder, serve } from './support/parley.js'
import { connectReader, lostOf, readValues, startWriter } from './support/writers.js'

const ROOMS = ['alice', 'bob', 'carol']

describe('durability', () => {
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
