import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { Inbox, type InboxClient } from '../src/connection/inbox.js'
import { createMemoryLog, defaultLimits, type LogFields, type Server, silentLogger } from '../src/index.js'
import { damagedFrames, type FrameSource, misleadingFrames, randomFrames } from './support/fuzzFrames.js'
import { type Running, startServer, until } from './support/harness.js'
import { heldBytes } from './support/memory.js'
import { createRandom, type Random } from './support/random.js'
import { createWitness } from './support/witness.js'

/** How many frames of each kind; `pnpm test:soak frames` sends 350,000. */
const INPUTS = Number(process.env.PARLEY_FRAMES ?? 100_000)
/** So many frames go into one room, each from a connection of its own. */
const INPUTS_PER_ROOM = 1_000
/** So many connections are there at a time. */
const CROWD = 100
/** What may be left of all that: code that was compiled, and caches. */
const LEFT_BYTES = 24 * 1024 * 1024

/** What frames of this kind may be answered with: they are wrong, claim to hold too much, or build on what no document has. */
const CODES = new Set([4400, 4413, 4503])

/** A room as it is before anybody harms it: three clients wrote in it, with ids that the fuzz knows. */
function seedUpdate(): Uint8Array {
  const updates = [1, 2, 3].map((client) => {
    const doc = new Y.Doc()
    doc.clientID = client
    doc.getText('t').insert(0, 'abc')
    doc.getArray('e0').push(['entry'])
    doc.getMap('m').set('key', client)
    return Y.encodeStateAsUpdate(doc)
  })
  return Y.mergeUpdates(updates)
}

/** What became of the frames: how many were refused with which code, and how many were taken in or changed nothing. */
type Outcomes = Map<number | 'taken', number>

/** What one room gets. */
interface Siege {
  readonly uid: string
  readonly frames: FrameSource
  readonly outcomes: Outcomes
}

/** Lets each frame in on a connection of its own. */
async function feed(server: Server, { uid, frames, outcomes }: Siege): Promise<void> {
  const lease = server.rooms.enter(uid)
  const { room } = lease
  const note = (code: number | 'taken'): void => void outcomes.set(code, (outcomes.get(code) ?? 0) + 1)
  for (let left = INPUTS_PER_ROOM; left > 0; left -= CROWD) {
    const seats = Array.from({ length: CROWD }, () => {
      let refusedWith: number | null = null
      const refuse = (code: number): void => {
        refusedWith ??= code
      }
      const seat = room.join({ readOnly: false, send: () => {}, sendAnswer: (_, sent) => sent(), refuse })
      const client: InboxClient = {
        ...{ speaksParley: true, readOnly: false, limits: defaultLimits, logger: silentLogger },
        ...{ session: { renew: () => {} }, visit: { complete: () => null } },
        digests: { compare: async () => 'skipped' },
        ...{ sendNow: () => {}, refuse, offerAwareness: (update) => seat.receiveAwareness(update) },
      }
      new Inbox(client, room, seat).receive(frames(), true)
      return { seat, outcome: () => refusedWith ?? 'taken' }
    })
    await room.idle()
    for (const { seat, outcome } of seats) {
      note(outcome())
      seat.leave()
    }
    await room.idle()
  }
  lease.release()
}

/** Feeds a room, then looks at it as it comes out of the log: nothing that was stored may keep it from being loaded. */
async function besiege({ server, store }: Running, siege: Siege): Promise<void> {
  const { uid } = siege
  await store.append(uid, seedUpdate())
  await feed(server, siege)
  const alive = await server.rooms.acquire(uid)
  const state = Y.encodeStateVector(alive.document.doc)
  alive.release()
  const { snapshot, rows } = await store.load(uid)
  const doc = new Y.Doc()
  for (const row of [...(snapshot ? [snapshot] : []), ...rows]) Y.applyUpdate(doc, row.update)
  expect(Y.encodeStateVector(doc)).toEqual(state)
  expect([doc.store.pendingStructs, doc.store.pendingDs]).toEqual([null, null])
  expect((await store.size(uid))?.quarantined).toEqual([])
  doc.destroy()
  await until('the room is let go', () => server.rooms.all().every(({ name }) => name !== uid))
  await store.delete(uid)
}

describe(`${INPUTS} inputs of each kind close with a documented code, and harm nothing`, () => {
  const kinds: Array<
    [string, (random: Random) => FrameSource, least: Partial<Record<number | 'taken', number>>]
  > = [
    ['[I1] random bytes', randomFrames, { 4400: INPUTS / 2 }],
    [
      '[I2] frames cut off or with flipped bits',
      damagedFrames,
      { 4400: INPUTS / 2, 4503: INPUTS / 200, taken: INPUTS / 20 },
    ],
    [
      '[I2] [I3] updates of wrong ids',
      misleadingFrames,
      { 4400: INPUTS / 100, 4503: INPUTS / 10, taken: INPUTS / 100 },
    ],
  ]
  it.each(kinds)('%s', { timeout: 120_000 + INPUTS * 5 }, async (title, sourceOf, least) => {
    const errors: Array<[LogFields, string]> = []
    const running = await startServer({
      store: createMemoryLog(),
      timing: { roomIdleMs: 1 },
      limits: { cachedBytes: 1 },
      logger: { ...silentLogger, error: (fields, message) => errors.push([fields, message]) },
    })
    const witness = await createWitness(running)
    const frames = sourceOf(createRandom(20_261_126))
    const outcomes: Outcomes = new Map()
    // Once before it counts, so that all code is there.
    await besiege(running, { uid: 'warm up', frames: sourceOf(createRandom(1)), outcomes: new Map() })
    const before = await heldBytes()
    for (let room = 0; room < INPUTS / INPUTS_PER_ROOM; room++) {
      await besiege(running, { uid: `room ${room}`, frames, outcomes })
      await witness.check()
    }
    expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(INPUTS)
    for (const outcome of outcomes.keys())
      if (outcome !== 'taken') expect([title, CODES.has(outcome), outcome]).toEqual([title, true, outcome])
    for (const [outcome, count = 0] of Object.entries(least)) {
      const found = outcomes.get(outcome === 'taken' ? outcome : Number(outcome)) ?? 0
      expect([outcome, found >= count, found]).toEqual([outcome, true, found])
    }
    expect(errors).toEqual([])
    witness.expectUndisturbed()
    expect((await heldBytes()) - before).toBeLessThan(LEFT_BYTES)
  })
})
