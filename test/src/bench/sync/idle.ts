import { readFile } from 'node:fs/promises'
import { delay } from '../delay.js'
import { type Benchmark, type Row, row } from '../measure.js'
import { COLLECTABLE } from '../servers/collectable.js'
import type { ParleyServerCalls } from '../servers/parleyServer.js'
import { startYWebsocketServer } from '../servers/yWebsocketServer.js'
import { startWorker } from '../workers/startWorker.js'
import { type Resources, withResources } from '../workers/withResources.js'
import type { IdleDevicesCalls } from './idleDevices.js'
import { sampleState } from './sampleState.js'

const USERS = 2000
const CONVERSATIONS = 100
const CONNECTED_AT_ONCE = 50
/** Documents that nobody needs leave memory after so long; the default would only make this take longer. */
const ROOM_IDLE_MS = 2_000
/** Until documents have left memory. */
const SETTLE_MS = 8_000
/** Until garbage has been collected, and the pages it was on are given back; see `collectOnSignal.ts`. */
const COLLECT_MS = 7_000
const MAX_BYTES = 30 * 1024

/** What users cost who are connected and do nothing. */
export const idle: Benchmark = { name: 'idle', run: measure }

async function measure(): Promise<Row[]> {
  const state = sampleState(CONVERSATIONS)
  const ours = await bytesPerConnection(state, true)
  const others = await bytesPerConnection(state, false)
  const what = `memory of a connected idle user with ${CONVERSATIONS} conversations, of ${USERS}`
  return [
    row(`${what}, vs @y/websocket-server`, 'bytes', ours, others, { atMost: 0.2 }),
    row(what, 'bytes', ours, null, { atMost: MAX_BYTES }),
  ]
}

/**
 * What the resident memory of a server grows by for each connection. It has served as many others before, who have left:
 * caches are full, and memory that the allocator keeps for itself is no cost of those who come now.
 */
async function bytesPerConnection(state: Uint8Array, isParley: boolean): Promise<number> {
  return withResources(async ({ folder, keep }) => {
    const devices = keep(startWorker<IdleDevicesCalls>(new URL('./idleDevices.js', import.meta.url)))
    const server = isParley
      ? await startParley(state, folder, keep)
      : keep(await startYWebsocketServer({ nodeFlags: COLLECTABLE }))
    const connect = (group: string): Promise<number> =>
      devices.call('connect', {
        url: `${server.url}/${group}-`,
        users: USERS,
        state,
        brings: !isParley,
        atOnce: CONNECTED_AT_ONCE,
      })
    await connect('first')
    await delay(SETTLE_MS)
    await devices.call('cut')
    await delay(SETTLE_MS)
    const before = await residentBytes(server.pid)
    await connect('second')
    await delay(SETTLE_MS)
    return ((await residentBytes(server.pid)) - before) / USERS
  })
}

/** Starts a Parley server on a store that has the documents of all who will come. */
async function startParley(
  state: Uint8Array,
  folder: string,
  keep: Resources['keep'],
): Promise<{ pid: number; url: string }> {
  const module = new URL('../servers/parleyServer.js', import.meta.url)
  const seeder = startWorker<ParleyServerCalls>(module)
  const rooms = ['first', 'second'].flatMap((group) =>
    Array.from({ length: USERS }, (_, user) => `${group}-${user}`),
  )
  await seeder.call('seed', { folder, rooms, state })
  await seeder.stop()
  const worker = keep(startWorker<ParleyServerCalls>(module, COLLECTABLE))
  const url = await worker.call('start', { folder, timing: { roomIdleMs: ROOM_IDLE_MS } })
  return { pid: worker.pid, url: `${url.replace('http', 'ws')}/sync` }
}

/** What a server has in memory, its garbage apart. */
async function residentBytes(pid: number): Promise<number> {
  process.kill(pid, 'SIGUSR2')
  await delay(COLLECT_MS)
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}
