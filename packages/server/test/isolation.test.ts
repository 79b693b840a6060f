import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { AccessError, type Authenticate, createMemoryLog, type LogStore } from '../src/index.js'
import {
  type Closed,
  connectRaw,
  connectStock,
  isSyncAnswer,
  isUpdate,
  type Running,
  type StockClient,
  startServer,
  storedDoc,
  syncMessage,
  textUpdate,
  until,
} from './support/harness.js'

const TOKENS = new Map([
  ['alice-token', 'alice'],
  ['bob-token', 'bob'],
])
const authenticate: Authenticate = ({ uid = '', token }) => {
  if (token === 'reader') return { uid, readOnly: true }
  if (token === 'broken') throw new Error('the session store is away')
  const who = TOKENS.get(token ?? '')
  if (who === undefined) throw new AccessError('unauthenticated', 'the token is unknown')
  return { uid: who }
}

/** Items of client 1 whose left neighbour is the item itself: it decodes, and cannot be applied to any document. */
const SELF_REFERRING = new Uint8Array([1, 1, 1, 0, 0x84, 1, 0, 1, 0x61, 0])

/** What a client answers that has nothing the server lacks. */
const NOTHING_MORE = syncMessage(1, new Uint8Array([0, 0]))

/** An update that builds on one that is not there. */
function updateWithGap(): Uint8Array {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.getText('t').insert(0, 'a')
  doc.on('update', (update: Uint8Array) => updates.push(update))
  doc.getText('t').insert(1, 'b')
  return updates[0] as Uint8Array
}

/** Sees to it that after what `harm` does, another room and the same room work as before. */
async function expectNoHarm(running: Running, harm: () => Promise<void>): Promise<void> {
  const [alice, bob] = [connectStock(running, 'alice'), connectStock(running, 'bob')]
  await Promise.all([alice.synced, bob.synced])
  alice.doc.getText('t').insert(0, 'before')
  await until(
    'it is stored',
    async () => (await storedDoc(running.store, 'alice')).getText('t').toString() === 'before',
  )
  await harm()
  const works = async (client: StockClient, uid: string): Promise<void> => {
    const text = `${uid} after ${Math.random()}`
    client.doc.getText('after').insert(0, text)
    const other = connectStock(running, uid)
    await until(`${uid} works`, () => other.doc.getText('after').toString().startsWith(text))
  }
  await Promise.all([works(alice, 'alice'), works(bob, 'bob')])
  expect([...alice.closes, ...bob.closes]).toEqual([])
  const again = connectStock(running, 'alice')
  await again.synced
  expect(again.doc.getText('t').toString()).toBe('before')
}

