import { setTimeout as delay } from 'node:timers/promises'
import { startWorker, type Worker } from '../../bench/workers/startWorker.js'
import type { ProbeCalls } from './probe.js'
import { startTestedServer, type TestedServer } from './server.js'
import { signToken } from './tokens.js'

/** A server under test, with the probe that measures what its other users notice. */
export interface Tested {
  readonly server: TestedServer
  readonly probe: Worker<ProbeCalls>
  readonly auth: 'jwt' | 'open'
  /** CPU time of the server while only the probe runs, in milliseconds a millisecond. */
  readonly idleRate: number
  stop: () => Promise<void>
}

// From `src` and from `dist` alike.
const PROBE = new URL('../../../dist/budget/runner/probe.js', import.meta.url)
const BYSTANDER = 'budget-bystander'
/** Until the code that the probe needs is compiled, and then how long the server is measured at rest. */
const WARM_UP_MS = 1_000
const REST_MS = 1_000

/** Starts a server and its probe. */
export async function startTested(auth: 'jwt' | 'open'): Promise<Tested> {
  const server = await startTestedServer(auth)
  const probe = startWorker<ProbeCalls>(PROBE)
  try {
    const token = auth === 'open' ? null : signToken(BYSTANDER)
    await probe.call('start', { url: server.url, uid: BYSTANDER, token })
    await delay(WARM_UP_MS)
    const before = await server.usage()
    const start = performance.now()
    await delay(REST_MS)
    const { cpuMs } = await server.usage()
    const idleRate = (cpuMs - before.settledCpuMs) / (performance.now() - start)
    return {
      server,
      probe,
      auth,
      idleRate,
      async stop() {
        await probe.call('stop').catch(() => {})
        await probe.stop()
        await server.stop()
      },
    }
  } catch (error) {
    await probe.stop()
    await server.stop()
    throw error
  }
}
