import { median, type Row, row } from '../measure.js'
import { ingest, seed, wireMessage } from './sample.js'
import { runInTurns, type Servers } from './servers.js'
import { askSync, syncLoad } from './syncQuestion.js'

const CONVERSATIONS = 10_000
const MAX_ANSWER_BYTES = 2048
/** A full answer has megabytes: of more at once each would only wait for the others. */
const CONNECTIONS = 2
/** The Android client asks for so many messages of each conversation. It is the one that goes on from a version. */
const MSG_COUNT = 10
/** So many clients that differ in what they have. */
const CLIENTS = 50

/** What one change costs a client with a long list, beside asking for all of it. */
export async function incrementalSync({ generator, resident }: Servers): Promise<Row[]> {
  const uid = 'bob'
  await seed(resident.url, [uid], CONVERSATIONS)
  const text = new TextDecoder().decode(await askSync(resident.url, { uid }))
  const all = JSON.parse(text) as Array<{ version: number; channel_id: string; channel_type: number }>
  if (all.length !== CONVERSATIONS) throw new Error(`There are ${all.length} conversations`)
  const version = Math.max(...all.map((item) => item.version))
  const changed = 'group-17'
  const listing = (client: number): string =>
    all
      .map(({ channel_id, channel_type }, place) => {
        // What a client has beyond the server changes no answer.
        const seq = channel_id !== changed && place % CLIENTS === client ? 2 : 1
        return `${channel_id}:${channel_type}:${seq}`
      })
      .join('|')
  await ingest(resident.url, [wireMessage(17, 2)], [uid])
  const questions = Array.from({ length: CLIENTS }, (_, client) => {
    return { uid, version, lastMsgSeqs: listing(client), msgCount: MSG_COUNT }
  })
  const results = await runInTurns(generator, {
    incremental: syncLoad(resident.url, questions, CONNECTIONS),
    full: syncLoad(resident.url, [{ uid, msgCount: MSG_COUNT }], CONNECTIONS),
  })
  const rate = (name: 'incremental' | 'full'): number => median(results(name).map((result) => result.rate))
  const bytes = Math.max(...results('incremental').map((result) => result.bytes))
  const what = `1 changed of ${CONVERSATIONS} conversations, all of them listed`
  return [
    row(`sync of ${what}, vs a full one`, '/s', rate('incremental'), rate('full'), { atLeast: 20 }),
    row('its answer', 'bytes', bytes, null, { atMost: MAX_ANSWER_BYTES }),
  ]
}