describe('who may', () => {
  it('[A1] closes with 4401 without a token or with a wrong one, and the stock client stops', async () => {
    const running = await startServer({ auth: authenticate, timing: { firstMessageMs: 100 } })
    for (const query of ['', '?token=', '?token=wrong']) {
      const { closed } = await connectRaw(running.room('alice') + query)
      expect(await closed).toEqual({ code: 4401, reason: 'the token is unknown' })
    }
    const stock = connectStock(running, 'alice', { params: { token: 'wrong' } })
    await until('it gives up', () => !stock.provider.shouldConnect)
    expect(stock.attempts()).toBe(1)
    expect(stock.closes).toEqual([{ code: 4401, reason: 'the token is unknown' }])
  })

  it('[A1] takes the token from the query and from a subprotocol, and echoes it in neither case', async () => {
    const running = await startServer({ auth: authenticate })
    const stock = connectStock(running, 'alice', { params: { token: 'alice-token' } })
    await stock.synced
    const raw = await connectRaw(running.room('alice'), {
      protocols: ['parley.token.alice-token', 'parley.1'],
    })
    expect(raw.socket.protocol).toBe('parley.1')
    raw.send(0, 0, 1, 0)
    await raw.frame(isSyncAnswer)
  })

  it('[A2] closes with 4403 at the room of another user', async () => {
    const running = await startServer({ auth: authenticate })
    const { closed, frames } = await connectRaw(`${running.room('alice')}?token=bob-token`)
    expect(await closed).toEqual({ code: 4403, reason: 'the room is not yours' })
    expect(frames).toEqual([])
  })

  it('[A2] lets who may only read read, and closes with 4403 when they write', async () => {
    const running = await startServer({ auth: authenticate })
    await running.store.append('alice', textUpdate('hello'))
    const reader = connectStock(running, 'alice', { params: { token: 'reader' } })
    await reader.synced
    expect(reader.doc.getText('t').toString()).toBe('hello')
    reader.doc.getText('t').insert(0, 'changed')
    await until('it is closed', () => reader.closes.length > 0)
    expect(reader.closes).toEqual([{ code: 4403, reason: 'this connection may only read' }])
    expect((await storedDoc(running.store, 'alice')).getText('t').toString()).toBe('hello')
  })

  it('[A3] closes with 4503, to be tried again, when it cannot be decided', async () => {
    const running = await startServer({
      auth: (request) => (request.token === 'slow' ? new Promise(() => {}) : authenticate(request)),
      timing: { authenticateMs: 50 },
    })
    for (const token of ['broken', 'slow']) {
      const { closed } = await connectRaw(`${running.room('alice')}?token=${token}`)
      expect(await closed).toEqual({ code: 4503, reason: 'who you are could not be checked' })
    }
  })

  it('[A4] never logs a token or what a message says', async () => {
    const lines: string[] = []
    const log = (fields: object, message: string): void => {
      const members = Object.entries(fields).map(([name, value]) =>
        value instanceof Error ? [name, `${value.message} ${value.stack}`] : [name, value],
      )
      lines.push(JSON.stringify([message, members]))
    }
    const running = await startServer({
      auth: authenticate,
      logger: { debug: log, info: log, warn: log, error: log },
    })
    for (const token of ['alice-token', 'bob-token', 'wrong-token', 'broken']) {
      const raw = await connectRaw(`${running.room('alice')}?token=${token}`, {
        protocols: ['parley.1', ...(token === 'wrong-token' ? [`parley.token.${token}`] : [])],
      })
      raw.send(syncMessage(2, textUpdate('a secret text')))
      raw.send(syncMessage(2, SELF_REFERRING))
      await raw.closed
    }
    await fetch(`${running.url}/nowhere?token=alice-token`)
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.join('\n')).not.toMatch(/-token|secret/)
  })
})

describe('addresses', () => {
  it('[A5] closes with 4404 where there is no room', async () => {
    const running = await startServer()
    const base = running.url.replace('http', 'ws')
    const paths = [
      '/',
      '/sync',
      '/sync/',
      '/sync/a/b',
      '/sync/a/',
      '/sync/%E0%A4',
      '/sync/%',
      '/sync/%00',
      '/other/a',
      '//sync/a',
    ]
    for (const path of [...paths, `/sync/${'a'.repeat(201)}`, '/sync/?uid=a']) {
      const { closed } = await connectRaw(base + path)
      expect({ path, ...(await closed) }).toEqual({ path, code: 4404, reason: 'the address names no room' })
    }
  })

  it('[A5] takes any name of 1 to 200 characters, percent-encoded, and keeps them apart', async () => {
    const running = await startServer()
    for (const uid of ['a', 'a/b', '../a', 'ä ü', '🙂'.repeat(200), '%2F', 'a?b#c', 'a'.repeat(200)]) {
      const raw = await connectRaw(running.room(uid))
      raw.send(syncMessage(2, textUpdate(uid)))
      raw.send(0, 0, 1, 0)
      await raw.frame(isSyncAnswer)
      expect((await storedDoc(running.store, uid)).getText('t').toString()).toBe(uid)
    }
  })

  it('[A5] answers plain HTTP with 404, and with 426 at a room', async () => {
    const { url } = await startServer()
    const statuses = await Promise.all(
      ['/', '/nowhere', '/sync/alice', '/healthz', '/readyz'].map(
        async (path) => (await fetch(url + path)).status,
      ),
    )
    expect(statuses).toEqual([404, 404, 426, 200, 200])
  })

  it('[A6] selects parley.1 when it is offered, no subprotocol when none is, and refuses others', async () => {
    const running = await startServer()
    const protocolOf = async (...protocols: string[]): Promise<string | Closed> => {
      const raw = await connectRaw(running.room('alice'), { protocols })
      raw.send(0, 0, 1, 0)
      return Promise.race([raw.closed, raw.frame(isSyncAnswer).then(() => raw.socket.protocol)])
    }
    expect(await protocolOf()).toBe('')
    expect(await protocolOf('parley.1')).toBe('parley.1')
    expect(await protocolOf('graphql-ws', 'parley.1')).toBe('parley.1')
    // The ws client itself ends a connection whose offers were not answered; a raw upgrade shows the close frame.
    await expect(protocolOf('graphql-ws')).rejects.toThrow('subprotocol')
    await expect(protocolOf('parley.token.abc')).rejects.toThrow('subprotocol')
  })
})

