import { median, type Row, row } from '../measure.js'
import { ingest, seed, wireMessage } from './sample.js'
import { runInTurns, type Servers } from './servers.js'
import { askSync, syncLoad } from './sync.js'

const CONVERSATIONS = 10_000
const MAX_ANSWER_BYTES = 2048

/** What one change costs a client with a long list, beside asking for all of it. */
export async function incrementalSync({ generator, resident }: Servers): Promise<Row[]> {
  const uid = 'bob'
  await seed(resident.url, [uid], CONVERSATIONS)
  const text = new TextDecoder().decode(await askSync(resident.url, { uid }))
  const all = JSON.parse(text) as Array<{ version: number; channel_id: string; channel_type: number }>
  if (all.length !== CONVERSATIONS) throw new Error(`There are ${all.length} conversations`)
  const version = Math.max(...all.map((item) => item.version))
  const lastMsgSeqs = all.map((item) => `${item.channel_id}:${item.channel_type}:1`).join('|')
  await ingest(resident.url, [wireMessage(17, 2)], [uid])
  const results = await runInTurns(generator, {
    incremental: syncLoad(resident.url, [{ uid, version, lastMsgSeqs }]),
    full: syncLoad(resident.url, [{ uid }]),
  })
  const rate = (name: 'incremental' | 'full'): number => median(results(name).map((result) => result.rate))
  const bytes = Math.max(...results('incremental').map((result) => result.bytes))
  const what = `1 changed of ${CONVERSATIONS} conversations, all of them listed`
  return [
    row(`sync of ${what}, vs a full one`, '/s', rate('incremental'), rate('full'), { atLeast: 20 }),
    row('its answer', 'bytes', bytes, null, { atMost: MAX_ANSWER_BYTES }),
  ]
}
