import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { BusMessage } from '../bus/bus.js'
import type { WrittenBatch } from '../log/logStore.js'
import { processMetrics } from './processMetrics.js'

/** What is asked for only when somebody looks at the metrics. */
export interface MetricsSource {
  readonly connections: () => number
  /** The rooms that somebody is in, or whose documents are in memory. */
  readonly rooms: () => number
  /** The documents in memory, and how large they are as updates. */
  readonly documents: () => { readonly count: number; readonly bytes: number }
  /** Bytes over all connections since the server was created. */
  readonly traffic: () => { readonly received: number; readonly sent: number }
}

/** The operations of a log store that are told apart. */
export type StoreOperation = 'append' | 'load' | 'heads' | 'compact' | 'quarantine' | 'values' | 'check'

export interface FinishedRequest {
  readonly method: string
  /** The pattern of the address, `none` if it has none: an address itself would be one more time series for each. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

/**
 * What a server counts about itself, in the names that `docs/operating.md` lists. Nothing of it is kept for each room or user,
 * so it costs the same however many there are. Each server has its own.
 *
 * @example
 * ```ts
 * import { createMetrics } from '@parley/server'
 *
 * const metrics = createMetrics()
 * metrics.batchWritten({ updates: 3 })
 * console.log(await metrics.render()) // … parley_commit_group_updates_sum 3 …
 * ```
 */
export interface Metrics {
  /** A commit became durable, after it had waited its turn. */
  readonly committed: (seconds: number, bytes: number) => void
  readonly batchWritten: (batch: WrittenBatch) => void
  readonly loaded: (seconds: number) => void
  readonly compacted: () => void
  readonly quarantined: (rows: number) => void
  readonly storeFailed: (operation: StoreOperation) => void
  /** A device and the store were found to contradict each other: of which kind. */
  readonly diverged: (kind: string) => void
  /** What a device holds was compared with what is stored, or was not. */
  readonly digestCompared: (outcome: string) => void
  readonly connectionAccepted: () => void
  /** Something was refused: where, of which kind, and with which close code or status. */
  readonly refused: (refusal: { readonly at: string; readonly kind: string; readonly code: number }) => void
  readonly requestFinished: (request: FinishedRequest) => void
  readonly ingested: (messages: number) => void
  readonly busMessage: (direction: 'published' | 'received', type: BusMessage['type']) => void
  /** Says where the figures come from that are looked up. The last one counts. */
  readonly watch: (source: MetricsSource) => void
  /** All figures in Prometheus' text format. */
  readonly render: () => Promise<string>
  /** What `render` returns, for the header. */
  readonly contentType: string
}

/** From a fast disk's sync to a store that is nearly given up. */
const STORE_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
const HTTP_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
const GROUP_UPDATES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]

/** Creates {@link Metrics} that all begin at nothing. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  let source: MetricsSource = {
    connections: () => 0,
    rooms: () => 0,
    documents: () => ({ count: 0, bytes: 0 }),
    traffic: () => ({ received: 0, sent: 0 }),
  }

  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `parley_${name}`, help, labelNames, registers })
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ) => new Histogram({ name: `parley_${name}`, help, buckets, labelNames, registers })
  const watchedGauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `parley_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  const watchedCounter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name: `parley_${name}`,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }

  watchedGauge('connections', 'WebSockets that are connected', () => source.connections())
  watchedGauge('rooms', 'Rooms that somebody is in, or whose documents are in memory', () => source.rooms())
  watchedGauge('documents', 'Documents in memory', () => source.documents().count)
  watchedGauge(
    'document_bytes',
    'How large the documents in memory are as updates',
    () => source.documents().bytes,
  )
  watchedCounter(
    'received_bytes_total',
    'Bytes received over all connections',
    () => source.traffic().received,
  )
  watchedCounter('sent_bytes_total', 'Bytes sent over all connections', () => source.traffic().sent)

  const accepted = counter('connections_accepted_total', 'WebSockets that were let in')
  const refusals = counter('refusals_total', 'Connections, updates and requests that were refused', [
    'at',
    'kind',
    'code',
  ])
  const commits = histogram(
    'commit_duration_seconds',
    'From asking the store to keep an update until it is durable',
    STORE_SECONDS,
  )
  const groups = histogram('commit_group_updates', 'Updates that shared one write to the disk', GROUP_UPDATES)
  const updates = counter('stored_updates_total', 'Updates that became durable')
  const bytes = counter('stored_bytes_total', 'Bytes of the updates that became durable')
  const loads = histogram('load_duration_seconds', 'Reading a room from the store', STORE_SECONDS)
  const compactions = counter('compactions_total', 'Logs of rooms that were compacted')
  const quarantined = counter('quarantined_rows_total', 'Rows of logs that were put into quarantine')
  const divergences = counter(
    'divergences_total',
    'Devices and stores that were found to contradict each other',
    ['kind'],
  )
  const digests = counter('digests_total', 'Comparisons of what devices hold with what is stored', [
    'outcome',
  ])
  const failures = counter('store_errors_total', 'Operations of the store that failed', ['operation'])
  const requests = counter('http_requests_total', 'Requests by HTTP', ['method', 'route', 'status'])
  const durations = histogram('http_request_duration_seconds', 'Requests by HTTP', HTTP_SECONDS, ['route'])
  const ingested = counter('ingested_messages_total', 'Messages that an IM server brought')
  const bus = counter('bus_messages_total', 'Hints to and from other nodes', ['direction', 'type'])

  return {
    committed(seconds, size) {
      commits.observe(seconds)
      updates.inc()
      bytes.inc(size)
    },
    batchWritten: (batch) => groups.observe(batch.updates),
    loaded: (seconds) => loads.observe(seconds),
    compacted: () => compactions.inc(),
    quarantined: (rows) => quarantined.inc(rows),
    storeFailed: (operation) => failures.inc({ operation }),
    diverged: (kind) => divergences.inc({ kind }),
    digestCompared: (outcome) => digests.inc({ outcome }),
    connectionAccepted: () => accepted.inc(),
    refused: ({ at, kind, code }) => refusals.inc({ at, kind, code }),
    requestFinished({ method, route, status, seconds }) {
      requests.inc({ method, route, status })
      durations.observe({ route }, seconds)
    },
    ingested: (messages) => ingested.inc(messages),
    busMessage: (direction, type) => bus.inc({ direction, type }),
    watch(next) {
      source = next
    },
    render: () => Registry.merge([processMetrics(), registry]).metrics(),
    contentType: registry.contentType,
  }
}