describe('what a connection sends', () => {
  const cases: Array<{ title: string; send: Uint8Array | string; code: number; reason: RegExp }> = [
    { title: '[I1] a text frame', send: 'hello', code: 4400, reason: /text frames/ },
    {
      title: '[I1] the text frame that made another server allocate 200 MB',
      send: '\x00\x02\xc0\x84=\xff\xff\xff\x7f',
      code: 4400,
      reason: /text frames/,
    },
    { title: '[I1] an empty frame', send: new Uint8Array(), code: 4400, reason: /cut off/ },
    {
      title: '[I1] an unknown message type',
      send: new Uint8Array([42, 1, 2]),
      code: 4400,
      reason: /unknown message type 42/,
    },
    {
      title: '[I1] an unknown sync step',
      send: new Uint8Array([0, 7, 0]),
      code: 4400,
      reason: /unknown sync message 7/,
    },
    {
      title: '[I1] an authentication message, which only servers send',
      send: new Uint8Array([2, 0, 1, 0x61]),
      code: 4400,
      reason: /unknown message type 2/,
    },
    {
      title: '[I1] an acknowledgement request outside of parley.1',
      send: new Uint8Array([112, 1]),
      code: 4400,
      reason: /parley\.1/,
    },
    {
      title: '[I1] a length beyond the frame',
      send: new Uint8Array([0, 2, 200, 1, 0]),
      code: 4400,
      reason: /cut off/,
    },
    {
      title: '[I1] a length of 2^40',
      send: new Uint8Array([0, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0]),
      code: 4400,
      reason: /cut off/,
    },
    {
      title: '[I1] a state vector that is none',
      send: new Uint8Array([0, 0, 3, 255, 255, 255]),
      code: 4400,
      reason: /state vector/,
    },
    {
      title: '[I1] an awareness update that is none',
      send: new Uint8Array([1, 4, 1, 1, 1, 50]),
      code: 4400,
      reason: /awareness/,
    },
    {
      title: '[I1] awareness that is no JSON',
      send: new Uint8Array([1, 5, 1, 1, 1, 1, 0x7b]),
      code: 4400,
      reason: /awareness/,
    },
    {
      title: '[I2] a corrupted update',
      send: syncMessage(2, new Uint8Array([1, 2, 3, 4, 5, 255, 255])),
      code: 4400,
      reason: /not a Yjs update/,
    },
    {
      title: '[I2] an update cut off',
      send: syncMessage(2, textUpdate('hello').subarray(0, 9)),
      code: 4400,
      reason: /not a Yjs update/,
    },
    {
      title: '[I2] a self-referring update',
      send: syncMessage(2, SELF_REFERRING),
      code: 4400,
      reason: /refers to itself/,
    },
    {
      title: '[I2] a self-referring answer to the sync',
      send: syncMessage(1, SELF_REFERRING),
      code: 4400,
      reason: /refers to itself/,
    },
    {
      title: '[I3] an update with a gap, to be synced again',
      send: syncMessage(2, updateWithGap()),
      code: 4503,
      reason: /sync again: client \d+ from clock 0/,
    },
    {
      title: '[I4] an update over the quota',
      send: syncMessage(2, textUpdate('x'.repeat(50_500))),
      code: 4413,
      reason: /50000 bytes/,
    },
    { title: '[I4] a frame over what ws takes', send: new Uint8Array(200_000), code: 4413, reason: /larger/ },
  ]
  for (const { title, send, code, reason } of cases) {
    it(`${title} closes with ${code} and a reason, and does no harm`, async () => {
      const running = await startServer({ limits: { documentBytes: 50_000, awarenessBytes: 1000 } })
      await expectNoHarm(running, async () => {
        const raw = await connectRaw(running.room('alice'))
        raw.send(NOTHING_MORE)
        raw.socket.send(send)
        const closed = await raw.closed
        expect(closed.code).toBe(code)
        expect(closed.reason).toMatch(reason)
      })
    })
  }

  it('[I1] a length beyond the frame reads nothing of the process, also where ws puts a frame together in shared memory', async () => {
    const running = await startServer()
    const reader = await connectRaw(running.room('alice'))
    await reader.frame((frame) => frame[0] === 0)
    const raw = await connectRaw(running.room('alice'))
    raw.socket.send(new Uint8Array([0, 2, 200]), { fin: false })
    raw.socket.send(new Uint8Array([1, 0]), { fin: true })
    expect(await raw.closed).toEqual({ code: 4400, reason: 'the frame is cut off' })
  })

  it('[I2] the self-referring update is one that cannot be applied', () => {
    expect(() => Y.applyUpdate(new Y.Doc(), SELF_REFERRING)).toThrow()
  })

  it('[I3] waits for the answer to its own sync before it calls a gap a gap: who was offline types on meanwhile', async () => {
    const running = await startServer()
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'offline')
    const typed: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => typed.push(update))
    for (const letter of ' and on') doc.getText('t').insert(doc.getText('t').length, letter)
    const raw = await connectRaw(running.room('alice'), { protocols: ['parley.1'] })
    for (const update of typed) raw.send(syncMessage(2, update))
    raw.send(112, 7)
    await raw.frame((frame) => frame[0] === 0 && frame[1] === 0)
    await new Promise((resolve) => setTimeout(resolve, 30))
    // Neither closed, nor told that it is safe.
    expect(raw.socket.readyState).toBe(raw.socket.OPEN)
    expect(raw.frames.some((frame) => frame[0] === 112)).toBe(false)
    raw.send(syncMessage(1, Y.encodeStateAsUpdate(doc)))
    await raw.frame((frame) => frame[0] === 112)
    expect((await storedDoc(running.store, 'alice')).getText('t').toString()).toBe('offline and on')
  })

  it('[I3] closes with 4503 when that answer does not come', async () => {
    const running = await startServer({ timing: { heartbeatMs: 20 } })
    const raw = await connectRaw(running.room('alice'))
    raw.send(syncMessage(2, updateWithGap()))
    expect(await raw.closed).toMatchObject({
      code: 4503,
      reason: expect.stringMatching(/^sync again: client/),
    })
    expect(await running.store.size('alice')).toBe(null)
  })

  it('[I3] stops without waiting for an answer that does not come', { timeout: 10_000 }, async () => {
    const running = await startServer()
    const raw = await connectRaw(running.room('alice'))
    raw.send(syncMessage(2, updateWithGap()))
    await raw.frame((frame) => frame[0] === 0)
    await running.server.close()
    expect((await raw.closed).code).toBe(1012)
  })

  it('[I5] drops all that follows an update that was not stored, and reaches no later barrier', async () => {
    const running = await startServer()
    const raw = await connectRaw(running.room('alice'), { protocols: ['parley.1'] })
    raw.send(NOTHING_MORE)
    raw.send(syncMessage(2, textUpdate('one', 1)))
    raw.send(112, 1)
    await raw.frame((frame) => frame[0] === 112)
    raw.send(syncMessage(2, textUpdate('two', 2)))
    raw.send(syncMessage(2, updateWithGap()))
    raw.send(syncMessage(2, textUpdate('three', 3)))
    raw.send(112, 2)
    raw.send(0, 0, 1, 0)
    expect((await raw.closed).code).toBe(4503)
    expect(raw.frames.filter((frame) => frame[0] === 112)).toHaveLength(1)
    expect(raw.frames.some(isSyncAnswer)).toBe(false)
    const doc = await storedDoc(running.store, 'alice')
    expect(doc.getText('t').toString()).toMatch(/^(onetwo|twoone)$/)
  })

  it('[I5] closes with 4503 when the store fails, acknowledges nothing, and the client gets through when it works again', async () => {
    const store = createMemoryLog()
    const { append } = store
    let broken = false
    store.append = (room, update) =>
      broken ? Promise.reject(new Error('No space left on device')) : append(room, update)
    const running = await startServer({ store })
    const stock = connectStock(running, 'alice')
    const other = connectStock(running, 'alice')
    await Promise.all([stock.synced, other.synced])
    broken = true
    const raw = await connectRaw(running.room('alice'), { protocols: ['parley.1'] })
    raw.send(syncMessage(2, textUpdate('raw', 1)))
    raw.send(112, 1)
    raw.send(0, 0, 1, 0)
    expect(await raw.closed).toEqual({ code: 4503, reason: 'the update could not be stored' })
    expect(raw.frames.filter((frame) => frame[0] === 112 || isSyncAnswer(frame))).toEqual([])
    stock.doc.getText('t').insert(0, 'kept')
    await until('it is told', () => stock.closes.length > 0)
    expect(stock.closes[0]?.code).toBe(4503)
    // Nobody was shown what is not stored.
    expect(other.doc.getText('t').toString()).toBe('')
    broken = false
    await until('it got through', () => other.doc.getText('t').toString() === 'kept')
    expect((await storedDoc(store, 'alice')).getText('t').toString()).toBe('kept')
  })

  it('[I6] closes with 4503 when a room cannot be loaded, never serves an empty one, and loads it when it can', async () => {
    const store: LogStore = createMemoryLog()
    await store.append('alice', textUpdate('precious'))
    const { load } = store
    let broken = true
    store.load = (room) => (broken && room === 'alice' ? Promise.reject(new Error('no')) : load(room))
    const running = await startServer({ store })
    const raw = await connectRaw(running.room('alice'))
    raw.send(syncMessage(2, textUpdate('written over it')))
    expect(await raw.closed).toEqual({ code: 4503, reason: 'the room could not be loaded' })
    expect(raw.frames).toEqual([])
    const bob = connectStock(running, 'bob')
    await bob.synced
    broken = false
    const alice = connectStock(running, 'alice')
    await alice.synced
    expect(alice.doc.getText('t').toString()).toBe('precious')
  })

  it('[I7] closes with 4508 who reads too slowly, and not who is being sent a large document', {
    timeout: 20_000,
  }, async () => {
    const codes: number[] = []
    const running = await startServer({
      limits: { bufferedBytes: 100_000 },
      // Who does not read answers no ping either; here that must not be what ends the connection.
      timing: { heartbeatMs: 2000 },
      onRefused: ({ code }) => codes.push(code),
    })
    await running.store.append('alice', textUpdate('x'.repeat(20_000_000)))
    const slow = await connectRaw(running.room('alice'))
    slow.send(0, 0, 1, 0)
    slow.socket.pause()
    const writer = connectStock(running, 'alice')
    await writer.synced
    writer.doc.getText('more').insert(0, 'while the answer is under way')
    await until('it is stored', async () => ((await running.store.size('alice'))?.version ?? 0) > 1)
    expect(codes).toEqual([])
    slow.socket.resume()
    await slow.frame(isSyncAnswer)
    slow.socket.pause()
    await until('it is closed', () => {
      writer.doc.getText('more').insert(0, 'y'.repeat(200_000))
      return codes.includes(4508)
    })
    slow.socket.resume()
    expect(await slow.closed).toMatchObject({ code: 4508 })
    expect(writer.closes).toEqual([])
  })

  it('[I8] passes on to others only what is new, and nothing that was known', async () => {
    const running = await startServer()
    const reader = await connectRaw(running.room('alice'))
    reader.send(0, 0, 1, 0)
    await reader.frame(isSyncAnswer)
    const writer = await connectRaw(running.room('alice'), { protocols: ['parley.1'] })
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'x'.repeat(10_000))
    doc.getText('t').delete(0, 5000)
    const all = Y.encodeStateAsUpdate(doc)
    writer.send(syncMessage(1, all))
    writer.send(syncMessage(1, all))
    doc.getText('t').insert(0, 'y')
    writer.send(syncMessage(1, Y.encodeStateAsUpdate(doc)))
    writer.send(112, 9)
    expect(await writer.frame((frame) => frame[0] === 112)).toEqual(new Uint8Array([112, 9, 0, 1]))
    doc.getText('t').insert(0, 'z')
    writer.send(syncMessage(1, Y.encodeStateAsUpdate(doc)))
    writer.send(syncMessage(1, Y.encodeStateAsUpdate(doc)))
    writer.send(112, 10)
    await writer.frame((frame) => frame[0] === 112 && frame[1] === 10)
    const { rowCount, rowBytes } = (await running.store.size('alice')) ?? {}
    expect(rowCount).toBe(2)
    expect(rowBytes).toBeLessThan(5300)
    await until('the reader heard of both', () => reader.frames.filter(isUpdate).length === 2)
  })
})

