import { randomBytes } from 'node:crypto'
import { type Channel, createStore } from '@parley/core'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createAdmin, type LogStore } from '../../src/index.js'
import { send } from './gateway.js'
import { connectStock, type Running, startServer, until } from './harness.js'

export interface ForgettingSetup {
  open: () => Promise<LogStore>
  /** All bytes that a store has outside of the process. */
  bytesOf: (store: LogStore) => Promise<Buffer[]>
}

const DAY_MS = 24 * 60 * 60 * 1000
const ERASE_MS = 200
const GROUP: Channel = { channelId: 'group', channelType: 2 }
/** A text that no compression shortens, so that it is stored as it is, or as base64 or JSON of it. */
const newSecret = (): string => randomBytes(48).toString('base64url')

/** A device that has a document for itself and brings what it did to the server. */
async function asDevice(
  { server }: Running,
  uid: string,
  now: number,
  act: (store: ReturnType<typeof createStore>) => void,
): Promise<void> {
  const { room, document, release } = await server.rooms.acquire(uid)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, document.encodeState())
  const before = Y.encodeStateVector(doc)
  const store = createStore({ userId: uid, doc, environment: { now: () => now } })
  act(store)
  await room.submit(Y.encodeStateAsUpdate(doc, before))
  store.close()
  release()
}

