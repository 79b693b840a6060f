import { expect, it } from 'vitest'
import { createMemoryLog, type LogStore } from '../src/index.js'
import { COPY_NAME } from '../src/log/copies.js'
import { messages, openDevice, send } from './support/gateway.js'
import { type Running, startServer, until } from './support/harness.js'

const bob = { channelId: 'bob', channelType: 1 }
const SECRET = 'message 2'

/** A store that counts what is read from it, and is still there when its server has closed. */
function lastingStore(): { store: LogStore; loads: () => number } {
  const log = createMemoryLog()
  let loads = 0
  const load: LogStore['load'] = (...request) => {
    loads++
    return log.load(...request)
  }
  return { store: { ...log, load, close: async () => {} }, loads: () => loads }
}

async function readCopy(store: LogStore): Promise<string> {
  const value = (await store.values.read('room:alice', [COPY_NAME])).get(COPY_NAME)
  return new TextDecoder().decode(value)
}

async function syncAll(running: Running): Promise<Array<{ unread: number; version: number }>> {
  const answer = await send(running, 'POST', '/conversation/sync', { uid: 'alice', version: 0, msg_count: 1 })
  expect(answer.status).toBe(200)
  return answer.body
}

it('[G13] answers the same again without the document, also after a restart', async () => {
  const { store, loads } = lastingStore()
  const first = await startServer({ store })
  const alice = await openDevice(first, 'alice')
  await alice.act(({ receive }) => receive(messages(bob, ['bob', 'bob'])))
  const answer = await syncAll(first)
  expect(answer).toMatchObject([{ channel_id: 'bob', unread: 2, last_msg_seq: 2 }])
  await until('the answer is kept', async () => (await readCopy(store)).includes('bob'))
  await first.server.close()

  const second = await startServer({ store })
  const before = loads()
  expect(await syncAll(second)).toEqual(answer)
  expect(loads()).toBe(before)
  expect(second.server.rooms.documents.count).toBe(0)
})

it('[G13] gives back the memory of an answer that was sent, and no other', async () => {
  const { store } = lastingStore()
  const first = await startServer({ store })
  const alice = await openDevice(first, 'alice')
  await alice.act(({ receive }) => receive(messages(bob, ['bob', 'bob'])))
  const answer = await syncAll(first)
  expect(await syncAll(first)).toEqual(answer)
  await until('the answer is kept', async () => (await readCopy(store)).includes('bob'))
  await first.server.close()

  const seen: Uint8Array[] = []
  const readWithHead: LogStore['readWithHead'] = async (...request) => {
    const found = await store.readWithHead(...request)
    if (found.value) seen.push(found.value)
    return found
  }
  const second = await startServer({ store: { ...store, readWithHead } })
  for (let n = 0; n < 3; n++) expect(await syncAll(second)).toEqual(answer)
  expect(seen).toHaveLength(3)
  await until('the memory is given back', () => seen.every(({ byteLength }) => byteLength === 0))
})

it('[G13] answers anew when anything was stored since, whether or not the document is in memory', async () => {
  const { store } = lastingStore()
  const first = await startServer({ store })
  const alice = await openDevice(first, 'alice')
  await alice.act(({ receive }) => receive(messages(bob, ['bob', 'bob'])))
  const [item] = await syncAll(first)
  await alice.act((device) => device.conversation(bob).markRead(1))
  expect(await syncAll(first)).toMatchObject([{ unread: 1 }])
  await until('an answer is kept', async () => (await readCopy(store)).includes('bob'))
  await alice.act((device) => device.conversation(bob).markRead(2))
  await first.server.close()

  const second = await startServer({ store })
  const [later] = await syncAll(second)
  expect(later).toMatchObject({ unread: 0 })
  expect(later?.version).toBeGreaterThan(item?.version ?? 0)
})

it('[G13] answers anew when a mute has ended', async () => {
  const { store } = lastingStore()
  const first = await startServer({ store })
  const alice = await openDevice(first, 'alice')
  const end = Date.now() + 1000
  await alice.act((device) => {
    device.receive(messages(bob, ['bob']))
    device.conversation(bob).mute(end)
  })
  const [muted] = await syncAll(first)
  await until('the answer is kept', async () => (await readCopy(store)).includes('bob'))
  await first.server.close()
  await until('the mute has ended', () => Date.now() > end)

  const second = await startServer({ store })
  const [later] = await syncAll(second)
  expect(later?.version).toBeGreaterThan(muted?.version ?? Number.POSITIVE_INFINITY)
})

it('[G13] keeps no answer beyond a compaction, for what was recalled would be in it', async () => {
  const { store } = lastingStore()
  const running = await startServer({ store })
  const alice = await openDevice(running, 'alice')
  await alice.act(({ receive }) => receive(messages(bob, ['bob', 'bob'])))
  await syncAll(running)
  const secret = Buffer.from(JSON.stringify({ type: 1, content: SECRET })).toString('base64')
  await until('the answer is kept', async () => (await readCopy(store)).includes(secret))
  const [recalled] = messages(bob, ['bob'], 2)
  if (!recalled) throw new Error('there is no message')
  await alice.act(({ receive }) => receive({ ...recalled, version: 9, removed: true }))
  const { document, release } = await running.server.rooms.acquire('alice')
  await document.compact()
  release()
  expect(await readCopy(store)).toBe('')
})
