import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PlainServerCalls } from '../http/plainServer.js'
import type { RequestLoad, RequestLoadCalls, RequestResult } from '../http/requestLoad.js'
import { startWorker, type Worker } from '../workers/startWorker.js'
import type { ParleyServerCalls } from './parleyServer.js'

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
export async function withServers<Result>(use: (servers: Servers) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  const workers: Array<{ stop: () => Promise<void> }> = []
  const startParley = async (name: string, roomIdleMs?: number): Promise<ParleyProcess> => {
    const worker = startWorker<ParleyServerCalls>(new URL('./parleyServer.js', import.meta.url))
    workers.push(worker)
    const timing = roomIdleMs === undefined ? {} : { roomIdleMs }
    return { worker, url: await worker.call('start', { folder: join(folder, name), timing }) }
  }
  try {
    const generator = startWorker<RequestLoadCalls>(new URL('../http/requestLoad.js', import.meta.url))
    workers.push(generator)
    const plain = startWorker<PlainServerCalls>(new URL('../http/plainServer.js', import.meta.url))
    workers.push(plain)
    const resident = await startParley('resident')
    const forgetful = await startParley('forgetful', 0)
    return await use({ generator, plain, resident, forgetful })
  } finally {
    for (const worker of workers) await worker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const RUNS = 5

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
