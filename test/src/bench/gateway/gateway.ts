import type { Benchmark } from '../measure.js'
import { fullSync } from './fullSync.js'
import { incrementalSync } from './incrementalSync.js'
import { ingestRate } from './ingestRate.js'
import { withServers } from './servers.js'

/** The gateway for clients that speak HTTP: answering syncs, and taking messages in. */
export const gateway: Benchmark = {
  name: 'gateway',
  run: () =>
    withServers(async (servers) => [
      ...(await fullSync(servers)),
      ...(await incrementalSync(servers)),
      ...(await ingestRate(servers)),
    ]),
}
