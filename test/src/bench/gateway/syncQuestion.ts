import type { RequestLoad } from '../http/requestLoad.js'

const PATH = '/conversation/sync'
const CONNECTIONS = 32
const WARMUP_MS = 500
const MEASURE_MS = 1500

/** What a client asks a sync with. */
export interface SyncQuestion {
  readonly uid: string
  /** The greatest version it has. */
  readonly version?: number
  readonly lastMsgSeqs?: string
  /** Messages of each conversation; the newest if left out, as the JS client asks. */
  readonly msgCount?: number
}

function syncBody({ uid, version = 0, lastMsgSeqs = '', msgCount = 1 }: SyncQuestion): string {
  return JSON.stringify({ uid, version, last_msg_seqs: lastMsgSeqs, msg_count: msgCount })
}

/** Clients that ask syncs, over and over. */
export function syncLoad(
  url: string,
  questions: readonly SyncQuestion[],
  connections = CONNECTIONS,
): RequestLoad {
  const bodies = questions.map(syncBody)
  return { url, path: PATH, bodies, connections, warmupMs: WARMUP_MS, measureMs: MEASURE_MS }
}

/** Asks once. */
export async function askSync(url: string, question: SyncQuestion): Promise<Uint8Array> {
  const answer = await fetch(url + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: syncBody(question),
  })
  if (!answer.ok) throw new Error(`A sync was answered with ${answer.status}`)
  return new Uint8Array(await answer.arrayBuffer())
}
