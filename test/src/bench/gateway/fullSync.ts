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
/**
 * Latencies are compared at one rate for all, this part of what the route can do: as fast as each can, whoever answers fewer
 * requests a second lets them wait longer, which would only say the same again.
 */
const STEADY_PART = 0.05
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
  const loads = {
    bare: syncLoad(await plain.call('startBare', { body }), [{ uid: present }]),
    plain: syncLoad(await plain.call('startFastify', { path: PATH, body }), [{ uid: present }]),
    present: syncLoad(resident.url, [{ uid: present }]),
    absent: absentLoad,
  }
  const fastest = await runInTurns(generator, loads)
  const plainRate = middle(fastest('plain'), 'rate')
  const rate = plainRate * STEADY_PART
  const steady = await runInTurns(generator, {
    plain: { ...loads.plain, rate },
    present: { ...loads.present, rate },
    absent: { ...loads.absent, rate },
  })
  const inMemory = await forgetful.worker.call('documents')
  if (inMemory > 0) throw new Error(`${inMemory} users were in memory`)
  const news: RequestResult[] = []
  for (let run = 0; run < RUNS; run++) {
    await ingest(forgetful.url, [wireMessage(run, 2)], absent)
    news.push(await generator.call('run', absentLoad))
  }
  for (const { bytes } of [...fastest('present'), ...fastest('absent')]) {
    if (bytes !== body.byteLength) throw new Error(`An answer had ${bytes} bytes, not ${body.byteLength}`)
  }
  const what = `sync of ${CONVERSATIONS} conversations in ${body.byteLength} bytes`
  const rateRow = (name: string, results: readonly RequestResult[], goal: Goal): Row =>
    row(`${name}, vs a fastify route`, '/s', middle(results, 'rate'), plainRate, goal)
  const p99Row = (name: 'present' | 'absent', who: string): Row =>
    row(
      `${what}, ${who}: p99 at ${rate.toFixed(0)} a second, vs the route`,
      'ms',
      middle(steady(name), 'p99'),
      middle(steady('plain'), 'p99'),
      { atMost: 3 },
    )
  return [
    rateRow('load generator at a bare HTTP server', fastest('bare'), {}),
    rateRow(`${what}, user in memory`, fastest('present'), { atLeast: 0.5 }),
    p99Row('present', 'user in memory'),
    rateRow(`${what}, user not in memory`, fastest('absent'), { atLeast: 0.1 }),
    p99Row('absent', 'user not in memory'),
    rateRow(`${what}, user not in memory and with a new message`, news, {}),
  ]
}

function middle(results: readonly RequestResult[], member: keyof RequestResult): number {
  return median(results.map((result) => result[member]))
}

/** Asks for each once, as they all have at some time: what is measured is not the very first sync of a user. */
async function askEach(url: string, users: readonly string[]): Promise<void> {
  const waiting = [...users]
  const askNext = async (): Promise<void> => {
    for (let uid = waiting.pop(); uid !== undefined; uid = waiting.pop()) await askSync(url, { uid })
  }
  await Promise.all(Array.from({ length: PREPARED_AT_ONCE }, askNext))
}
