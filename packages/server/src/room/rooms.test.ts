import { CLOSE_CODES, detachMessages } from '@parley/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { Bus } from '../bus/bus.js'
import { createLocalBusHub } from '../bus/localBus.js'
import { encodeSyncAnswer } from '../connection/messages.js'
import { defaultLimits, defaultTiming, type Timing } from '../limits.js'
import type { LogStore } from '../log/logStore.js'
import { createMemoryLog } from '../log/memoryLog.js'
import { silentLogger } from '../logger.js'
import type { Peer, Seat } from './peer.js'
import type { Room } from './room.js'
import { createRooms, type Rooms } from './rooms.js'

const open: Rooms[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((rooms) => rooms.close()))
})

interface Surroundings {
  bus?: Bus
  timing?: Partial<Timing>
}

function roomsOver(store: LogStore, { bus, timing }: Surroundings = {}): Rooms {
  const rooms = createRooms({
    store,
    ...(bus ? { bus } : {}),
    limits: defaultLimits,
    timing: { ...defaultTiming, ...timing },
    logger: silentLogger,
  })
  open.push(rooms)
  return rooms
}

function textUpdates(text: string): Uint8Array[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const [index, letter] of [...text].entries()) doc.getText('t').insert(index, letter)
  return updates
}

function peer(): Peer & { refused: Array<{ code: number; reason: string }>; sent: Uint8Array[] } {
  const refused: Array<{ code: number; reason: string }> = []
  const sent: Uint8Array[] = []
  return {
    readOnly: false,
    refused,
    sent,
    send: (message) => void sent.push(message),
    sendAnswer(update, done) {
      sent.push(encodeSyncAnswer(update))
      done()
    },
    refuse: (code, reason) => void refused.push({ code, reason }),
  }
}

const textOf = (state: Uint8Array): string => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state)
  return doc.getText('t').toString()
}

