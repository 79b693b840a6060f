import {
  createStore,
  type DigestOutcome,
  encodeAcknowledgeRequest,
  encodeDigestClaim,
  MESSAGE_ACKNOWLEDGE,
  MESSAGE_DIGEST,
  readAcknowledgement,
  readDigestAnswer,
  type StateDigest,
  type Store,
  SUBPROTOCOL,
} from '@parley/core'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createMemoryLog } from '../src/index.js'
import {
  connectRaw,
  connectStock,
  isSyncAnswer,
  type Running,
  startServer,
  syncMessage,
  until,
} from './support/harness.js'

interface Device {
  readonly store: Store
  readonly doc: Y.Doc
  /** Sends what it holds as of the last acknowledgement. */
  readonly compare: (
    change?: Partial<{ digest: StateDigest; lost: number; version: number }>,
  ) => Promise<DigestOutcome>
  readonly leave: () => void
}

/** A device that speaks `parley.1`. */
async function connectDevice(running: Running, doc = new Y.Doc()): Promise<Device> {
  const store = createStore({ userId: 'alice', doc })
  const { provider, synced } = connectStock(running, 'alice', { doc, protocols: [SUBPROTOCOL] })
  let version = -1
  const outcomes: DigestOutcome[] = []
  provider.messageHandlers[MESSAGE_ACKNOWLEDGE] = (_, decoder) => {
    version = readAcknowledgement(decoder).version
  }
  provider.messageHandlers[MESSAGE_DIGEST] = (_, decoder) => {
    const answer = readDigestAnswer(decoder)
    if (answer.type === 'outcome') outcomes.push(answer.outcome)
  }
  const send = (message: Uint8Array): void => provider.ws?.send(message as Uint8Array<ArrayBuffer>)
  await synced
  return {
    store,
    doc,
    async compare(change = {}) {
      version = -1
      send(encodeAcknowledgeRequest(1))
      await until('it is acknowledged', () => version >= 0)
      const digest = store.digest.step(Number.POSITIVE_INFINITY) as StateDigest
      const count = outcomes.length
      send(encodeDigestClaim({ id: 1, epoch: 0, version, lost: 0, digest, ...change }))
      await until('it is compared', () => outcomes.length > count)
      return outcomes[count] as DigestOutcome
    },
    leave: () => provider.destroy(),
  }
}

const write = ({ store }: Device, count: number): void =>
  store.transact(() => {
    for (let n = 0; n < count; n++) store.conversation({ channelId: `user ${n}`, channelType: 1 }).mute()
  })
