import { join } from 'node:path'
import type { PlainServerCalls } from '../http/plainServer.js'
import type { RequestLoad, RequestLoadCalls, RequestResult } from '../http/requestLoad.js'
import type { ParleyServerCalls } from '../servers/parleyServer.js'
import { startWorker, type Worker } from '../workers/startWorker.js'
import { withResources } from '../workers/withResources.js'

/** A Parley server in a process of its own. */
export interface ParleyProcess {
  readonly url: string
  readonly worker: Worker<ParleyServerCalls>
}

/** The processes that measurements of the gateway share. */
export interface Servers {
  readonly generator: Worker<RequestLoadCalls>
  readonly plain: Worker<PlainServerCalls>
  /** Keeps users in memory as a server does by default. */
  readonly resident: ParleyProcess
  /** Lets go of users as soon as nobody asks for them. */
  readonly forgetful: ParleyProcess
}

/** Starts the processes, and ends them when they have been used. */
export function withServers<Result>(use: (servers: Servers) => Promise<Result>): Promise<Result> {
  return withResources(async ({ folder, keep }) => {
    const startParley = async (name: string, roomIdleMs?: number): Promise<ParleyProcess> => {
      const worker = keep(
        startWorker<ParleyServerCalls>(new URL('../servers/parleyServer.js', import.meta.url)),
      )
      const timing = roomIdleMs === undefined ? {} : { roomIdleMs }
      return { worker, url: await worker.call('start', { folder: join(folder, name), timing }) }
    }
    return use({
      generator: keep(startWorker<RequestLoadCalls>(new URL('../http/requestLoad.js', import.meta.url))),
      plain: keep(startWorker<PlainServerCalls>(new URL('../http/plainServer.js', import.meta.url))),
      resident: await startParley('resident'),
      forgetful: await startParley('forgetful', 0),
    })
  })
}

/** How often each load is run. */
export const RUNS = 9

/** Runs loads in turns, so that what else the machine does hits all of them. */
export async function runInTurns<Name extends string>(
  generator: Worker<RequestLoadCalls>,
  loads: Readonly<Record<Name, RequestLoad>>,
): Promise<(name: Name) => readonly RequestResult[]> {
  const results = new Map<string, RequestResult[]>()
  for (let run = 0; run < RUNS; run++) {
    for (const [name, load] of Object.entries<RequestLoad>(loads)) {
      const result = await generator.call('run', load)
      results.set(name, [...(results.get(name) ?? []), result])
    }
  }
  return (name) => results.get(name) ?? []
}
