import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { defaultLimits, defaultTiming } from '../limits.js'
import { createMemoryLog } from '../log/memoryLog.js'
import { silentLogger } from '../logger.js'
import { createRooms } from './rooms.js'

/** Updates as a client of this kind makes them: text, JSON, nested types, deletions. */
function honestUpdates(): Uint8Array[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  doc.getText('t').insert(0, 'hello world')
  doc.getText('t').delete(2, 4)
  doc.getArray('a').push([1, 'two', { three: [4, null] }, new Uint8Array([5])])
  const map = new Y.Map<unknown>()
  doc.getArray('a').insert(1, [map])
  map.set('text', new Y.Text('nested'))
  map.set('text', 'replaced')
  doc.getText('t').format(0, 3, { bold: true })
  updates.push(Y.encodeStateAsUpdate(doc))
  return updates
}

const HONEST = honestUpdates()
const corruption = fc.record({
  update: fc.nat(HONEST.length - 1),
  flips: fc.array(fc.record({ at: fc.nat(1000), to: fc.nat(255) }), { maxLength: 3 }),
  cut: fc.option(fc.nat(200), { nil: undefined }),
})

function corrupt({
  update,
  flips,
  cut,
}: {
  update: number
  flips: Array<{ at: number; to: number }>
  cut: number | undefined
}): Uint8Array {
  const bytes = (HONEST[update] as Uint8Array).slice()
  for (const { at, to } of flips) bytes[at % bytes.length] = to
  return cut === undefined ? bytes : bytes.slice(0, Math.max(1, cut % bytes.length))
}

describe('corrupted updates', () => {
  it('[I2] property "memory is what is stored": whatever comes, the log loads to the document in memory, and the room takes the next update', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(corruption, { minLength: 1, maxLength: 12 }), async (corruptions) => {
        const store = createMemoryLog()
        const options = { store, limits: defaultLimits, timing: defaultTiming, logger: silentLogger }
        const rooms = createRooms(options)
        const { room, document } = await rooms.acquire('alice')
        let refused = 0
        for (const one of corruptions) await room.submit(corrupt(one)).catch(() => refused++)
        const next = new Y.Doc()
        next.getText('next').insert(0, 'still works')
        await room.submit(Y.encodeStateAsUpdate(next))
        const inMemory = document.encodeState()
        await rooms.close()

        const again = createRooms(options)
        const reloaded = await again.acquire('alice')
        expect((await store.size('alice'))?.quarantined).toEqual([])
        expect(reloaded.document.waiting).toEqual([])
        expect(content(reloaded.document.encodeState())).toEqual(content(inMemory))
        expect(content(inMemory)).toMatchObject({ next: 'still works' })
        await again.close()
      }),
      { numRuns: 300 },
    )
  })
})

function content(state: Uint8Array): unknown {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state)
  return {
    text: doc.getText('t').toString(),
    array: doc.getArray('a').toJSON(),
    next: doc.getText('next').toString(),
    vector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b),
  }
}
