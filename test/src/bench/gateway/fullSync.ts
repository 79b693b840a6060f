import type { RequestResult } from '../http/requestLoad.js'
import { median, type Row, row } from '../measure.js'
import { seed } from './sample.js'
import { runInTurns, type Servers } from './servers.js'
import { askSync, syncLoad } from './syncQuestion.js'

const CONVERSATIONS = 100
/** So many that each has left memory long before its turn comes again. */
const ABSENT_USERS = 1000
const PATH = '/conversation/sync'

/** All conversations of a user, beside a server that has these very bytes at hand. */
export async function fullSync({ generator, plain, resident, forgetful }: Servers): Promise<Row[]> {
  const present = 'alice'
  const absent = Array.from({ length: ABSENT_USERS }, (_, place) => `user-${place}`)
  await seed(resident.url, [present], CONVERSATIONS)
  await seed(forgetful.url, absent, CONVERSATIONS)
  const body = await askSync(resident.url, { uid: present })
  const loadsBefore = await forgetful.worker.call('loads')
  const results = await runInTurns(generator, {
    bare: syncLoad(await plain.call('startBare', { body }), [{ uid: present }]),
    plain: syncLoad(await plain.call('startFastify', { path: PATH, body }), [{ uid: present }]),
    present: syncLoad(resident.url, [{ uid: present }]),
    absent: syncLoad(
      forgetful.url,
      absent.map((uid) => ({ uid })),
    ),
  })
  const loads = (await forgetful.worker.call('loads')) - loadsBefore
  const asked = results('absent').reduce((sum, { answers }) => sum + answers, 0)
  if (loads < asked) throw new Error(`Only ${loads} of ${asked} users were not in memory`)
  for (const { bytes } of [...results('present'), ...results('absent')]) {
    if (bytes !== body.byteLength) throw new Error(`An answer had ${bytes} bytes, not ${body.byteLength}`)
  }
  const middle = (name: Parameters<typeof results>[0], member: keyof RequestResult): number =>
    median(results(name).map((result) => result[member]))
  const what = `${CONVERSATIONS} conversations in ${body.byteLength} bytes`
  const plainRate = middle('plain', 'rate')
  const plainP99 = middle('plain', 'p99')
  return [
    row(
      'load generator at a bare HTTP server, vs at the fastify route',
      '/s',
      middle('bare', 'rate'),
      plainRate,
      {},
    ),
    row(`sync of ${what}, user in memory, vs a fastify route`, '/s', middle('present', 'rate'), plainRate, {
      atLeast: 0.5,
    }),
    row('its p99', 'ms', middle('present', 'p99'), plainP99, { atMost: 3 }),
    row(
      `sync of ${what}, user not in memory, vs a fastify route`,
      '/s',
      middle('absent', 'rate'),
      plainRate,
      { atLeast: 0.1 },
    ),
    row('its p99', 'ms', middle('absent', 'p99'), plainP99, { atMost: 3 }),
  ]
}
