import { afterEach, describe, expect, it } from 'vitest'
import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import { type Client, createClient, databaseName } from '../src/index.js'

const BOB = { channelId: 'bob', channelType: 1 }
const clients: Client[] = []
let users = 0

function open(userId: string): Client {
  const client = createClient({ userId, deviceName: 'Chromium' })
  clients.push(client)
  return client
}
const read = (client: Client) => client.store.conversation(BOB).getSnapshot().drafts.composer?.text

afterEach(async () => {
  for (const client of clients.splice(0)) await client.destroy()
})

describe('the database', () => {
  it("[CL13] is read by y-indexeddb's own persistence", async () => {
    const userId = `user ${++users}`
    const client = open(userId)
    client.store.conversation(BOB).draft.set('hello')
    await client.ready
    await client.flush()
    expect(client.status.getSnapshot()).toMatchObject({ saved: 'disk', storage: { state: 'indexeddb' } })
    const doc = new Y.Doc()
    const stock = new IndexeddbPersistence(databaseName({ userId }), doc)
    await stock.whenSynced
    expect(Y.encodeStateVector(doc)).toEqual(Y.encodeStateVector(client.doc))
    await stock.destroy()
  })

  it("[CL13] may have been written by y-indexeddb's own persistence", async () => {
    const userId = `user ${++users}`
    const source = createClient({ userId, persistence: 'memory', environment: { locks: undefined } })
    const stock = new IndexeddbPersistence(databaseName({ userId }), source.doc)
    await stock.whenSynced
    source.store.conversation(BOB).draft.set('hello')
    // The connection closes after what it was asked to write.
    await stock.destroy()
    await source.close()
    const client = open(userId)
    await client.ready
    expect(read(client)).toBe('hello')
  })

  it('[CL1] [CL8] keeps edits across clients, until it is destroyed', async () => {
    const userId = `user ${++users}`
    const first = open(userId)
    first.store.conversation(BOB).draft.set('hello')
    await first.close()
    const second = open(userId)
    await second.ready
    expect(read(second)).toBe('hello')
    await second.destroy()
    const third = open(userId)
    await third.ready
    expect(read(third)).toBeUndefined()
  })
})