const countOf = async ({ url }: Running, kind: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`parley_divergences_total\\{kind="${kind}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
}

describe('comparing what a device holds with what is stored', () => {
  it('[DIG4] devices that are in sync hold the same', async () => {
    const running = await startServer()
    const one = await connectDevice(running)
    write(one, 30)
    one.store.conversation({ channelId: 'bob', channelType: 1 }).draft.set('Hello')
    expect(await one.compare()).toBe('same')
    const other = await connectDevice(running)
    expect(await other.compare()).toBe('same')
    other.store.conversation({ channelId: 'bob', channelType: 1 }).draft.set('Hello Bob')
    expect(await other.compare()).toBe('same')
    expect(await countOf(running, 'diverged')).toBe(0)
  })

  it('[DIG4] one of 10,000 entries that a device lacks is reported to the device, the log and the metrics', async () => {
    const warnings: string[] = []
    const nothing = (): void => {}
    const running = await startServer({
      logger: {
        ...{ debug: nothing, info: nothing, error: nothing },
        warn: (fields: object) => warnings.push(JSON.stringify(fields)),
      },
    })
    const one = await connectDevice(running)
    write(one, 10_000)
    expect(await one.compare()).toBe('same')
    const incomplete = new Y.Doc()
    Y.applyUpdate(incomplete, Y.encodeStateAsUpdate(one.doc))
    const run = Array.from({ length: 16 }, (_, n) => incomplete.getArray(`e${n.toString(16)}`)).find(
      ({ length }) => length > 100,
    )
    run?.delete(50, 1)
    const withheld = createStore({ userId: 'alice', doc: incomplete })
    const digest = withheld.digest.step(Number.POSITIVE_INFINITY) as StateDigest
    expect(await one.compare({ digest })).toBe('diverged')
    expect(await countOf(running, 'diverged')).toBe(1)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('alice')
  })

  it('[DIG4] a device that lacks insertions is told so, and one that claims an earlier version to ask again', async () => {
    const running = await startServer()
    const one = await connectDevice(running)
    write(one, 3)
    const before = one.store.digest.step(Number.POSITIVE_INFINITY) as StateDigest
    await one.compare()
    one.store.conversation({ channelId: 'bob', channelType: 1 }).mute()
    expect(await one.compare({ digest: before })).toBe('incomplete')
    expect(await one.compare({ version: 1, digest: before })).toBe('moved')
    expect(await countOf(running, 'incomplete')).toBe(1)
  })

  it('[DIG5] a version that the store has not given yet is reported as a rollback', async () => {
    const running = await startServer()
    const one = await connectDevice(running)
    write(one, 3)
    expect(await one.compare({ lost: 1000 })).toBe('same')
    expect(await countOf(running, 'server-rolled-back')).toBe(1)
  })

  it('[DIG6] a crowd of comparisons loads one document at a time, and the rest is skipped', async () => {
    const store = createMemoryLog()
    const running = await startServer({ store })
    const rooms = Array.from({ length: 120 }, (_, n) => `user ${n}`)
    const sockets = await Promise.all(
      rooms.map((room) => connectRaw(running.room(room), { protocols: [SUBPROTOCOL] })),
    )
    const digest = { vector: new Uint8Array(32), state: new Uint8Array(32) }
    const claim = encodeDigestClaim({ id: 9, epoch: 0, version: 0, lost: 0, digest })
    const outcomes: string[] = []
    for (const socket of sockets) {
      socket.send(claim)
      void socket
        .frame((frame) => frame[0] === MESSAGE_DIGEST && frame[1] !== 0)
        .then((frame) =>
          outcomes.push(['same', 'diverged', 'incomplete', 'moved', 'skipped'][frame[2] ?? 0] ?? ''),
        )
    }
    await until('all are answered', () => outcomes.length === rooms.length)
    expect(new Set(outcomes)).toEqual(new Set(['incomplete', 'skipped']))
    expect(outcomes.filter((outcome) => outcome === 'incomplete').length).toBeLessThanOrEqual(64)
    const text = await (await fetch(`${running.url}/metrics`)).text()
    expect(text).toMatch(/parley_digests_total\{outcome="skipped"\} \d+/)
  })

  it('[DIG7] a request for the whole state is answered with it, directly behind one for what is missing', async () => {
    const running = await startServer()
    const one = await connectDevice(running)
    write(one, 5)
    expect(await one.compare()).toBe('same')
    const { send, frames } = await connectRaw(running.room('alice'))
    send(syncMessage(0, Y.encodeStateVector(one.doc)))
    send(syncMessage(0, new Uint8Array([0])))
    await until('both are answered', () => frames.filter(isSyncAnswer).length === 2)
    const [missing, whole] = frames.filter(isSyncAnswer) as [Uint8Array, Uint8Array]
    expect(missing.byteLength).toBeLessThan(20)
    expect(whole.byteLength).toBeGreaterThan(100)
  })

  it('[DIG4] belongs to parley.1', async () => {
    const running = await startServer()
    const { socket, closed } = await connectRaw(running.room('alice'))
    const digest = { vector: new Uint8Array(32), state: new Uint8Array(32) }
    socket.send(encodeDigestClaim({ id: 1, epoch: 0, version: 0, lost: 0, digest }))
    expect((await closed).code).toBe(4400)
  })
})
