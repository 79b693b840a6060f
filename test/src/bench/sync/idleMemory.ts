import { readFile } from 'node:fs/promises'
import { delay } from '../delay.js'
import { COLLECTABLE } from '../servers/collectable.js'
import type { ParleyServerCalls } from '../servers/parleyServer.js'
import { startYWebsocketServer } from '../servers/yWebsocketServer.js'
import { startWorker } from '../workers/startWorker.js'
import { type Resources, withResources } from '../workers/withResources.js'
import type { IdleDevicesCalls } from './idleDevices.js'

/** How much memory a process has that is resident, in bytes, or how much it grew by. */
export interface Memory {
  readonly resident: number
  /** Of it, pages of files that are mapped: the system takes them back when it needs them. */
  readonly ofFiles: number
}

export interface IdleMemoryOptions {
  /** The server: Parley with LevelDB, or `@y/websocket-server` without a store. */
  readonly server: 'parley' | 'y-websocket'
  readonly users: number
  /** The document that each of them has. */
  readonly state: Uint8Array
}

const CONNECTED_AT_ONCE = 50
/** Documents that nobody needs leave memory after so long; the default would only make this take longer. */
const ROOM_IDLE_MS = 1_000
/** Until documents have left memory. */
const SETTLE_MS = 4_000
/** Until garbage has been collected, and the pages it was on are given back; see `collectOnSignal.ts`. */
const COLLECT_MS = 7_000

/**
 * What the memory of a fresh server grows by for each user who connects and is idle. It has served as many others before, who
 * have left: caches are full, and memory that the allocator keeps for itself is no cost of those who come now.
 */
export async function memoryPerUser({ server: kind, users, state }: IdleMemoryOptions): Promise<Memory> {
  return withResources(async ({ folder, keep }) => {
    const isParley = kind === 'parley'
    const devices = keep(startWorker<IdleDevicesCalls>(new URL('./idleDevices.js', import.meta.url)))
    const server = isParley
      ? await startParley(users, state, folder, keep)
      : keep(await startYWebsocketServer({ nodeFlags: COLLECTABLE }))
    const connect = (group: string): Promise<number> =>
      devices.call('connect', {
        url: `${server.url}/${group}-`,
        users,
        state,
        brings: !isParley,
        atOnce: CONNECTED_AT_ONCE,
      })
    await connect('first')
    await delay(SETTLE_MS)
    await devices.call('cut')
    await delay(SETTLE_MS)
    const before = await memoryOf(server.pid)
    await connect('second')
    await delay(SETTLE_MS)
    const after = await memoryOf(server.pid)
    return {
      resident: (after.resident - before.resident) / users,
      ofFiles: (after.ofFiles - before.ofFiles) / users,
    }
  })
}

/** Starts a Parley server on a store that has the documents of all who will come. */
async function startParley(
  users: number,
  state: Uint8Array,
  folder: string,
  keep: Resources['keep'],
): Promise<{ pid: number; url: string }> {
  const module = new URL('../servers/parleyServer.js', import.meta.url)
  const seeder = startWorker<ParleyServerCalls>(module)
  const rooms = ['first', 'second'].flatMap((group) =>
    Array.from({ length: users }, (_, user) => `${group}-${user}`),
  )
  await seeder.call('seed', { folder, rooms, state })
  await seeder.stop()
  const worker = keep(startWorker<ParleyServerCalls>(module, COLLECTABLE))
  const url = await worker.call('start', { folder, timing: { roomIdleMs: ROOM_IDLE_MS } })
  return { pid: worker.pid, url: `${url.replace('http', 'ws')}/sync` }
}

/** What a server has in memory, its garbage apart. */
async function memoryOf(pid: number): Promise<Memory> {
  process.kill(pid, 'SIGUSR2')
  await delay(COLLECT_MS)
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
  return { resident: bytes('VmRSS'), ofFiles: bytes('RssFile') }
}
