import { median, type Row, row } from '../measure.js'
import { ingest, seed, wireMessage } from './sample.js'
import type { Servers } from './servers.js'

const MEMBERS = 1000
const CONVERSATIONS = 20
const RUNS = 31

/** One message to many who are away, beside bare appends to their logs in one group. */
export async function ingestRate({ forgetful }: Servers): Promise<Row[]> {
  const { url, worker } = forgetful
  const members = Array.from({ length: MEMBERS }, (_, place) => `member-${place}`)
  // Rooms with a past as well: before the first row of one is stored it must be made sure that there is none, which takes longer.
  const others = Array.from({ length: MEMBERS }, (_, place) => `other-${place}`)
  await seed(url, members, CONVERSATIONS)
  await seed(url, others, CONVERSATIONS)
  const rates: [number[], number[]] = [[], []]
  let loads = 0
  for (let run = 0; run < RUNS; run++) {
    const loadsBefore = await worker.call('loads')
    const start = performance.now()
    await ingest(url, [wireMessage(3, 2 + run)], members)
    rates[0].push((MEMBERS / (performance.now() - start)) * 1000)
    loads += (await worker.call('loads')) - loadsBefore
    const uid = members[run] as string
    rates[1].push((MEMBERS / (await worker.call('appendAsMuch', { uid, rooms: others }))) * 1000)
  }
  return [
    row(
      `one message to ${MEMBERS} absent members, vs as many appends to the log in one group`,
      'members/s',
      median(rates[0]),
      median(rates[1]),
      { atLeast: 0.3 },
    ),
    row('documents loaded for it', 'a member', loads / (MEMBERS * RUNS), null, {}),
  ]
}
