import { collectDefaultMetrics, Registry } from 'prom-client'

let shared: Registry | null = null

/**
 * What is measured of the process, under the names all Node processes use for it: resident memory, event-loop delay, garbage
 * collection. One for all servers of the process, for it is the same process, and the measuring of delays never ends.
 */
export function processMetrics(): Registry {
  if (shared === null) {
    shared = new Registry()
    collectDefaultMetrics({ register: shared })
  }
  return shared
}
