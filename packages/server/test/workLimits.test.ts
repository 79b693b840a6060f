import { encodeAcknowledgeRequest, encodeToken, SUBPROTOCOL } from '@parley/core'
import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  connectRaw,
  isSyncAnswer,
  startServer,
  storedDoc,
  syncMessage,
  textUpdate,
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
    client.send(syncMessage(2, siblings(4_000)))
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
})
