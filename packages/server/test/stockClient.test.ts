import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createMemoryLog } from '../src/index.js'
import {
  connectRaw,
  connectStock,
  isSyncAnswer,
  isUpdate,
  startServer,
  storedDoc,
  until,
} from './support/harness.js'

/** A document as large as 10,000 conversations: many entries of JSON in one array, from several writers. */
function largeDoc(bytes: number): Y.Doc {
  const doc = new Y.Doc()
  const entries = doc.getArray('entries')
  const filler = 'x'.repeat(250)
  for (let at = 0; at < bytes; at += 2800) {
    entries.push(
      Array.from({ length: 10 }, (_, n) => ({ key: `head/${at}.${n}`, stamp: [at, n], value: filler })),
    )
  }
  return doc
}

describe('the stock y-websocket provider', () => {
  it('[P1] syncs two devices through the server, both ways', async () => {
    const running = await startServer()
    const phone = connectStock(running, 'alice')
    phone.doc.getText('t').insert(0, 'from the phone')
    await phone.synced
    const laptop = connectStock(running, 'alice')
    await laptop.synced
    expect(laptop.doc.getText('t').toString()).toBe('from the phone')
    laptop.doc.getText('t').insert(0, 'laptop and ')
    await until('the phone has it', () => phone.doc.getText('t').toString() === 'laptop and from the phone')
    expect((await storedDoc(running.store, 'alice')).getText('t').toString()).toBe(
      'laptop and from the phone',
    )
  })

  it('[P1] merges what two devices wrote offline', async () => {
    const running = await startServer()
    const [phone, laptop] = [connectStock(running, 'alice'), connectStock(running, 'alice')]
    await Promise.all([phone.synced, laptop.synced])
    phone.provider.disconnect()
    laptop.provider.disconnect()
    phone.doc.getArray('a').push(['phone'])
    laptop.doc.getArray('a').push(['laptop'])
    phone.provider.connect()
    laptop.provider.connect()
    await until('both have both', () =>
      [phone, laptop].every(({ doc }) => [...doc.getArray('a')].sort().join() === 'laptop,phone'),
    )
  })

  it('[P1] keeps its connection while its user types on at the moment it comes back', async () => {
    const store = createMemoryLog()
    const { load } = store
    // As over a slow line: the provider is open long before it is asked what the server lacks.
    store.load = async (room) => {
      await new Promise((resolve) => setTimeout(resolve, 60))
      return load(room)
    }
    const running = await startServer({ store })
    const client = connectStock(running, 'alice')
    client.provider.disconnect()
    client.doc.getText('t').insert(0, 'typed offline; ')
    client.provider.connect()
    let typed = client.doc.getText('t').toString()
    for (let n = 0; n < 20; n++) {
      client.doc.getText('t').insert(typed.length, String.fromCharCode(97 + n))
      typed = client.doc.getText('t').toString()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await until(
      'it is all stored',
      async () => (await storedDoc(store, 'alice')).getText('t').toString() === typed,
    )
    expect(client.closes).toEqual([])
  })

  it('[P2] answers a sync only when all that was sent before it is stored', async () => {
    const running = await startServer()
    const { append } = running.store
    let stored = 0
    running.store.append = async (room, update) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      const version = await append(room, update)
      stored = version
      return version
    }
    const raw = await connectRaw(running.room('alice'))
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (const letter of 'abc') doc.getText('t').insert(0, letter)
    for (const update of updates) raw.send(0, 2, update.byteLength, update)
    raw.send(0, 0, 1, 0)
    await raw.frame((frame) => frame[0] === 0 && frame[1] === 1)
    expect(stored).toBeGreaterThan(0)
    expect((await storedDoc(running.store, 'alice')).getText('t').toString()).toBe('cba')
  })

  it('[P8] hears of changes from its first sync on, and finds all from before in the answer', async () => {
    const running = await startServer()
    const late = await connectRaw(running.room('alice'))
    await late.frame((frame) => frame[0] === 0)
    const writer = connectStock(running, 'alice')
    writer.doc.getText('t').insert(0, 'before')
    await until('it is stored', async () => ((await running.store.size('alice'))?.version ?? 0) > 0)
    late.send(0, 0, 1, 0)
    const answer = await late.frame(isSyncAnswer)
    writer.doc.getText('t').insert(0, 'after ')
    await late.frame(isUpdate)
    expect(late.frames.findIndex(isUpdate)).toBeGreaterThan(late.frames.findIndex(isSyncAnswer))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, answer.subarray(3))
    expect(doc.getText('t').toString()).toBe('before')
  })

  it('[P3] gets a first sync of more than 3 MB through, up and down', async () => {
    const running = await startServer()
    const doc = largeDoc(3_500_000)
    expect(Y.encodeStateAsUpdate(doc).byteLength).toBeGreaterThan(3_000_000)
    const up = connectStock(running, 'alice', { doc })
    await up.synced
    await until('it is stored', async () => ((await running.store.size('alice'))?.version ?? 0) > 0)
    const down = connectStock(running, 'alice')
    await down.synced
    await until(
      'it is all there',
      () => down.doc.getArray('entries').length === doc.getArray('entries').length,
    )
    expect([up.attempts(), down.attempts()]).toEqual([1, 1])
  })

  it('[P4] stops at once when the document is over the quota', async () => {
    const running = await startServer({ limits: { documentBytes: 100_000 } })
    const client = connectStock(running, 'alice', { doc: largeDoc(300_000) })
    await until('it gives up', () => !client.provider.shouldConnect)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(client.attempts()).toBeLessThanOrEqual(3)
    expect(client.closes.at(-1)).toMatchObject({ code: 4413 })
    expect(client.closes.at(-1)?.reason).not.toBe('')
    expect(await running.store.size('alice')).toBe(null)
  })

  it('[P4] stops at once when a message is larger than ws takes, which ws alone answers with 1009', async () => {
    const running = await startServer({ limits: { documentBytes: 100_000 } })
    const client = connectStock(running, 'alice', { doc: largeDoc(5_000_000) })
    await until('it gives up', () => !client.provider.shouldConnect)
    expect(client.closes.map(({ code }) => code)).toEqual([4413])
    expect(client.attempts()).toBe(1)
  })

  it('[P4] stops when a document grows over the quota bit by bit', async () => {
    const running = await startServer({ limits: { documentBytes: 50_000 } })
    const client = connectStock(running, 'alice')
    await client.synced
    for (let n = 0; n < 80 && client.provider.shouldConnect; n++) {
      client.doc.getArray('a').push(['x'.repeat(1000)])
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await until('it gives up', () => !client.provider.shouldConnect)
    expect(client.closes).toMatchObject([{ code: 4413 }])
    const { rowBytes = 0, snapshotBytes = 0 } = (await running.store.size('alice')) ?? {}
    expect(rowBytes + snapshotBytes).toBeLessThanOrEqual(50_000)
    // What was deleted does not count: the quota is of the document, not of its history.
    const other = connectStock(running, 'bob')
    await other.synced
    for (let n = 0; n < 80; n++) {
      other.doc.getArray('a').push(['x'.repeat(1000)])
      other.doc.getArray('a').delete(0, other.doc.getArray('a').length)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    other.doc.getText('t').insert(0, 'still here')
    await until('it is stored', async () => (await storedDoc(running.store, 'bob')).getText('t').length > 0)
    expect(other.closes).toEqual([])
  })

  it('[P5] hears something often enough to stay, and an idle connection does not make the log grow', async () => {
    const running = await startServer({ timing: { heartbeatMs: 20 } })
    const client = connectStock(running, 'alice', { doc: largeDoc(50_000) })
    await client.synced
    await until('it is stored', async () => ((await running.store.size('alice'))?.version ?? 0) > 0)
    const before = await running.store.size('alice')
    const heard = client.provider.wsLastMessageReceived
    await until('it heard again', () => client.provider.wsLastMessageReceived > heard)
    for (let n = 0; n < 5; n++) {
      client.provider.disconnect()
      client.provider.connect()
      await until('it is synced again', () => client.provider.synced)
    }
    expect(await running.store.size('alice')).toEqual(before)
    expect(client.closes).toEqual([])
  })

  it('[P5] stays connected for longer than a minute without doing anything, at the real intervals', {
    timeout: 90_000,
  }, async () => {
    const running = await startServer()
    const client = connectStock(running, 'alice', { doc: largeDoc(50_000) })
    await client.synced
    await until('it is stored', async () => ((await running.store.size('alice'))?.version ?? 0) > 0)
    const before = await running.store.size('alice')
    await new Promise((resolve) => setTimeout(resolve, 65_000))
    expect({ attempts: client.attempts(), connected: client.provider.wsconnected }).toEqual({
      attempts: 1,
      connected: true,
    })
    expect(await running.store.size('alice')).toEqual(before)
  })

  it('[P6] passes on who is there, within the room only, and says when they have left', async () => {
    const running = await startServer()
    const [phone, laptop, stranger] = [
      connectStock(running, 'alice'),
      connectStock(running, 'alice'),
      connectStock(running, 'bob'),
    ]
    phone.provider.awareness.setLocalState({ device: 'phone' })
    await Promise.all([phone.synced, laptop.synced, stranger.synced])
    const sees = (client: typeof phone): unknown =>
      client.provider.awareness.getStates().get(phone.doc.clientID)
    await until('the laptop sees the phone', () => JSON.stringify(sees(laptop)) === '{"device":"phone"}')
    const late = connectStock(running, 'alice')
    await until('who comes later sees the phone', () => sees(late) !== undefined)
    phone.provider.disconnect()
    await until('the laptop sees that the phone is gone', () => sees(laptop) === undefined)
    expect(sees(stranger)).toBe(undefined)
  })

  it('[P7] is closed with 1012 when the server stops, and comes back', async () => {
    const running = await startServer({ timing: { drainMs: 100 } })
    const clients = [connectStock(running, 'alice'), connectStock(running, 'bob')]
    await Promise.all(clients.map(({ synced }) => synced))
    await running.server.close()
    expect(clients.map(({ closes }) => closes[0]?.code)).toEqual([1012, 1012])
    expect(clients.every(({ provider }) => provider.shouldConnect)).toBe(true)
  })
})
