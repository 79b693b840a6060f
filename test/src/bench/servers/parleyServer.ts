import {
  createMemoryLog,
  createServer,
  type LogStore,
  openLevelLog,
  type Server,
  type ServerOptions,
  tuneGarbageCollection,
} from '@parley/server'
import { serveCalls } from '../workers/serveCalls.js'

/** How a Parley server for a benchmark is to be. */
export interface ParleyServerOptions {
  /** Where LevelDB lies; without it everything is in memory only. */
  readonly folder?: string
  readonly timing?: NonNullable<ServerOptions['timing']>
}

export interface SeedOptions {
  readonly folder: string
  readonly rooms: readonly string[]
  readonly state: Uint8Array
}

/** In a benchmark one user asks as often as thousands do. It is counted all the same. */
const MANY = { perSecond: 1_000_000, burst: 1_000_000 }

let log: LogStore | undefined
let server: Server | undefined
let loads = 0

// As `parley serve` does.
tuneGarbageCollection()

/** A Parley server. */
const calls = {
  /** @returns its address */
  async start({ folder, timing = {} }: ParleyServerOptions): Promise<string> {
    const opened = folder === undefined ? createMemoryLog() : await openLevelLog({ folder })
    log = opened
    const store: LogStore = {
      ...opened,
      load(...request) {
        loads++
        return opened.load(...request)
      },
    }
    server = await createServer({
      store,
      auth: 'open',
      port: 0,
      timing,
      limits: { requestsPerUser: MANY },
    })
    return (await server.listen()).url
  },
  /** Stores the same document in many rooms, before the server is started. */
  async seed({ folder, rooms, state }: SeedOptions): Promise<void> {
    const opened = await openLevelLog({ folder })
    await Promise.all(rooms.map((room) => opened.append(room, state)))
    await opened.close()
  },
  /** How many documents are in memory. */
  documents: () => server?.rooms.documents.count ?? 0,
  /** How often a room was read from the log. */
  loads: () => loads,
  /**
   * Appends to the logs of rooms, in one group, rows as large as the last one of a user.
   *
   * @returns how long it took, in milliseconds
   */
  async appendAsMuch({ uid, rooms }: { uid: string; rooms: readonly string[] }): Promise<number> {
    const update = (await log?.load(uid))?.rows.at(-1)?.update
    if (!log || !update) throw new Error(`${uid} has no rows`)
    const store = log
    const start = performance.now()
    await Promise.all(rooms.map((room) => store.append(room, update)))
    return performance.now() - start
  },
}

export type ParleyServerCalls = typeof calls

serveCalls(calls)
