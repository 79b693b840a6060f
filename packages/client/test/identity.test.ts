import 'fake-indexeddb/auto'
import { createStore } from '@parley/core'
import { createMemoryLog, createServer, type LogStore, type ServerOptions } from '@parley/server'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { Client, DivergenceReasonCode } from '../src/index.js'
import {
  createUser,
  onCleanUp,
  read,
  sleep,
  statusOf,
  type,
  until,
  untilRead,
  untilStatus,
} from './support/harness.js'

const SETTLED = { connection: { state: 'online' }, saved: 'server' }

async function start(store: LogStore = createMemoryLog(), options: Partial<ServerOptions> = {}) {
  const kinds: string[] = []
  const nothing = (): void => {}
  const server = await createServer({
    ...{ store, auth: 'open', port: 0, timing: { drainMs: 0 } },
    logger: {
      ...{ debug: nothing, info: nothing, error: nothing },
      warn: (fields) => kinds.push(String((fields as { kind?: string }).kind)),
    },
    ...options,
  })
  const { port, url } = await server.listen()
  onCleanUp(() => server.close())
  const compared = async (outcome: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return Number(new RegExp(`parley_digests_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
  }
  return { server, store, port, kinds, compared, url: `ws://127.0.0.1:${port}/sync` }
}

const untilRepaired = (client: Client, code: DivergenceReasonCode) =>
  untilStatus(client, { ...SETTLED, divergence: { state: 'repaired', reason: { code } } })
const newDevice = async (userId: string, url: string, profile: string): Promise<Client> => {
  const client = createUser(userId).open({ url, profile, persistence: 'memory' })
  await untilStatus(client, SETTLED)
  return client
}

describe('a device and the server', () => {
  it('[IDN5] compare what they hold once on each connection, and report nothing while they agree', async () => {
    const { url, kinds, compared } = await start()
    const { open, userId } = createUser()
    const client = open({ url })
    type(client, 'Hello')
    await untilStatus(client, SETTLED)
    await until(async () => expect(await compared('same')).toBe(1))
    const other = await newDevice(userId, url, 'phone')
    await until(async () => expect(await compared('same')).toBe(2))
    type(other, 'Hello Bob')
    await untilRead(client, 'Hello Bob')
    client.disconnect()
    client.connect()
    await until(async () => expect(await compared('same')).toBe(3))
    for (const one of [client, other]) expect(statusOf(one).divergence).toBe(null)
    expect(kinds).toEqual([])
  })

  it('[IDN5] one of 10,000 entries that the device lacks is reported at the next sync, and comes back', async () => {
    const { url, kinds } = await start()
    const { open, userId } = createUser()
    const writer = await newDevice(userId, url, 'writer')
    writer.store.transact(() => {
      for (let n = 0; n < 10_000; n++)
        writer.store.conversation({ channelId: `user ${n}`, channelType: 1 }).mute()
    })
    await untilStatus(writer, SETTLED)
    const whole = writer.store.export()
    const { browser } = createUser(userId)
    const environment = browser.tab()
    const client = open({
      url,
      environment: { ...environment, WebSocket: withholding(environment.WebSocket) },
    })
    await until(() => expect(statusOf(client).divergence?.state).toBe('repairing'))
    await untilRepaired(client, 'diverged')
    expect(client.store.export()).toEqual(whole)
    expect(kinds).toEqual(['diverged'])
    expect(writer.store.export()).toEqual(whole)
  })

  it('[IDN6] a copy of a live page takes a new identity, and nothing that either typed is lost', async () => {
    const { url } = await start()
    const { userId } = createUser()
    const clone = (profile: string): Client => {
      const doc = new Y.Doc()
      doc.clientID = 7777
      return createUser(userId).open({ url, doc, profile, persistence: 'memory' })
    }
    const [original, copy] = [clone('original'), clone('copy')]
    await Promise.all([original, copy].map((client) => untilStatus(client, SETTLED)))
    original.disconnect()
    copy.disconnect()
    type(original, 'typed in the original', 'ann')
    type(copy, 'typed in the copy, and longer', 'eve')
    original.connect()
    await untilStatus(original, SETTLED)
    copy.connect()
    await untilRepaired(copy, 'copied')
    expect(copy.doc.clientID).not.toBe(7777)
    const third = await newDevice(userId, url, 'third')
    for (const client of [original, copy, third]) {
      await untilRead(client, 'typed in the original', 'ann')
      await untilRead(client, 'typed in the copy, and longer', 'eve')
    }
    type(copy, 'later in the copy', 'eve')
    await untilRead(third, 'later in the copy', 'eve')
    await untilRead(original, 'later in the copy', 'eve')
    expect(original.store.export()).toEqual(copy.store.export())
  })

  it('[IDN6] two copies that are online at the same time agree, with what either typed', async () => {
    const { url } = await start()
    const { userId } = createUser()
    const clone = (profile: string): Client => {
      const doc = new Y.Doc()
      doc.clientID = 8888
      return createUser(userId).open({ url, doc, profile, persistence: 'memory' })
    }
    const [original, copy] = [clone('original'), clone('copy')]
    await Promise.all([original, copy].map((client) => untilStatus(client, SETTLED)))
    type(original, 'typed in the original', 'ann')
    type(copy, 'typed in the copy', 'eve')
    await sleep(50)
    for (const client of [original, copy]) {
      client.disconnect()
      client.connect()
    }
    await until(() => {
      const text = JSON.stringify(original.store.export())
      expect(text).toContain('typed in the original')
      expect(text).toContain('typed in the copy')
      expect(JSON.stringify(copy.store.export())).toBe(text)
    })
    expect(original.doc.clientID).not.toBe(copy.doc.clientID)
  })

  it('[IDN7] a server that was put back to an earlier state is reported and gets back what it lost', async () => {
    const first = await start()
    const { open, userId } = createUser()
    const client = open({ url: first.url })
    type(client, 'before the backup', 'ann')
    await untilStatus(client, SETTLED)
    const backup = await first.store.load(userId)
    type(client, 'after the backup', 'eve')
    await untilStatus(client, SETTLED)
    await first.server.close()
    const store = createMemoryLog()
    for (const { update } of backup.rows) await store.append(userId, update)
    const { kinds } = await start(store, { port: first.port })
    await untilRepaired(client, 'server-rolled-back')
    await until(() => expect(kinds).toContain('server-rolled-back'))
    const other = await newDevice(userId, first.url, 'other')
    expect([read(other, 'ann'), read(other, 'eve')]).toEqual(['before the backup', 'after the backup'])
  })

  it('[IDN5] a fork under one client id in the server is repaired by the device, in all tabs and on disk', async () => {
    const { url, store, kinds } = await start()
    const { open, userId } = createUser()
    const tabs = [open({ url }), open({ url })] as const
    type(tabs[0], 'Hello', 'ann')
    await untilRead(tabs[1], 'Hello', 'ann')
    for (const tab of tabs) await untilStatus(tab, SETTLED)
    tabs[0].disconnect()
    await untilStatus(tabs[1], { connection: { state: 'offline' } })
    // What a copy with the same client id has sent in the meantime.
    const doc = new Y.Doc()
    for (const { update } of (await store.load(userId)).rows) Y.applyUpdate(doc, update)
    const vector = Y.encodeStateVector(doc)
    doc.clientID = tabs[0].doc.clientID
    createStore({ userId, doc }).conversation({ channelId: 'zoe', channelType: 1 }).mute()
    await store.append(userId, Y.encodeStateAsUpdate(doc, vector))
    type(tabs[0], 'typed here meanwhile', 'eve')
    tabs[0].connect()
    await until(() => expect(kinds).toContain('diverged'))
    for (const tab of tabs) {
      await untilStatus(tab, { ...SETTLED, divergence: { reason: { code: 'diverged' } } })
      await untilRead(tab, 'typed here meanwhile', 'eve')
      await untilRead(tab, 'Hello', 'ann')
    }
    await untilRepaired(tabs[0], 'diverged')
    const phone = await newDevice(userId, url, 'phone')
    await untilRead(phone, 'typed here meanwhile', 'eve')
    expect(phone.store.conversation({ channelId: 'zoe', channelType: 1 }).getSnapshot().muted).toBe(true)
    for (const tab of tabs) {
      await until(() => expect(tab.store.export()).toEqual(phone.store.export()))
      await tab.flush()
    }
    for (const tab of tabs) await tab.close()
    const reloaded = open()
    await reloaded.ready
    expect(reloaded.store.export()).toEqual(phone.store.export())
  })
})

/** A WebSocket over which one entry of the first sync does not arrive, while all that comes after it does. */
function withholding(Base: typeof WebSocket | undefined): typeof WebSocket {
  let isDone = false
  const tamper = (data: ArrayBuffer): ArrayBuffer => {
    const decoder = decoding.createDecoder(new Uint8Array(data))
    const [type, step] = [decoding.readVarUint(decoder), decoding.readVarUint(decoder)]
    if (isDone || type !== 0 || (step !== 1 && step !== 2)) return data
    const doc = new Y.Doc()
    Y.applyUpdate(doc, decoding.readVarUint8Array(decoder))
    const run = Array.from({ length: 16 }, (_, n) => doc.getArray(`e${n.toString(16)}`)).find(
      ({ length }) => length > 100,
    )
    if (!run) return data
    isDone = true
    run.delete(50, 1)
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, type)
    encoding.writeVarUint(encoder, step)
    encoding.writeVarUint8Array(encoder, Y.encodeStateAsUpdate(doc))
    return new Uint8Array(encoding.toUint8Array(encoder)).buffer
  }
  return class extends (Base as typeof WebSocket) {
    override set onmessage(listener: ((event: MessageEvent) => void) | null) {
      super.onmessage =
        listener && ((event) => listener({ ...event, data: tamper(event.data) } as MessageEvent))
    }
  }
}
