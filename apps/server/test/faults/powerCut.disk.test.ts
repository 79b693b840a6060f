import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/parley.js'
import { lostOf, startWriter, type Writer } from '../support/writers.js'
import { createUnreliableDisk } from './support/unreliableDisk.js'

const POWER_CUTS = 20
/** Each round ends at a random moment within this time after its writers were connected. */
const ROUND_MS = 400
const ROOMS = ['alice', 'bob', 'carol']
/** Long enough that LevelDB begins new files under way. */
const VALUE_CHARACTERS = 4000
const WITHOUT_SYNC = fileURLToPath(new URL('support/withoutSync.mjs', import.meta.url))

interface Rounds {
  /** Values that were acknowledged and are not there. */
  readonly lost: readonly string[]
  readonly acknowledged: number
  /** Bytes that were written and not synced when the power was cut, over all rounds. */
  readonly unsyncedBytes: number
}

/** Cuts the power of a server under load again and again, and looks what is left. */
async function cutPowerUnderLoad(cuts: number, env: Record<string, string> = {}): Promise<Rounds> {
  const disk = await createUnreliableDisk()
  const start = () => serve(disk.folder, [], { ...disk.env, ...env })
  const written: Writer[] = []
  let unsyncedBytes = 0
  for (let cut = 0; cut < cuts; cut++) {
    const serving = await start()
    const writers = ROOMS.flatMap((room) => [
      startWriter(serving, room, { name: `${cut}.${room}.a`, padding: VALUE_CHARACTERS }),
      startWriter(serving, room, { name: `${cut}.${room}.b`, asks: 'barrier' }),
    ])
    await Promise.all(writers.map(({ connected }) => connected))
    await delay(Math.random() * ROUND_MS)
    await serving.stop('SIGKILL')
    for (const { stop } of writers) stop()
    unsyncedBytes += await disk.cutPower()
    written.push(...writers)
  }
  const serving = await start()
  const lost = await lostOf(serving, written)
  await serving.stop('SIGKILL')
  return { lost, acknowledged: written.reduce((sum, { safe }) => sum + safe, 0), unsyncedBytes }
}

describe('power cuts', () => {
  it(`[D6] lose nothing that was acknowledged, over ${POWER_CUTS} of them under load`, {
    timeout: 180_000,
  }, async () => {
    const { lost, acknowledged, unsyncedBytes } = await cutPowerUnderLoad(POWER_CUTS)
    expect(lost).toEqual([])
    // Or the test would have shown nothing.
    expect(acknowledged).toBeGreaterThan(POWER_CUTS * 20)
    expect(unsyncedBytes).toBeGreaterThan(0)
  })

  it('[D6] lose what was acknowledged if the log is written without syncing: the test would notice', {
    timeout: 60_000,
  }, async () => {
    const { lost, acknowledged } = await cutPowerUnderLoad(3, { NODE_OPTIONS: `--import=${WITHOUT_SYNC}` })
    expect(acknowledged).toBeGreaterThan(0)
    expect(lost.length).toBeGreaterThan(0)
  })
})
