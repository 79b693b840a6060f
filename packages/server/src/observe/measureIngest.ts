import type { Ingest } from '../gateway/ingest.js'
import type { Metrics } from './metrics.js'

/** Counts the messages that are taken in. */
export function measureIngest(ingest: Ingest, metrics: Metrics): Ingest {
  return {
    async deliver(envelopes) {
      const delivered = await ingest.deliver(envelopes)
      metrics.ingested(delivered.messages)
      return delivered
    },
  }
}