describe('rooms', () => {
  it('[R1] are loaded once for all who ask at the same time', async () => {
    const store = createMemoryLog()
    const load = vi.spyOn(store, 'load')
    const rooms = roomsOver(store)
    const leases = await Promise.all([rooms.acquire('alice'), rooms.acquire('alice'), rooms.acquire('alice')])
    expect(load).toHaveBeenCalledTimes(1)
    expect(new Set(leases.map(({ room }) => room)).size).toBe(1)
  })

  it('[R1] are loaded anew by the next who asks when loading failed', async () => {
    const store = createMemoryLog()
    await store.append(
      'alice',
      textUpdates('hello').reduce((a, b) => Y.mergeUpdates([a, b])),
    )
    vi.spyOn(store, 'load').mockRejectedValueOnce(new Error('no'))
    const rooms = roomsOver(store)
    const first = await Promise.allSettled([rooms.acquire('alice'), rooms.acquire('alice')])
    expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const { document } = await rooms.acquire('alice')
    expect(textOf(document.encodeState())).toBe('hello')
  })

  it('[R2] leave memory when nobody has used them for a while, and not while somebody does', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { roomIdleMs: 10 } })
    const [first, second] = await Promise.all([rooms.acquire('alice'), rooms.acquire('alice')])
    first.release()
    first.release()
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(rooms.all()).toEqual([first.room])
    second.release()
    await vi.waitFor(() => expect(rooms.all()).toEqual([]))
    const again = await rooms.acquire('alice')
    expect(again.room).not.toBe(first.room)
  })

  it('[R2] are never there twice: who asks while a room leaves gets it after it has left', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { roomIdleMs: 0 } })
    for (let n = 0; n < 60; n++) await store.append('alice', textUpdates('x')[0] as Uint8Array)
    const { document, release } = await rooms.acquire('alice')
    let compacting = false
    const { compact } = store
    const begun = new Promise<void>((resolve) => {
      store.compact = async (...call) => {
        compacting = true
        resolve()
        await new Promise((done) => setTimeout(done, 30))
        await compact(...call)
        compacting = false
      }
    })
    release()
    await begun
    const again = await rooms.acquire('alice')
    expect(compacting).toBe(false)
    expect(again.document).not.toBe(document)
    expect(textOf(again.document.encodeState())).toBe('x'.repeat(60))
  })

  it('[R3] store updates that follow each other at once as one entry of the log', async () => {
    const store = createMemoryLog()
    const { room, document } = await roomsOver(store).acquire('alice')
    const seat = room.join(peer())
    for (const update of textUpdates('written fast')) seat.add({ type: 'update', update })
    await new Promise<void>((reached) => seat.add({ type: 'barrier', reached }))
    expect(room.version).toBe(1)
    expect((await store.load('alice')).rows).toHaveLength(1)
    expect(textOf(document.encodeState())).toBe('written fast')
  })

  it('[R3] find the one that is wrong among updates that came at once, and store those before it', async () => {
    const store = createMemoryLog()
    const { room, document } = await roomsOver(store).acquire('alice')
    const writer = peer()
    const seat = room.join(writer)
    const [a, b, c] = textUpdates('abc') as [Uint8Array, Uint8Array, Uint8Array]
    const reached = vi.fn()
    for (const update of [a, b, new Uint8Array([9, 9, 9]), c]) seat.add({ type: 'update', update })
    seat.add({ type: 'barrier', reached })
    await room.idle()
    expect(writer.refused).toMatchObject([{ code: CLOSE_CODES.malformed }])
    expect(textOf(document.encodeState())).toBe('ab')
    expect(reached).not.toHaveBeenCalled()
  })

  it('[R4] let an update wait for what another connection brings at the same moment', async () => {
    const store = createMemoryLog()
    const { room, document } = await roomsOver(store).acquire('alice')
    const [early, late] = [peer(), peer()]
    const [a, b] = textUpdates('ab') as [Uint8Array, Uint8Array]
    const [seatOfEarly, seatOfLate] = [room.join(early), room.join(late)]
    seatOfEarly.add({ type: 'update', update: b })
    seatOfLate.add({ type: 'update', update: a })
    await room.idle()
    expect([...early.refused, ...late.refused]).toEqual([])
    expect(textOf(document.encodeState())).toBe('ab')
  })

  it('[R20] store what two connections say of one client one after the other', async () => {
    const store = createMemoryLog()
    const { room, document } = await roomsOver(store).acquire('alice')
    const written = (text: string): Uint8Array => {
      const doc = new Y.Doc()
      doc.clientID = 7
      doc.getText('t').insert(0, text)
      return Y.encodeStateAsUpdate(doc)
    }
    const [same, again, longer, other] = [peer(), peer(), peer(), peer()]
    for (const [who, update] of [
      [same, written('abc')],
      [again, written('abc')],
      [longer, written('abcde')],
      [other, textUpdates('x')[0] as Uint8Array],
    ] as const)
      room.join(who).add({ type: 'update', update })
    await room.idle()
    expect([...same.refused, ...again.refused, ...longer.refused, ...other.refused]).toEqual([])
    // One row each for what was new: the first, what the longer one adds, and the other client's.
    expect((await store.load('alice')).rows).toHaveLength(3)
    expect([...textOf(document.encodeState())].sort().join('')).toBe('abcdex')
    expect(textOf(Y.mergeUpdates((await store.load('alice')).rows.map(({ update }) => update)))).toBe(
      textOf(document.encodeState()),
    )
  })

  it('[R5] store what somebody sent who has left already', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { roomIdleMs: 0 } })
    const { room, release } = await rooms.acquire('alice')
    const seat = room.join(peer())
    for (const update of textUpdates('bye')) seat.add({ type: 'update', update })
    seat.leave()
    release()
    await rooms.close()
    const { rows } = await store.load('alice')
    expect(textOf(Y.mergeUpdates(rows.map(({ update }) => update)))).toBe('bye')
  })

  it('[R6] compact a long log by themselves, and lose nothing that is written meanwhile', async () => {
    const store = createMemoryLog()
    const { room } = await roomsOver(store).acquire('alice')
    const seat = room.join(peer())
    for (const update of textUpdates('x'.repeat(1200))) {
      seat.add({ type: 'update', update })
      await new Promise<void>((reached) => seat.add({ type: 'barrier', reached }))
    }
    const { snapshot, rows, version } = await store.load('alice')
    expect(version).toBe(1200)
    expect(rows.length).toBeLessThan(600)
    const all = [...(snapshot ? [snapshot] : []), ...rows].map(({ update }) => update)
    expect(textOf(Y.mergeUpdates(all))).toBe('x'.repeat(1200))
  })

  it('[R6] take what was deleted off the disk when they compact', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { roomIdleMs: 0 } })
    const { room, release } = await rooms.acquire('alice')
    const doc = new Y.Doc()
    const seat = room.join(peer())
    doc.on('update', (update: Uint8Array) => seat.add({ type: 'update', update }))
    doc.getText('t').insert(0, 'a secret that is recalled')
    await room.idle()
    doc.getText('t').delete(0, 25)
    for (let n = 0; n < 60; n++) {
      doc.getText('t').insert(0, 'x')
      await room.idle()
    }
    const stored = async (): Promise<string> => {
      const { snapshot, rows } = await store.load('alice')
      return [snapshot, ...rows].map((row) => Buffer.from(row?.update ?? []).toString('latin1')).join()
    }
    expect(await stored()).toContain('a secret')
    release()
    await rooms.close()
    expect(await stored()).not.toContain('secret')
  })

  it('[R7] are loaded anew when the document is not what is stored, and tell their connections to come back', async () => {
    const ways: Array<(room: Room, seat: Seat) => Promise<void>> = [
      // It shows when the document is needed, by a connection or by somebody else.
      async (room, seat) => {
        seat.add({ type: 'sync', stateVector: new Uint8Array([0]) })
        await room.idle()
      },
      async (room) => {
        const { document } = await room.openDocument()
        expect(() => document.encodeState()).toThrow()
      },
    ]
    for (const look of ways) {
      const store = createMemoryLog()
      const rooms = roomsOver(store)
      const { room } = await rooms.acquire('alice')
      const [writer, reader] = [peer(), peer()]
      const seat = room.join(writer)
      room.join(reader)
      const { append } = store
      // Stored as something else than what was checked: the stand-in for a mistake of ours.
      store.append = (name, update) => {
        update.fill(255)
        return append(name, update)
      }
      seat.add({ type: 'update', update: textUpdates('a')[0] as Uint8Array })
      await room.idle()
      await look(room, seat)
      expect([writer, reader].map(({ refused }) => refused[0]?.code)).toEqual([4503, 4503])
      expect(writer.sent).toEqual([])
      store.append = append
      const again = await rooms.acquire('alice')
      expect(again.room).not.toBe(room)
      expect(textOf(again.document.encodeState())).toBe('')
      expect((await store.size('alice'))?.quarantined).toHaveLength(1)
    }
  })

  it('[R8] refuse what they are told by the server itself as they would of a connection', async () => {
    const store = createMemoryLog()
    const { room } = await roomsOver(store).acquire('alice')
    await room.submit(textUpdates('a')[0] as Uint8Array)
    await expect(room.submit(textUpdates('bc')[1] as Uint8Array)).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    await expect(room.submit(new Uint8Array([1]))).rejects.toMatchObject({ code: 'malformed' })
    expect(room.version).toBe(1)
    await room.idle()
    expect(room.peers).toBe(0)
  })

  it('[R10] pass on what is appended without a document, once everybody is in sync', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { roomIdleMs: 10 } })
    const { room, release } = rooms.enter('alice')
    const [writer, reader] = [peer(), peer()]
    const seat = room.join(writer)
    room.join(reader).add({ type: 'sync', stateVector: new Uint8Array([0]) })
    await room.idle()
    const updates = textUpdates('abc')
    seat.add({ type: 'update', update: updates[0] as Uint8Array })
    await room.idle()
    await vi.waitFor(() => expect(rooms.documents.count).toBe(0))
    const load = vi.spyOn(store, 'load')
    const append = async (update: Uint8Array): Promise<void> =>
      rooms.receive('alice', { version: await store.append('alice', update), update })
    for (const update of updates.slice(1)) await append(update)
    await vi.waitFor(() => expect(room.version).toBe(3))
    expect([rooms.documents.count, load.mock.calls.length]).toEqual([0, 0])
    // The answer to its sync, and three updates.
    expect(reader.sent).toHaveLength(4)
    const doc = new Y.Doc()
    for (const message of reader.sent.slice(1)) Y.applyUpdate(doc, message.subarray(3))
    expect(doc.getText('t').toString()).toBe('abc')
    // What somebody writes is checked against the document, which holds all of that.
    seat.add({ type: 'update', update: textUpdates('!')[0] as Uint8Array })
    await room.idle()
    expect([room.version, rooms.documents.count, writer.refused]).toEqual([4, 1, []])
    release()
  })

  it('[R10] keep the document of a log with holes while somebody is there', async () => {
    const store = createMemoryLog()
    const updates = textUpdates('abc')
    await store.append('alice', updates[0] as Uint8Array)
    await store.append('alice', updates[2] as Uint8Array)
    const rooms = roomsOver(store, { timing: { roomIdleMs: 10 } })
    const { room, release } = rooms.enter('alice')
    const reader = peer()
    const seat = room.join(reader)
    seat.add({ type: 'sync', stateVector: new Uint8Array([0]) })
    await room.idle()
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(rooms.documents.count).toBe(1)
    rooms.receive('alice', {
      version: await store.append('alice', updates[1] as Uint8Array),
      update: updates[1] as Uint8Array,
    })
    await vi.waitFor(() => expect(room.version).toBe(3))
    const doc = new Y.Doc()
    for (const message of reader.sent) Y.applyUpdate(doc, message.subarray(3))
    expect(doc.getText('t').toString()).toBe('abc')
    seat.leave()
    await room.idle()
    await vi.waitFor(() => expect(rooms.documents.count).toBe(0))
    release()
  })

  it('[R12] load a few documents at a time, and let others in between', async () => {
    const store = createMemoryLog()
    for (let n = 0; n < 40; n++) await store.append(`user ${n}`, textUpdates('x')[0] as Uint8Array)
    let [loading, most] = [0, 0]
    const { load } = store
    store.load = async (...call) => {
      most = Math.max(most, ++loading)
      await new Promise((resolve) => setTimeout(resolve, 1))
      return load(...call).finally(() => loading--)
    }
    const rooms = roomsOver(store)
    await Promise.all(Array.from({ length: 40 }, (_, n) => rooms.acquire(`user ${n}`)))
    expect(most).toBe(2)
  })

  it('[R12] let go of a document as soon as all who looked at it are in sync, but not if somebody works with it', async () => {
    const store = createMemoryLog()
    const [update] = textUpdates('a')
    await store.append('alice', update as Uint8Array)
    const load = vi.spyOn(store, 'load')
    const rooms = roomsOver(store)
    const { room, release } = rooms.enter('alice')
    const come = async (): Promise<Seat> => {
      const lease = await room.openDocument('look')
      const seat = room.join(peer(), { asked: true })
      lease.release()
      return seat
    }
    const seats = [await come(), await come()]
    const nothing = new Uint8Array([0, 0])
    for (const [index, seat] of seats.entries()) {
      seat.add({ type: 'sync', stateVector: new Uint8Array([0]) })
      await rooms.idle()
      expect([index, rooms.documents.count]).toEqual([index, 1])
      seat.add({ type: 'answer', update: nothing })
      await rooms.idle()
    }
    expect([rooms.documents.count, load.mock.calls.length]).toEqual([0, 1])

    // An edit, and who comes then.
    seats[0]?.add({ type: 'update', update: textUpdates('b')[0] as Uint8Array })
    await rooms.idle()
    const third = await come()
    third.add({ type: 'sync', stateVector: new Uint8Array([0]) })
    third.add({ type: 'answer', update: nothing })
    await rooms.idle()
    expect([rooms.documents.count, load.mock.calls.length]).toEqual([1, 2])
    release()
  })

  it('[R12] let those look one after the other who wait for documents, and at once who need not wait', async () => {
    const rooms = roomsOver(createMemoryLog())
    const { release } = await rooms.acquire('here')
    const seen: string[] = []
    const look = (name: string) => async (): Promise<void> => {
      seen.push(name)
      await rooms.acquire(name).then((access) => access.release())
      seen.push(`${name} left`)
    }
    rooms.queueLook('a', look('a'))
    rooms.queueLook('b', look('b'))
    rooms.queueLook('here', look('here'))
    expect(seen).toEqual(['a', 'here'])
    await vi.waitFor(() => expect(seen).toContain('b left'))
    expect(seen.indexOf('b')).toBeGreaterThan(seen.indexOf('a left'))
    release()
  })

  it('[R13] take in what other nodes append, told or not told, and each row once', async () => {
    const store = createMemoryLog()
    const hub = createLocalBusHub()
    const nodes = [0, 1].map(() => {
      const bus = hub.connect()
      const rooms = createRooms({
        store,
        bus,
        limits: defaultLimits,
        timing: { ...defaultTiming, pollMs: 20 },
        logger: silentLogger,
      })
      open.push(rooms)
      return { bus, rooms, room: rooms.enter('alice').room, reader: peer() }
    })
    const [one, other] = nodes as [(typeof nodes)[0], (typeof nodes)[0]]
    for (const { room, reader } of nodes) {
      room.join(reader).add({ type: 'sync', stateVector: new Uint8Array([0]) })
      await room.idle()
    }
    const updates = textUpdates('abcdef')
    for (const [index, update] of updates.entries()) {
      // The other node's messages are lost at first, and from here on, the last one included.
      if (index === 0) vi.spyOn(one.bus, 'publish').mockImplementation(() => {})
      if (index === 1) {
        await vi.waitFor(() => expect(other.room.version).toBe(1))
        vi.mocked(one.bus.publish).mockRestore()
      }
      if (index === 3) vi.spyOn(one.bus, 'publish').mockImplementation(() => {})
      await one.room.submit(update)
    }
    await vi.waitFor(() => expect(other.room.version).toBe(6))
    for (const { reader } of nodes) {
      const doc = new Y.Doc()
      for (const message of reader.sent.slice(1)) Y.applyUpdate(doc, message.subarray(3))
      expect(doc.getText('t').toString()).toBe('abcdef')
      expect(reader.sent).toHaveLength(7)
    }
    // Who asks for the document sees what is stored, whoever stored it.
    await store.append('alice', textUpdates('!')[0] as Uint8Array)
    const { document } = await other.rooms.acquire('alice')
    expect(document.version).toBe(7)
  })

  it('[R13] take in what other nodes append although another room cannot be loaded', async () => {
    const store = createMemoryLog()
    await store.append('stuck', textUpdates('x')[0] as Uint8Array)
    const { load } = store
    let giveUp = (): void => {}
    store.load = (name, ...rest) =>
      name === 'stuck'
        ? new Promise((_, reject) => {
            giveUp = () => reject(new Error('no answer'))
          })
        : load(name, ...rest)
    const rooms = roomsOver(store, { bus: createLocalBusHub().connect(), timing: { pollMs: 10 } })
    const stuck = rooms.acquire('stuck')
    const { room } = await rooms.acquire('alice')
    for (const update of textUpdates('ab')) {
      // Longer than it takes to look for rows several times.
      await new Promise((resolve) => setTimeout(resolve, 50))
      const version = await store.append('alice', update)
      await vi.waitFor(() => expect(room.version).toBe(version))
    }
    giveUp()
    await expect(stuck).rejects.toThrow('no answer')
  })

  it('[R9] pass a row on that waits for another one once it can be applied, after that one', async () => {
    const rooms = roomsOver(createMemoryLog())
    const { room, document } = await rooms.acquire('alice')
    const reader = peer()
    room.join(reader).add({ type: 'sync', stateVector: new Uint8Array([0]) })
    await room.idle()
    reader.sent.length = 0
    const [first, second, third] = textUpdates('abc') as [Uint8Array, Uint8Array, Uint8Array]
    room.receive({ version: 1, update: third })
    room.receive({ version: 2, update: second })
    expect([reader.sent, document.waiting]).toEqual([[], [1, 2]])
    room.receive({ version: 3, update: first })
    expect(document.waiting).toEqual([])
    const reading = new Y.Doc()
    for (const message of reader.sent) {
      // Three bytes are the types and the length.
      Y.applyUpdate(reading, message.subarray(3))
      expect(reading.store.pendingStructs).toBe(null)
    }
    expect([reader.sent.length, reading.getText('t').toString()]).toEqual([3, 'abc'])
  })

  it('[R23] store together what arrives in one turn of the event loop, in whichever rooms', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store)
    const all = await Promise.all(['alice', 'bob', 'carol'].map((name) => rooms.acquire(name)))
    const append = vi.spyOn(store, 'append')
    const [update] = textUpdates('a') as [Uint8Array]
    for (const { room } of all) {
      room.join(peer()).add({ type: 'update', update })
      // As after each socket that is read.
      await null
      expect(append).not.toHaveBeenCalled()
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(append.mock.calls.map(([name]) => name)).toEqual(['alice', 'bob', 'carol'])
  })

  it('[R9] find a row that is stored although the store said it failed', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { pollMs: 10 } })
    const { room } = await rooms.acquire('alice')
    const reader = peer()
    room.join(reader).add({ type: 'sync', stateVector: new Uint8Array([0]) })
    await room.idle()
    const { append } = store
    vi.spyOn(store, 'append').mockImplementationOnce(async (...call) => {
      await append(...call)
      throw new Error('the connection was lost')
    })
    await expect(room.submit(textUpdates('x')[0] as Uint8Array)).rejects.toThrow('could not be stored')
    await vi.waitFor(() => expect(room.version).toBe(1))
    expect(reader.sent).toHaveLength(2)
  })

  it('[R9] are told of what a room of theirs stored that failed meanwhile', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { pollMs: 10 } })
    const { append } = store
    let finish = (): void => {}
    vi.spyOn(store, 'append').mockImplementationOnce(async (...call) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return append(...call)
    })
    const first = await rooms.acquire('alice')
    const written = first.room.submit(textUpdates('x')[0] as Uint8Array)
    await vi.waitFor(() => expect(store.append).toHaveBeenCalled())
    // A row that refers to what will be, as no server stores one.
    first.room.receive({ version: 1, update: new Uint8Array([1, 2, 3]) })
    await expect(written).rejects.toThrow('loaded anew')
    const second = await rooms.acquire('alice')
    expect(second.room).not.toBe(first.room)
    finish()
    await vi.waitFor(() => expect(second.room.version).toBe(1))
    expect(textOf(second.document.encodeState())).toBe('x')
  })

  it('[R13] property "nodes converge": whoever writes where, at the same time, all documents are the same and every row is stored once', async () => {
    const write = fc.record({
      node: fc.nat(2),
      text: fc.string({ minLength: 1, maxLength: 3 }),
      loses: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 12 }), async (writes) => {
        const store = createMemoryLog()
        const hub = createLocalBusHub()
        const nodes = [0, 1, 2].map(() => {
          const bus = hub.connect()
          const timing = { ...defaultTiming, pollMs: 15 }
          return {
            bus,
            rooms: createRooms({ store, bus, limits: defaultLimits, timing, logger: silentLogger }),
          }
        })
        await Promise.all(nodes.map(({ rooms }) => rooms.acquire('alice')))
        await Promise.all(
          writes.map(async ({ node, text, loses }) => {
            const at = nodes[node] as (typeof nodes)[0]
            const doc = new Y.Doc()
            doc.getArray('a').push([text])
            const { publish } = at.bus
            if (loses) at.bus.publish = () => {}
            await at.rooms.enter('alice').room.submit(Y.encodeStateAsUpdate(doc))
            at.bus.publish = publish
          }),
        )
        const states = await Promise.all(
          nodes.map(async ({ rooms }) => {
            const { document } = await rooms.acquire('alice')
            return [document.version, document.doc.getArray('a').toArray()]
          }),
        )
        expect(states[0]?.[0]).toBe(writes.length)
        expect([...((states[0]?.[1] ?? []) as string[])].sort()).toEqual(
          writes.map(({ text }) => text).sort(),
        )
        for (const state of states) expect(state).toEqual(states[0])
        await Promise.all(nodes.map(({ rooms }) => rooms.close()))
      }),
      { numRuns: 40 },
    )
  })

  it('[R2] take nothing once they have left, from whoever still knows them', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { roomIdleMs: 1 } })
    const { room, release } = await rooms.acquire('alice')
    release()
    await vi.waitFor(() => expect(rooms.all()).toEqual([]))
    await room.idle()
    await expect(room.openDocument()).rejects.toThrow('closed')
    await expect(room.submit(textUpdates('x')[0] as Uint8Array)).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    expect((await store.load('alice')).version).toBe(0)
  })

  it('[R7] write nothing any more once they are dismissed, though they were being compacted', async () => {
    const store = createMemoryLog()
    const channel = { channelId: 'bob', channelType: 1 }
    for (const messageSeq of [1, 2]) {
      const message = { channel, messageSeq, fromUid: 'bob', timestamp: messageSeq * 1000 }
      await store.appendOwn('alice', { compose: detachMessages('alice', [message]).encode })
    }
    const { appendOwn } = store
    let finish = (): void => {}
    store.appendOwn = async (...call) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return appendOwn(...call)
    }
    const rooms = roomsOver(store)
    const { document } = await rooms.acquire('alice')
    void document.compact()
    const dismissed = rooms.dismiss('alice', CLOSE_CODES.forbidden, 'test').then(() => store.delete('alice'))
    await new Promise((resolve) => setTimeout(resolve, 10))
    finish()
    await dismissed
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await store.size('alice')).toBe(null)
  })

  it('[R14] sweep and compact a log that the server wrote without looking', async () => {
    const store = createMemoryLog()
    const rooms = roomsOver(store, { timing: { roomIdleMs: 10 } })
    const channel = { channelId: 'bob', channelType: 1 }
    for (let messageSeq = 1; messageSeq <= 30; messageSeq++) {
      const payload = { text: `text ${messageSeq}` }
      const message = { channel, messageSeq, fromUid: 'bob', timestamp: messageSeq * 1000, payload }
      await store.appendOwn('alice', {
        compose: detachMessages('alice', [message]).encode,
      })
    }
    const compact = vi.spyOn(store, 'compact')
    for (let n = 0; n < 3; n++) rooms.tidy('alice')
    await vi.waitFor(async () => expect((await store.load('alice')).rows).toEqual([]))
    expect(compact).toHaveBeenCalledTimes(1)
    const { snapshot, version } = await store.load('alice')
    expect([version, snapshot?.version]).toEqual([31, 31])
    const bytes = Buffer.from(snapshot?.update ?? []).toString('latin1')
    expect([bytes.includes('text 30'), bytes.includes('text 29')]).toEqual([true, false])
    rooms.tidy('alice')
    await vi.waitFor(() => expect(rooms.documents.count).toBe(0))
    expect((await store.load('alice')).version).toBe(31)
  })

  it('[I9] are served although their bad rows cannot be put aside, and compaction leaves those where they are', async () => {
    const store = createMemoryLog()
    await store.append('alice', new Uint8Array([1, 2, 3]))
    for (let n = 0; n < 60; n++) await store.append('alice', textUpdates('x')[0] as Uint8Array)
    const quarantine = vi.spyOn(store, 'quarantine').mockRejectedValue(new Error('No space left on device'))
    const rooms = roomsOver(store, { timing: { roomIdleMs: 0 } })
    const { document, release } = await rooms.acquire('alice')
    expect(textOf(document.encodeState())).toBe('x'.repeat(60))
    release()
    await rooms.close()
    const { snapshot, rows } = await store.load('alice')
    expect([snapshot?.version, rows.map(({ version }) => version)]).toEqual([61, [1]])
    quarantine.mockRestore()
    await roomsOver(store).acquire('alice')
    expect((await store.size('alice'))?.quarantined.map(({ version }) => version)).toEqual([1])
  })
})
