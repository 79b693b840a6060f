import { join } from 'node:path'
import { type Benchmark, median, type Row, row } from '../measure.js'
import type { EchoServerCalls } from '../servers/echoServer.js'
import type { ParleyServerCalls } from '../servers/parleyServer.js'
import { startYWebsocketServer } from '../servers/yWebsocketServer.js'
import { settled } from '../workers/settled.js'
import { startWorker, type Worker } from '../workers/startWorker.js'
import { withResources } from '../workers/withResources.js'
import type { DeviceLoadCalls } from './deviceLoad.js'
import { findHighestRate, MAX_P99_MS } from './highestRate.js'

const USERS = 1000
const RUNS = 5
/** How long edits come whose storing is waited for. */
const STORED_MS = 2_000

/** Editing devices, at Parley and at the server that people use with y-websocket. */
export const load: Benchmark = { name: 'load', run: () => withSystems(measure) }

/** A server with its devices connected. */
interface System {
  readonly generator: Worker<DeviceLoadCalls>
  /** The server's process. */
  readonly pid: number
  readonly rates: number[]
  /** Edits a second that were stored when they came at the highest rate. */
  readonly stored: number[]
}

/** Where a server listens, and its process. */
interface Started {
  readonly url: string
  readonly pid: number
}

type Name = 'echo' | 'level' | 'memory' | 'yLeveldb' | 'yMemory'

function withSystems(use: (systems: Readonly<Record<Name, System>>) => Promise<Row[]>): Promise<Row[]> {
  return withResources(async ({ folder, keep }) => {
    const connect = async ({ url, pid }: Started, echoes = false): Promise<System> => {
      const generator = keep(startWorker<DeviceLoadCalls>(new URL('./deviceLoad.js', import.meta.url)))
      await generator.call('connect', { url: `${url}/user-`, users: USERS, echoes })
      return { generator, pid, rates: [], stored: [] }
    }
    const startParley = async (options: { folder?: string }): Promise<Started> => {
      const worker = keep(
        startWorker<ParleyServerCalls>(new URL('../servers/parleyServer.js', import.meta.url)),
      )
      return { url: `${(await worker.call('start', options)).replace('http', 'ws')}/sync`, pid: worker.pid }
    }
    const startOther = async (store?: string): Promise<Started> =>
      keep(await startYWebsocketServer(store === undefined ? {} : { folder: store }))
    const startEcho = async (): Promise<Started> => {
      const worker = keep(startWorker<EchoServerCalls>(new URL('../servers/echoServer.js', import.meta.url)))
      return { url: await worker.call('start'), pid: worker.pid }
    }
    return use({
      echo: await connect(await startEcho(), true),
      level: await connect(await startParley({ folder: join(folder, 'parley') })),
      memory: await connect(await startParley({})),
      yLeveldb: await connect(await startOther(join(folder, 'y-leveldb'))),
      yMemory: await connect(await startOther()),
    })
  })
}

/** Sends edits for a while and waits until the server has done with them. */
async function storedRate({ generator, pid }: System, rate: number): Promise<number> {
  const start = performance.now()
  await generator.call('step', { rate, settleMs: 0, measureMs: STORED_MS })
  const end = await settled(pid)
  return (rate * STORED_MS) / Math.max(end - start, STORED_MS)
}

async function measure(systems: Readonly<Record<Name, System>>): Promise<Row[]> {
  // The first search only finds where the others begin.
  for (let run = 0; run <= RUNS; run++) {
    for (const system of Object.values<System>(systems)) {
      const { generator, pid, rates, stored } = system
      const rate = await findHighestRate(generator, rates.at(-1) ?? 0)
      rates.push(rate)
      await settled(pid)
      if (system === systems.level || system === systems.yLeveldb) {
        stored.push(await storedRate(system, rate))
      }
    }
  }
  const rate = (name: Name): number => median(systems[name].rates.slice(1))
  const stored = (name: Name): number => median(systems[name].stored.slice(1))
  const what = `edits of ${USERS} users with 2 devices, p99 under ${MAX_P99_MS} ms`
  return [
    row(`load generator at an echo server: ${what}`, '/s', rate('echo'), rate('yMemory'), {}),
    row(
      `${what}: LevelDB, durable, vs @y/websocket-server with y-leveldb`,
      '/s',
      rate('level'),
      rate('yLeveldb'),
      {
        atLeast: 1,
      },
    ),
    row(
      'edits stored a second when they come at that rate: LevelDB, vs y-leveldb, which stores after it has passed on',
      '/s',
      stored('level'),
      stored('yLeveldb'),
      { atLeast: 1 },
    ),
    row(`${what}: in memory, vs @y/websocket-server without a store`, '/s', rate('memory'), rate('yMemory'), {
      atLeast: 0.7,
    }),
  ]
}
