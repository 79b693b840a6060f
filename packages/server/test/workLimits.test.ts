import { encodeAcknowledgeRequest, encodeToken, SUBPROTOCOL } from '@parley/core'
import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { verifyStore } from '../src/admin/repair/verify.js'
import { loadRoom } from '../src/room/loadRoom.js'
import {
  connectRaw,
  isSyncAnswer,
  startServer,
  storedDoc,
  syncMessage,
  textUpdate,
  until,
} from './support/harness.js'

type Item = (encoder: encoding.Encoder) => void

/** A text at the head of the root type `t`, or behind an item. */
function text(content: string, after?: readonly [client: number, clock: number]): Item {
  return (encoder) => {
    encoding.writeUint8(encoder, after ? 4 | 128 : 4)
    for (const part of after ?? [1]) encoding.writeVarUint(encoder, part)
    if (!after) encoding.writeVarString(encoder, 't')
    encoding.writeVarString(encoder, content)
  }
}

function encodeItems(clients: ReadonlyArray<{ client: number; items: readonly Item[] }>): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, clients.length)
  for (const { client, items } of clients) {
    for (const part of [items.length, client, 0]) encoding.writeVarUint(encoder, part)
    for (const write of items) write(encoder)
  }
  encoding.writeVarUint(encoder, 0)
  return encoding.toUint8Array(encoder)
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** Two clients that insert `n` times each at the same position: applied, it takes `n * n` steps. */
function siblings(n: number): Uint8Array {
  return encodeItems([
    { client: 1, items: times(n, () => text('a')) },
    { client: 2, items: [text('z', [1, n - 1]), ...times(n, () => text('b'))] },
  ])
}

