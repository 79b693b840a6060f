import type { Worker } from '../workers/startWorker.js'
import type { DeviceLoadCalls } from './deviceLoad.js'

/** What a rate must keep to for it to count, in milliseconds. */
export const MAX_P99_MS = 50

const SETTLE_MS = 300
const MEASURE_MS = 700
/** From one rate that is tried to the next. */
const FACTOR = 1.1
/** A search begins so far below what the last one found. */
const HEAD_START = 0.65
const MIN_RATE = 500

/**
 * Finds the highest rate of edits, of all users together, at which 99 of 100 arrive in time. A rate that fails is tried once
 * more, for the machine may have had something else to do.
 *
 * @param last what the last search found, 0 if there was none
 */
export async function findHighestRate(generator: Worker<DeviceLoadCalls>, last: number): Promise<number> {
  const holds = async (rate: number): Promise<boolean> => {
    const step = { rate, settleMs: SETTLE_MS, measureMs: MEASURE_MS }
    for (let attempt = 0; attempt < 2; attempt++) {
      const { p99, lost } = await generator.call('step', step)
      if (lost > 0) throw new Error(`${lost} edits did not arrive at ${rate.toFixed(0)} a second`)
      if (p99 <= MAX_P99_MS) return true
    }
    return false
  }
  let highest = 0
  for (
    let rate = Math.max(MIN_RATE, last * HEAD_START);
    await holds(rate);
    rate *= last === 0 ? FACTOR ** 3 : FACTOR
  ) {
    highest = rate
  }
  if (highest > 0 || last === 0) return highest
  return findHighestRate(generator, last * HEAD_START)
}