describe('what is in the log', () => {
  it('[I9] a poison entry written by hand is put aside, and the rest is served', async () => {
    const store = createMemoryLog()
    await store.append('alice', textUpdate('before', 1))
    await store.append('alice', SELF_REFERRING)
    await store.append('alice', new Uint8Array([1, 2, 3]))
    await store.append('alice', textUpdate('after', 2))
    const running = await startServer({ store })
    const client = connectStock(running, 'alice')
    await client.synced
    expect(client.doc.getText('t').toString()).toMatch(/^(beforeafter|afterbefore)$/)
    expect((await store.size('alice'))?.quarantined.map(({ version }) => version)).toEqual([2, 3])
    client.doc.getText('t').insert(0, 'and on ')
    await until('it is stored', async () => (await storedDoc(store, 'alice')).getText('t').length === 18)
  })

  it('[I10] an entry with a gap waits, outlives compaction, and is served when the gap is closed', async () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    doc.getText('t').insert(0, 'a')
    doc.getText('t').insert(1, 'b')
    const [first, second] = updates as [Uint8Array, Uint8Array]
    const store = createMemoryLog()
    await store.append('alice', textUpdate('x', 1))
    await store.append('alice', second)
    for (let n = 0; n < 60; n++) await store.append('alice', textUpdate('y', 100 + n))
    const running = await startServer({ store, timing: { roomIdleMs: 1 } })
    const before = connectStock(running, 'alice')
    await before.synced
    expect(before.doc.getText('t').toString()).not.toContain('b')
    before.provider.destroy()
    await until('the room is compacted', async () => ((await store.size('alice'))?.snapshotVersion ?? 0) > 0)
    expect((await store.load('alice')).rows.map(({ version }) => version)).toEqual([2])
    const reader = connectStock(running, 'alice')
    await reader.synced
    const writer = await connectRaw(running.room('alice'))
    writer.send(syncMessage(2, first))
    await until('both are there', () => reader.doc.getText('t').toString().includes('ab'))
  })
})
