import { expect } from 'vitest'
import type { Serving } from '../support/parley.js'
import { createReplica, type Replica } from './replica.js'

export interface CrashOptions {
  /** Starts the server on what is stored. */
  start: () => Promise<Serving>
  kills: number
}

/** Each round ends at a random moment within this time after everybody was connected. */
const ROUND_MS = 200
const ROOMS = ['alice', 'bob', 'carol']
/** Nobody connects as this user: messages come in for them without their document. */
const AWAY = 'dave'

/** An IM server that brings one message after the other, the same again until it was taken. */
interface Bringer {
  /** The number of the last message that was taken. */
  readonly taken: number
  bring: (url: string) => Promise<void>
}

function createBringer(): Bringer {
  let taken = 0
  return {
    get taken() {
      return taken
    },
    async bring(url) {
      for (;;) {
        const message_seq = taken + 1
        const message = {
          message_seq,
          message_id: message_seq,
          from_uid: 'erin',
          channel_id: 'group',
          channel_type: 2,
          timestamp: 1_700_000_000 + message_seq,
          payload: { type: 1, content: `message ${message_seq}` },
          recipients: [AWAY],
        }
        const answer = await fetch(`${url}/v1/ingest/messages`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(message),
        })
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
        taken = message_seq
      }
    },
  }
}

/**
 * Kills a server at random moments while devices write and messages come in, starts it again and again on what it left, and
 * demands at the end that everything it ever said is durable is there, and that all replicas are the same.
 */
export async function surviveCrashes({ start, kills }: CrashOptions): Promise<void> {
  const replicas = new Map<string, Replica[]>(
    ROOMS.map((room) => [
      room,
      [createReplica(`${room}.a`, 'acknowledgement'), createReplica(`${room}.b`, 'barrier')],
    ]),
  )
  const all = [...replicas].flatMap(([room, devices]) => devices.map((device) => ({ room, device })))
  const bringer = createBringer()
  let killedInFlight = 0
  for (let kill = 0; kill < kills; kill++) {
    const serving = await start()
    await Promise.all(all.map(({ room, device }) => device.connect(serving.room(room), true)))
    const bringing = bringer.bring(serving.url).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, Math.random() * ROUND_MS))
    await serving.stop('SIGKILL')
    for (const { device } of all) device.disconnect()
    await bringing
    if (all.some(({ device }) => device.safe > 0 && device.safe < device.written.length)) killedInFlight++
  }

  const serving = await start()
  for (const [room, devices] of replicas) {
    // A device that never heard of any of it has what is stored.
    const stored = createReplica('new', 'barrier')
    await stored.connect(serving.room(room), false)
    const kept = new Set(stored.doc.getArray('values').toArray())
    for (const { written, safe } of devices) {
      expect(written.slice(0, safe).filter((value) => !kept.has(value))).toEqual([])
    }
    // Those that come back bring what was not stored any more. In a second round everybody has everything.
    for (let round = 0; round < 2; round++) {
      for (const device of [...devices, stored]) {
        await device.connect(serving.room(room), false)
        device.disconnect()
      }
    }
    const [first, ...others] = [...devices, stored].map(({ doc }) => doc.getArray('values').toArray())
    expect(first?.length).toBe(devices.reduce((sum, { written }) => sum + written.length, 0))
    for (const other of others) expect(other).toEqual(first)
  }
  const answer = await fetch(`${serving.url}/conversation/sync`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uid: AWAY, msg_count: 1 }),
  })
  const [conversation] = (await answer.json()) as Array<{ last_msg_seq: number; unread: number }>
  expect(conversation?.last_msg_seq).toBeGreaterThanOrEqual(bringer.taken)
  expect(conversation?.unread).toBe(conversation?.last_msg_seq)
  await serving.stop('SIGTERM')

  // Or the test would have shown nothing.
  expect(killedInFlight).toBeGreaterThan(kills / 2)
  expect(all.reduce((sum, { device }) => sum + device.safe, 0)).toBeGreaterThan(kills * 20)
  expect(bringer.taken).toBeGreaterThan(kills / 10)
}