describe('what one connection sends', () => {
  it('[WORK1] is refused with 4413 if it takes too many steps, before it is stored', async () => {
    const { room, store } = await startServer()
    const other = await connectRaw(room('bob'))
    const client = await connectRaw(room('alice'))
    client.send(syncMessage(2, siblings(800)))
    expect(await client.closed).toMatchObject({ code: 4413, reason: expect.stringMatching(/steps/) })
    expect((await store.load('alice')).version).toBe(0)
    other.send(syncMessage(2, textUpdate('b')))
    other.send(0, 0, 1, 0)
    await other.frame(isSyncAnswer)
    expect((await storedDoc(store, 'bob')).getText('t').toString()).toBe('b')
  })

  it('[WORK1] counts the steps across the updates of a room too', async () => {
    const { room, store } = await startServer()
    const client = await connectRaw(room('alice'))
    client.send(syncMessage(2, encodeItems([{ client: 1, items: times(2_000, () => text('a')) }])))
    const second = [text('z', [1, 1_999]), ...times(2_000, () => text('b'))]
    client.send(syncMessage(2, encodeItems([{ client: 2, items: second }])))
    expect(await client.closed).toMatchObject({ code: 4413, reason: expect.stringMatching(/steps/) })
    expect((await storedDoc(store, 'alice')).getText('t').length % 2_000).toBe(0)
  })

  const author = new Y.Doc()
  author.getText('t').insert(0, 'hello')
  const update = Y.encodeStateAsUpdate(author)
  const behind = (bytes: Uint8Array, ...tail: number[]): Uint8Array => Uint8Array.from([...bytes, ...tail])
  const MALFORMED: Record<string, Uint8Array> = {
    'an update with a byte behind it': syncMessage(2, behind(update, 0)),
    'an update in the second encoding': syncMessage(2, Y.encodeStateAsUpdateV2(author)),
    'an answer with a byte behind it': syncMessage(1, behind(update, 0)),
    'a frame with a byte behind an update': behind(syncMessage(2, update), 0),
    'a state vector with a byte behind it': syncMessage(0, Uint8Array.of(0, 0)),
    'a frame with a byte behind a state vector': Uint8Array.of(0, 0, 1, 0, 7),
    'awareness with a byte behind it': Uint8Array.of(1, 2, 0, 0),
    'a frame with a byte behind awareness': Uint8Array.of(1, 1, 0, 0),
    'a question for awareness with a byte behind it': Uint8Array.of(3, 0),
    'a request for an acknowledgement with a byte behind it': behind(encodeAcknowledgeRequest(1), 0),
    'a token with a byte behind it': behind(encodeToken('x'), 0),
  }
  for (const [name, frame] of Object.entries(MALFORMED)) {
    it(`[WORK2] is refused with 4400 if it is ${name}`, async () => {
      const { room, store } = await startServer()
      const client = await connectRaw(room('alice'), { protocols: [SUBPROTOCOL] })
      client.send(frame)
      client.send(encodeAcknowledgeRequest(1))
      expect(await client.closed).toMatchObject({ code: 4400 })
      expect(client.frames.some((received) => received[0] === 112)).toBe(false)
      expect((await store.load('alice')).version).toBe(0)
    })
  }

  it('[WORK3] is stored in pieces if it has many structs, and acknowledged when all of it is', async () => {
    const { room, store } = await startServer()
    const client = await connectRaw(room('alice'), { protocols: [SUBPROTOCOL] })
    client.send(syncMessage(2, encodeItems([{ client: 1, items: [text('a')] }])))
    const deep = times(20_000, (index) => text('b', index === 0 ? [1, 0] : [2, index - 1]))
    client.send(syncMessage(2, encodeItems([{ client: 2, items: deep }])))
    client.send(encodeAcknowledgeRequest(7))
    await client.frame((frame) => frame[0] === 112)
    const { rows } = await store.load('alice')
    expect(rows.length).toBeGreaterThan(4)
    expect((await storedDoc(store, 'alice')).getText('t').length).toBe(20_001)
  })

  it('[WORK4] that is stored and takes too many steps is put into quarantine, and the rest is served', async () => {
    const { room, store } = await startServer()
    await store.append('alice', textUpdate('kept', 7))
    await store.append('alice', siblings(4_000))
    const { sound, damage } = await verifyStore(store)
    expect(sound).toBe(false)
    expect(damage).toMatchObject([
      { room: 'alice', part: 'row', version: 2, reason: expect.stringMatching(/steps/) },
    ])
    const client = await connectRaw(room('alice'))
    client.send(0, 0, 1, 0)
    await client.frame(isSyncAnswer)
    const size = await store.size('alice')
    expect(size?.quarantined).toMatchObject([{ version: 2, reason: expect.stringMatching(/steps/) }])
    client.send(syncMessage(2, textUpdate('more', 8)))
    client.send(0, 0, 1, 0)
    await until('it is stored', () => client.frames.filter(isSyncAnswer).length === 2)
    expect((await storedDoc(store, 'alice')).getText('t').length).toBe(8)
  })

  it('[WORK4] that became a snapshot keeps its room from being served, and no other', async () => {
    const { room, store } = await startServer()
    await store.append('alice', textUpdate('a', 7))
    await store.compact('alice', { through: 1, snapshot: siblings(4_000) })
    const { damage } = await verifyStore(store)
    expect(damage).toMatchObject([
      { room: 'alice', part: 'snapshot', reason: expect.stringMatching(/steps/) },
    ])
    expect(await (await connectRaw(room('alice'))).closed).toMatchObject({ code: 4503 })
    const other = await connectRaw(room('bob'))
    other.send(0, 0, 1, 0)
    await other.frame(isSyncAnswer)
  })

  it('[WORK4] is loaded in slices, however large it is', async () => {
    const { store } = await startServer()
    const chain = times(60_000, (index) => text('ab', index === 0 ? undefined : [1, 2 * index - 1]))
    await store.append('alice', encodeItems([{ client: 1, items: chain }]))
    let turns = 0
    let isLoading = true
    const count = (): void => {
      turns++
      if (isLoading) setImmediate(count)
    }
    count()
    const { doc } = await loadRoom(store, 'alice')
    isLoading = false
    expect(doc.getText('t').length).toBe(120_000)
    expect(turns).toBeGreaterThan(5)
  })

  it('[WORK5] is refused where it adds up to too many steps with all before', async () => {
    const { room, store } = await startServer()
    const client = await connectRaw(room('alice'))
    client.send(syncMessage(2, encodeItems([{ client: 1, items: times(2_000, () => text('a')) }])))
    for (let id = 2; id < 200; id++) {
      client.send(
        syncMessage(
          2,
          encodeItems([{ client: id, items: [text('z', [1, 1_999]), ...times(15, () => text('b'))] }]),
        ),
      )
      client.send(0, 0, 1, 0)
    }
    expect(await client.closed).toMatchObject({ code: 4413, reason: expect.stringMatching(/steps to load/) })
    const { rows } = await store.load('alice')
    expect(rows.length).toBeGreaterThan(10)
    expect(rows.length).toBeLessThan(100)
    expect((await loadRoom(store, 'alice')).quarantined).toEqual([])
  })

  it('[WORK6] gets one full answer for requests that come together, and an empty one for each other', async () => {
    const { room, store } = await startServer()
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'x'.repeat(10_000))
    await store.append('alice', Y.encodeStateAsUpdate(doc))
    const client = await connectRaw(room('alice'))
    for (let request = 0; request < 50; request++) client.send(0, 0, 1, 0)
    await until('all are answered', () => client.frames.filter(isSyncAnswer).length === 50)
    const full = client.frames.filter((frame) => frame.byteLength > 10_000)
    expect(full.length).toBeLessThanOrEqual(3)
  })

  it('[WORK6] waits for its next answer once it was sent more than it may be', async () => {
    const { room, store } = await startServer({
      limits: { answerBytesPerConnection: { perSecond: 20_000, burst: 10_000 } },
    })
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'x'.repeat(20_000))
    await store.append('alice', Y.encodeStateAsUpdate(doc))
    const client = await connectRaw(room('alice'))
    const started = performance.now()
    for (let request = 1; request <= 3; request++) {
      client.send(0, 0, 1, 0)
      await until('it is answered', () => client.frames.filter(isSyncAnswer).length === request)
    }
    // 20,000 bytes beyond the burst before the third answer.
    expect(performance.now() - started).toBeGreaterThan(500)
  })

  it('[WORK7] is refused with 4403 if it may only read, whatever it would cost', async () => {
    const { room, store } = await startServer({ auth: ({ uid = '' }) => ({ uid, readOnly: true }) })
    const client = await connectRaw(room('alice'))
    client.send(syncMessage(2, siblings(4_000)))
    expect(await client.closed).toMatchObject({ code: 4403 })
    expect((await store.load('alice')).version).toBe(0)
  })
})
