import { delay } from '../delay.js'
import { type Benchmark, median, type Row, row } from '../measure.js'
import type { ParleyServerCalls } from '../servers/parleyServer.js'
import { startWorker } from '../workers/startWorker.js'
import { withResources } from '../workers/withResources.js'
import type { DeviceLoadCalls, StepResult } from './deviceLoad.js'
import type { IdleDevicesCalls } from './idleDevices.js'
import { sampleState } from './sampleState.js'

const RECONNECTING = 2000
const CONVERSATIONS = 100
const OTHERS = 50
/** Edits a second of the others, all together. */
const RATE = 200
const CALM_MS = 3_000
/** The others are watched for so long from the beginning of the storm. */
const STORM_MS = 10_000
const RUNS = 3
/** Documents leave memory after so long. Those of the others stay, for they are used more often. */
const ROOM_IDLE_MS = 2_000
const MAX_DELAY_MS = 50

/** Many who connect at the same time, as after a network was gone: what those notice who were there. */
export const storm: Benchmark = { name: 'storm', run: measure }

function measure(): Promise<Row[]> {
  return withResources(async ({ folder, keep }) => {
    const state = sampleState(CONVERSATIONS)
    const server = keep(
      startWorker<ParleyServerCalls>(new URL('../servers/parleyServer.js', import.meta.url)),
    )
    const crowd = keep(startWorker<IdleDevicesCalls>(new URL('./idleDevices.js', import.meta.url)))
    const others = keep(startWorker<DeviceLoadCalls>(new URL('./deviceLoad.js', import.meta.url)))
    const rooms = Array.from({ length: RECONNECTING }, (_, user) => `user-${user}`)
    await server.call('seed', { folder, rooms, state })
    const address = await server.call('start', { folder, timing: { roomIdleMs: ROOM_IDLE_MS } })
    const url = `${address.replace('http', 'ws')}/sync/`
    await others.call('connect', { url: `${url}other-`, users: OTHERS, echoes: false })
    const step = (measureMs: number): Promise<StepResult> =>
      others.call('step', { rate: RATE, settleMs: 0, measureMs })
    const [calm, stormy, durations]: [number[], number[], number[]] = [[], [], []]
    for (let run = 0; run < RUNS; run++) {
      calm.push((await step(CALM_MS)).p99)
      const watched = step(STORM_MS)
      const load = { url: `${url}user-`, users: RECONNECTING, state, brings: false, atOnce: RECONNECTING }
      durations.push(await crowd.call('connect', load))
      stormy.push((await watched).p99)
      await crowd.call('cut')
      // Each run loads their documents anew.
      await delay(2 * ROOM_IDLE_MS)
    }
    const what = `${RECONNECTING} users with ${CONVERSATIONS} conversations reconnect at once`
    return [
      row(`${what}: edits of others take longer, p99`, 'ms', median(stormy) - median(calm), null, {
        atMost: MAX_DELAY_MS,
      }),
      row(`${what}: until all are in sync`, 'ms', median(durations), null, {}),
    ]
  })
}
