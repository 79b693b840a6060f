import { readFile } from 'node:fs/promises'
import { delay } from '../delay.js'

const LOOK_MS = 200
/** A process that used the processor for no more than this between two looks has nothing left to do. */
const QUIET_TICKS = 1
/** The fields of a process after its name: user and system time are the 12th and 13th, in ticks of 10 ms. */
const USER_TIME = 11
const SYSTEM_TIME = 12
const MAX_WAIT_MS = 180_000

/**
 * Waits until a process has done what it still had to do: a server that stores behind the backs of those it answered would
 * otherwise do so while the next one is measured. On Linux.
 *
 * @returns since when it is quiet, as of `performance.now()`
 */
export async function settled(pid: number): Promise<number> {
  const end = performance.now() + MAX_WAIT_MS
  let before = await ticksOf(pid)
  while (performance.now() < end) {
    const looked = performance.now()
    await delay(LOOK_MS)
    const now = await ticksOf(pid)
    if (now - before <= QUIET_TICKS) return looked
    before = now
  }
  throw new Error(`The process ${pid} was still busy after ${MAX_WAIT_MS} ms`)
}

async function ticksOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])
}