/** That what was taken back or forgotten is in none of a store's bytes. */
export function runForgettingTests(title: string, { open, bytesOf }: ForgettingSetup): void {
  /** True if a text is anywhere, as UTF-8 or in base64 at any offset. */
  const holds = async (store: LogStore, text: string): Promise<boolean> => {
    // LevelDB's compression may take a first or a last character together with what stands beside it.
    const inner = text.slice(4, -4)
    const forms = [inner, ...[0, 1, 2].map((shift) => inBase64(inner, shift))]
    return (await bytesOf(store)).some((bytes) => forms.some((form) => bytes.includes(form)))
  }
  const ingest = async (running: Running, message: object): Promise<void> => {
    const body = {
      messages: [{ channel_id: 'group', channel_type: 2, timestamp: 1_700_000_000, ...message }],
      recipients: ['alice', 'bob'],
    }
    expect((await send(running, 'POST', '/v1/ingest/messages', body)).status).toBe(200)
  }
  const compact = async ({ server }: Running, uid: string): Promise<void> => {
    const { document, release } = await server.rooms.acquire(uid)
    await document.compact()
    release()
  }

  describe(`forgetting: ${title}`, () => {
    it('[F1] leaves nothing of what was recalled or cleared in any byte, once rooms were compacted', {
      timeout: 60_000,
    }, async () => {
      const store = await open()
      const running = await startServer({ store, timing: { eraseMs: ERASE_MS } })
      const recalled = newSecret()
      const [cleared, web, kept] = [newSecret(), newSecret(), newSecret()]
      const message = { from_uid: 'carol', message_seq: 1, message_id: '11', client_msg_no: 'a' }
      await ingest(running, { ...message, payload: { type: 1, content: recalled } })
      await ingest(running, {
        ...message,
        message_seq: 2,
        message_id: '12',
        client_msg_no: 'b',
        payload: { type: 1, content: kept },
      })
      await asDevice(running, 'alice', Date.now() - 2 * DAY_MS, (device) => {
        device.conversation(GROUP).draft.set(cleared)
        device.conversation(GROUP).draft.clear()
      })
      await until('cleared is stored', () => holds(store, cleared))
      const extra = (draft: string) =>
        send(running, 'POST', '/v1/conversations/carol/1/extra', { draft }, { token: 'alice' })
      expect((await extra(web)).status).toBe(200)
      expect(
        (await send(running, 'POST', '/v1/conversation/sync', { msg_count: 10 }, { token: 'alice' })).status,
      ).toBe(200)
      for (const [name, text] of Object.entries({ recalled, web, kept })) {
        await until(`${name} is stored`, () => holds(store, text))
      }

      await ingest(running, { ...message, revoke: 1, extra_version: 5 })
      expect((await extra('')).status).toBe(200)
      const { version } = await store.load('alice')
      // What HTTP wrote is swept in a while; a day later a device tidies up what was cleared.
      await until('swept', async () => (await store.load('alice')).version > version)
      await asDevice(running, 'alice', Date.now() + 2 * DAY_MS, (device) => device.maintain())
      for (const uid of ['alice', 'bob']) await compact(running, uid)
      for (const [name, text] of Object.entries({ recalled, cleared, web })) {
        await until(`${name} is gone`, async () => !(await holds(store, text)))
      }
      await until('kept', () => holds(store, kept))
    })

    it('[K1] keeps of what an IM server brings, and of files, only what it is to keep', async () => {
      for (const keep of ['digest', 'nothing'] as const) {
        const store = await open()
        const running = await startServer({ store, gateway: { keep } })
        const [begin, attached] = [newSecret(), newSecret()]
        const content = `${begin}${'.'.repeat(100)} @bob`
        const payload = { type: 1, content, url: attached, mention: { uids: ['bob'] } }
        await ingest(running, { from_uid: 'carol', message_seq: 1, payload })
        const admin = createAdmin({ store, rooms: running.server.rooms, keep })
        const line = {
          channel_id: 'bob',
          channel_type: 1,
          from_uid: 'bob',
          message_seq: 1,
          timestamp: 1,
          payload,
        }
        await admin.import('alice', JSON.stringify(line))
        const { conversations } = await admin.export('alice')
        const digest = { type: 1, content: [...content].slice(0, 100).join('') }
        expect(conversations).toHaveLength(2)
        for (const { lastMessage } of conversations) {
          expect(lastMessage).toMatchObject({ messageSeq: 1 })
          expect(lastMessage?.payload).toEqual(keep === 'digest' ? digest : undefined)
        }
        // Whom it mentions was found out before.
        expect((await admin.export('bob')).conversations[0]).toMatchObject({ mentions: 1 })
        expect(await holds(store, attached)).toBe(false)
        expect(await holds(store, begin)).toBe(keep === 'digest')
      }
    })

    it('[F2] leaves nothing of a user who is forgotten, closes the connections, and nothing comes back by them', {
      timeout: 60_000,
    }, async () => {
      const store = await open()
      const running = await startServer({ store })
      const admin = createAdmin({ store, rooms: running.server.rooms, revoke: running.server.revoke })
      const secrets = Array.from({ length: 4 }, newSecret)
      const [sent, typed, aside, live] = secrets as [string, string, string, string]
      await send(running, 'PUT', '/v1/ingest/members', {
        channel_id: 'group',
        channel_type: 2,
        members: ['alice', 'bob'],
      })
      await ingest(running, { from_uid: 'bob', message_seq: 1, payload: { type: 1, content: sent } })
      await asDevice(running, 'alice', Date.now(), (device) => device.conversation(GROUP).draft.set(typed))
      const bad = await store.append('alice', new TextEncoder().encode(aside))
      await store.quarantine('alice', [{ version: bad, reason: 'test' }])
      await compact(running, 'alice')
      const client = connectStock(running, 'alice')
      await client.synced
      client.doc.getText('live').insert(0, live)
      await until('stored', () => holds(store, live))
      for (const text of secrets) expect([text, await holds(store, text)]).toEqual([text, true])

      expect((await admin.forget('alice')).known).toBe(true)
      await until('closed', () => client.closes.length > 0)
      expect(client.closes[0]?.code).toBe(4403)
      expect(client.provider.shouldConnect).toBe(false)
      for (const text of [typed, aside, live]) expect([text, await holds(store, text)]).toEqual([text, false])
      // What bob was sent is bob's.
      expect(await holds(store, sent)).toBe(true)
      expect(await admin.inspect('alice')).toBe(null)
      for await (const scope of store.values.scopes()) expect(scope).not.toBe('room:alice')
      await admin.forget('bob')
      expect(await holds(store, sent)).toBe(false)
      expect((await admin.forget('nobody')).known).toBe(false)
      // The user may begin anew.
      await ingest(running, { from_uid: 'bob', message_seq: 2, payload: { type: 1, content: 'again' } })
      expect((await admin.export('alice')).conversations).toHaveLength(1)
    })
  })
}

/** The part of a base64 text that is the same whatever stands before and after, for a text that begins at such an offset. */
function inBase64(text: string, shift: number): string {
  const encoded = Buffer.from('-'.repeat(shift) + text).toString('base64')
  return encoded.slice(4, -4)
}
