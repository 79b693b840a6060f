import { delay } from '../delay.js'
import { quantile } from '../measure.js'
import { serveCalls } from '../workers/serveCalls.js'
import { openClient, postRequest } from './keepAliveClient.js'

/** What to ask a server for, and for how long. */
export interface RequestLoad {
  readonly url: string
  readonly path: string
  /** Sent in turns, over all connections together. */
  readonly bodies: readonly string[]
  /** Each sends its next request when it has the answer to the last one … */
  readonly connections: number
  /** … or when it is due, if there are to be so many a second, all together. */
  readonly rate?: number
  readonly warmupMs: number
  readonly measureMs: number
}

export interface RequestResult {
  readonly answers: number
  /** Answers a second. */
  readonly rate: number
  /** In milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Of the last answer. */
  readonly bytes: number
}

/** The load generator: keep-alive connections that ask as fast as they are answered. */
const calls = {
  async run(load: RequestLoad): Promise<RequestResult> {
    const { url, path, bodies, connections, warmupMs, measureMs } = load
    const pauseMs = load.rate === undefined ? 0 : (connections / load.rate) * 1000
    const address = new URL(url)
    const requests = bodies.map((body) => postRequest(address, path, body))
    const begin = performance.now() + warmupMs
    const end = begin + measureMs
    const latencies: number[] = []
    let next = 0
    let bytes = 0
    let rate = 0
    const keepAsking = async (place: number): Promise<void> => {
      const client = await openClient(address)
      let due = performance.now() + (pauseMs * place) / connections
      const nextStart = async (): Promise<number> => {
        const [now, mine] = [performance.now(), due]
        due += pauseMs
        if (pauseMs === 0) return now
        // It could not be sent yet because of the one before, and has waited since.
        if (mine <= now) return mine
        await delay(mine - now)
        return performance.now()
      }
      let [answers, first, last] = [0, 0, 0]
      try {
        // At least one, however long an answer takes.
        while (performance.now() < end || answers === 0) {
          const start = await nextStart()
          bytes = await client.ask(requests[next++ % requests.length] as Uint8Array)
          last = performance.now()
          if (start < begin) continue
          if (answers++ === 0) first = start
          latencies.push(last - start)
        }
        rate += (answers / (last - first)) * 1000
      } finally {
        client.close()
      }
    }
    await Promise.all(Array.from({ length: connections }, (_, place) => keepAsking(place)))
    return {
      answers: latencies.length,
      rate,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      bytes,
    }
  },
}

export type RequestLoadCalls = typeof calls

serveCalls(calls)
