import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore, type Store } from '@parley/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { createServer, type LogStore, openLevelLog, type Server } from '../src/index.js'
import { send } from './support/gateway.js'
import { connectStock, type Running, until } from './support/harness.js'

const BOB = { channelId: 'bob', channelType: 1 }

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-identity-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

interface Served extends Running {
  readonly warnings: string[]
  readonly metrics: () => Promise<string>
  readonly stop: () => Promise<void>
}

/** Serves a store; what it warns of is collected. */
async function serve(store: LogStore): Promise<Served> {
  const warnings: string[] = []
  const nothing = (): void => {}
  const server: Server = await createServer({
    store,
    auth: 'open',
    port: 0,
    timing: { drainMs: 0 },
    logger: {
      debug: nothing,
      info: nothing,
      warn: (fields: object) => warnings.push(JSON.stringify(fields)),
      error: nothing,
    },
  })
  const { url, port } = await server.listen()
  onTestFinished(() => server.close())
  return {
    server,
    store,
    url,
    port,
    warnings,
    room: (uid) => `${url.replace('http', 'ws')}/sync/${encodeURIComponent(uid)}`,
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    stop: () => server.close(),
  }
}

/** Lets an IM server bring a message of bob's. */
async function ingest(running: Running, seq: number): Promise<void> {
  const { status } = await send(running, 'POST', '/v1/ingest/messages', {
    message_id: 1000 + seq,
    message_idstr: String(1000 + seq),
    client_msg_no: `no-${seq}`,
    message_seq: seq,
    from_uid: 'bob',
    channel_id: 'alice',
    channel_type: 1,
    timestamp: 1_204_353_600 + seq,
    payload: Buffer.from(JSON.stringify({ type: 1, content: `message ${seq}` })).toString('base64'),
  })
  expect(status).toBe(200)
}

interface Device {
  readonly store: Store
  readonly doc: Y.Doc
  /** Connects until the returned function is called. */
  readonly connect: (running: Running) => Promise<() => void>
}

function createDevice(): Device {
  const doc = new Y.Doc()
  const store = createStore({ userId: 'alice', doc })
  return {
    store,
    doc,
    async connect(running) {
      const { provider, synced } = connectStock(running, 'alice', { doc })
      await synced
      return () => provider.destroy()
    },
  }
}

const newest = ({ store }: Device): number =>
  store.conversation(BOB).getSnapshot().lastMessage?.messageSeq ?? 0
const lines = ({ doc }: Device): string[] =>
  Array.from({ length: 16 }, (_, n) => doc.getArray<string>(`e${n.toString(16)}`).toArray())
    .flat()
    .sort()

describe('a data folder that was put back to an earlier state by hand', () => {
  /** A device has messages 1 to 3; the folder is as it was after message 1, copied after the server had stopped or before. */
  async function rollBack({ whileServing = false } = {}): Promise<{ folder: string; device: Device }> {
    const folder = await newFolder()
    const kept = await newFolder()
    const device = createDevice()
    let server = await serve(await openLevelLog({ folder }))
    await ingest(server, 1)
    if (!whileServing) await server.stop()
    // The lock is of a process, which in a test is the same one.
    await cp(folder, kept, { recursive: true, filter: (path) => !path.endsWith('parley.lock') })
    if (!whileServing) server = await serve(await openLevelLog({ folder }))
    await ingest(server, 2)
    await ingest(server, 3)
    const leave = await device.connect(server)
    await until('message 3 is there', () => newest(device) === 3)
    leave()
    await server.stop()
    await rm(folder, { recursive: true })
    await cp(kept, folder, { recursive: true })
    return { folder, device }
  }

  it('[IDN1] devices show messages that were ingested before the first device connected', async () => {
    const { folder, device } = await rollBack()
    const server = await serve(await openLevelLog({ folder }))
    await ingest(server, 4)
    await ingest(server, 5)
    await device.connect(server)
    await until('message 5 is there', () => newest(device) === 5)
    const other = createDevice()
    await other.connect(server)
    await until('both devices are equal', () => `${lines(other)}` === `${lines(device)}`)
    expect(newest(other)).toBe(5)
    expect(other.store.export()).toEqual(device.store.export())
  })

  it('[IDN2] devices show messages that were ingested after a device had brought back what was lost', async () => {
    const { folder, device } = await rollBack({ whileServing: true })
    const server = await serve(await openLevelLog({ folder }))
    await device.connect(server)
    const late = createDevice()
    await late.connect(server)
    await until('message 3 is back', () => newest(late) === 3)
    await ingest(server, 4)
    await ingest(server, 5)
    await until('message 5 is there', () => newest(device) === 5 && newest(late) === 5)
    const other = createDevice()
    await other.connect(server)
    expect(newest(other)).toBe(5)
    expect(lines(other)).toEqual(lines(device))
  })

  it('[IDN2] the server reports a rollback to the log and to the metrics', async () => {
    const { folder, device } = await rollBack({ whileServing: true })
    const server = await serve(await openLevelLog({ folder }))
    expect(await server.metrics()).not.toContain('parley_divergences_total{')
    await device.connect(server)
    const kind = 'server-rolled-back'
    await until('it is counted', async () =>
      (await server.metrics()).includes(`parley_divergences_total{kind="${kind}"} 1`),
    )
    expect(server.warnings.filter((line) => line.includes(kind))).toHaveLength(1)
    expect(server.warnings.join()).not.toContain('message')
  })
})

describe('two servers over copies of one data folder', () => {
  it('[IDN1] a device that goes from one to the other loses no message of either', async () => {
    const [one, two] = [await newFolder(), await newFolder()]
    let server = await serve(await openLevelLog({ folder: one }))
    await ingest(server, 1)
    await server.stop()
    await cp(one, two, { recursive: true })
    server = await serve(await openLevelLog({ folder: one }))
    const copy = await serve(await openLevelLog({ folder: two }))
    await ingest(server, 2)
    await ingest(copy, 3)
    const device = createDevice()
    const leave = await device.connect(server)
    await until('message 2 is there', () => newest(device) === 2)
    leave()
    await device.connect(copy)
    await until('message 3 is there', () => newest(device) === 3)
    await ingest(copy, 4)
    await until('message 4 is there', () => newest(device) === 4)
    const other = createDevice()
    await other.connect(copy)
    await until('both devices are equal', () => `${lines(other)}` === `${lines(device)}`)
  })
})
