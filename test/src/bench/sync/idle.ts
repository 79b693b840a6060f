import { type Benchmark, median, type Row, row } from '../measure.js'
import { type Memory, memoryPerUser } from './idleMemory.js'
import { sampleState } from './sampleState.js'

const USERS = 2000
const CONVERSATIONS = 100
/** Fresh servers of each kind: where an allocator happens to have room left differs from one process to the next. */
const SERVERS = 3
const MAX_BYTES = 30 * 1024

/** What users cost who are connected and do nothing. */
export const idle: Benchmark = { name: 'idle', run: measure }

async function measure(): Promise<Row[]> {
  const state = sampleState(CONVERSATIONS)
  const ours: Memory[] = []
  const others: Memory[] = []
  for (let run = 0; run < SERVERS; run++) {
    ours.push(await memoryPerUser({ server: 'parley', users: USERS, state }))
    others.push(await memoryPerUser({ server: 'y-websocket', users: USERS, state }))
  }
  const resident = middle(ours, 'resident')
  const what = `memory of a connected idle user with ${CONVERSATIONS} conversations, of ${USERS}`
  return [
    row(`${what}, vs @y/websocket-server`, 'bytes', resident, middle(others, 'resident'), { atMost: 0.2 }),
    row(what, 'bytes', resident, null, { atMost: MAX_BYTES }),
    row('of it, mapped pages of files of the store', 'bytes', middle(ours, 'ofFiles'), null, {}),
  ]
}

function middle(memories: readonly Memory[], what: keyof Memory): number {
  return median(memories.map((memory) => memory[what]))
}
