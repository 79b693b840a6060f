import type { RequestResult } from '../http/requestLoad.js'
import { type Goal, median, type Row, row } from '../measure.js'
import { ingest, seed, wireMessage } from './sample.js'
import { RUNS, runInTurns, type Servers } from './servers.js'
import { askSync, syncLoad } from './syncQuestion.js'

const CONVERSATIONS = 100
/** So many that each has left memory long before its turn comes again. */
const ABSENT_USERS = 1000
/** Users are brought to where they are measured so many at a time. */
const PREPARED_AT_ONCE = 16
const PATH = '/conversation/sync'

/** All conversations of a user, beside a server that has these very bytes at hand. */
export async function fullSync({ generator, plain, resident, forgetful }: Servers): Promise<Row[]> {
  const present = 'alice'
  const absent = Array.from({ length: ABSENT_USERS }, (_, place) => `user-${place}`)
  await seed(resident.url, [present], CONVERSATIONS)
  await seed(forgetful.url, absent, CONVERSATIONS)
  await askEach(forgetful.url, absent)
  const body = await askSync(resident.url, { uid: present })
  const absentLoad = syncLoad(
    forgetful.url,
    absent.map((uid) => ({ uid })),
  )
  const results = await runInTurns(generator, {
    bare: syncLoad(await plain.call('startBare', { body }), [{ uid: present }]),
    plain: syncLoad(await plain.call('startFastify', { path: PATH, body }), [{ uid: present }]),
    present: syncLoad(resident.url, [{ uid: present }]),
    absent: absentLoad,
  })
  const inMemory = await forgetful.worker.call('documents')
  if (inMemory > 0) throw new Error(`${inMemory} users were in memory`)
  const news: RequestResult[] = []
  for (let run = 0; run < RUNS; run++) {
    await ingest(forgetful.url, [wireMessage(run, 2)], absent)
    news.push(await generator.call('run', absentLoad))
  }
  for (const { bytes } of [...results('present'), ...results('absent')]) {
    if (bytes !== body.byteLength) throw new Error(`An answer had ${bytes} bytes, not ${body.byteLength}`)
  }
  const what = `sync of ${CONVERSATIONS} conversations in ${body.byteLength} bytes`
  const compare = (name: string, measured: readonly RequestResult[], goal: Goal, p99Goal: Goal): Row[] => {
    const middle = (of: readonly RequestResult[], member: keyof RequestResult): number =>
      median(of.map((result) => result[member]))
    return [
      row(
        `${name}, vs a fastify route`,
        '/s',
        middle(measured, 'rate'),
        middle(results('plain'), 'rate'),
        goal,
      ),
      row(`${name}: p99`, 'ms', middle(measured, 'p99'), middle(results('plain'), 'p99'), p99Goal),
    ]
  }
  return [
    ...compare('load generator at a bare HTTP server', results('bare'), {}, {}),
    ...compare(`${what}, user in memory`, results('present'), { atLeast: 0.5 }, { atMost: 3 }),
    ...compare(`${what}, user not in memory`, results('absent'), { atLeast: 0.1 }, { atMost: 3 }),
    ...compare(`${what}, user not in memory and with a new message`, news, {}, {}),
  ]
}

/** Asks for each once, as they all have at some time: what is measured is not the very first sync of a user. */
async function askEach(url: string, users: readonly string[]): Promise<void> {
  const waiting = [...users]
  const askNext = async (): Promise<void> => {
    for (let uid = waiting.pop(); uid !== undefined; uid = waiting.pop()) await askSync(url, { uid })
  }
  await Promise.all(Array.from({ length: PREPARED_AT_ONCE }, askNext))
}
