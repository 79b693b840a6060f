import { describe, expect, it, vi } from 'vitest'
import { createLocalBusHub, createMemoryLog } from '../src/index.js'
import { send } from './support/gateway.js'
import { connectStock, type Running, type StockClient, startServer, until } from './support/harness.js'

/** Nodes that share a store, hear nothing of each other, and look for what they missed once a minute. */
async function startDeafNodes(store = createMemoryLog(), count = 2): Promise<Running[]> {
  const timing = { pollMs: 60_000 }
  return Promise.all(
    Array.from({ length: count }, () => startServer({ store, bus: createLocalBusHub().connect(), timing })),
  )
}

const values = ({ doc }: StockClient): string[] => doc.getArray<string>('values').toArray()

describe('a new connection to a node that was not told of an update', () => {
  it('[IDN3] is answered with every acknowledged update, though the room is in memory there', async () => {
    const store = createMemoryLog()
    const [one, two] = (await startDeafNodes(store)) as [Running, Running]
    // It keeps the room, and its document, in the second node.
    const idle = connectStock(two, 'alice')
    await idle.synced
    const writer = connectStock(one, 'alice')
    await writer.synced
    for (let round = 1; round <= 5; round++) {
      writer.doc.getArray('values').push([`round ${round}`])
      await until('it is stored', async () => (await store.heads(['alice'])).get('alice') === round)
      const late = connectStock(two, 'alice')
      await late.synced
      expect(values(late)).toHaveLength(round)
      late.provider.destroy()
    }
    expect(values(idle)).toHaveLength(5)
  })

  it('[IDN3] by HTTP is answered with every acknowledged update', async () => {
    const [one, two] = (await startDeafNodes()) as [Running, Running]
    const sync = async (): Promise<number> =>
      (await send(two, 'POST', '/conversation/sync', { uid: 'alice', version: 0, msg_count: 2 })).body.length
    expect(await sync()).toBe(0)
    const message = {
      ...{ message_id: 1, message_idstr: '1', client_msg_no: 'no-1', message_seq: 1, from_uid: 'bob' },
      ...{ channel_id: 'alice', channel_type: 1, timestamp: 1_204_353_600 },
      payload: Buffer.from('{"type":1,"content":"Hi"}').toString('base64'),
    }
    expect((await send(one, 'POST', '/v1/ingest/messages', message)).status).toBe(200)
    expect(await sync()).toBe(1)
  })

  it('[IDN3] asks for the heads of a crowd with few queries', async () => {
    const store = createMemoryLog()
    const [, two] = (await startDeafNodes(store)) as [Running, Running]
    const heads = vi.spyOn(store, 'heads').mockImplementation(async (rooms) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return new Map(rooms.map((room) => [room, 0]))
    })
    const rooms = Array.from({ length: 40 }, (_, n) => `user ${n}`)
    await Promise.all(rooms.map((room) => connectStock(two, room).synced))
    const asked = heads.mock.calls.flatMap(([names]) => names)
    expect(new Set(asked)).toEqual(new Set(rooms))
    expect(heads.mock.calls.length).toBeLessThan(rooms.length)
  })

  it('[IDN3] is refused with 4503 while the store does not say how far the room goes', async () => {
    const store = createMemoryLog()
    const [, two] = (await startDeafNodes(store)) as [Running, Running]
    await connectStock(two, 'alice').synced
    vi.spyOn(store, 'heads').mockRejectedValueOnce(new Error('PostgreSQL is gone'))
    const late = connectStock(two, 'alice')
    await until('it is refused', () => late.closes.length > 0)
    expect(late.closes[0]?.code).toBe(4503)
    // It comes again by itself.
    await late.synced
  })

  it('[IDN3] asks nothing of a store that no other node writes to', async () => {
    const store = createMemoryLog()
    const running = await startServer({ store })
    const heads = vi.spyOn(store, 'heads')
    await connectStock(running, 'alice').synced
    expect(heads).not.toHaveBeenCalled()
  })
})
