import type { Channel, Store } from '@parley/core'
import { createRandom } from '@parley/core/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Running, startServer } from './support/harness.js'
import {
  CHANNELS,
  carried,
  type Dialect,
  openHttpDevice,
  openYjsDevice,
  type YjsDevice,
} from './support/roundTrip.js'
import { draw, type World } from './support/roundTripActs.js'

/** True if the composer is empty, and a text is beside it. */
function isBeside(store: Store, channel: Channel, text: string | undefined): boolean {
  const { draft } = store.conversation(channel)
  return (
    draft.shared() === null && draft.getSnapshot().others.some((other) => JSON.stringify(other.text) === text)
  )
}

function isMarked({ store }: YjsDevice, channel: Channel): boolean {
  return store.conversation(channel).getSnapshot().markedUnread
}

async function runHistory(running: Running, seed: number): Promise<string[]> {
  const random = createRandom(seed)
  const dialect: Dialect = seed % 2 === 0 ? 'tsdd' : 'wukongim'
  const uid = `user ${seed}`
  let texts = 0
  const world: World = {
    running,
    uid,
    random,
    phone: openYjsDevice(running, uid),
    old: openHttpDevice(running, uid, dialect),
    lastSeqs: new Map(),
    nextText: () => `<${++texts}>`,
  }
  const { phone, old } = world
  const look = (): string[] =>
    CHANNELS.flatMap((channel) => {
      const [mine, theirs] = [phone.store, old.store].map((store) =>
        carried(store.conversation(channel), dialect),
      ) as [Record<string, unknown>, Record<string, unknown>]
      // The rest follows from it.
      const names =
        mine.shown === theirs.shown ? [...new Set([...Object.keys(mine), ...Object.keys(theirs)])] : ['shown']
      return names.flatMap((name) => {
        const [here, there] = [JSON.stringify(mine[name]), JSON.stringify(theirs[name])]
        if (here === there) return []
        // A count says that it was marked only to who knew of the newest message before.
        if (name === 'unread' && here === '1' && there === '0' && isMarked(phone, channel)) return []
        // A field that was cleared after somebody typed elsewhere stays empty: what was typed is beside it.
        if (name === 'draft' && (isBeside(phone.store, channel, there) || isBeside(old.store, channel, here)))
          return []
        return [`seed ${seed}, ${channel.channelId}: ${name} is ${here} on the phone, ${there} by HTTP`]
      })
    })
  const steps: string[] = []
  for (let step = 0; step < 30; step++) {
    // Times are in seconds there.
    vi.setSystemTime(Date.now() + 1000 * (1 + random.int(60)))
    const channel = random.pick(CHANNELS)
    const [name, act] = draw(random)
    await act(world, channel)
    steps.push(`${name} ${CHANNELS.indexOf(channel)}`)
  }
  phone.online = true
  old.online = true
  for (let round = 0; round < 4; round++) {
    for (const channel of CHANNELS)
      for (const { store } of [phone, old]) store.conversation(channel).draft.leave()
    await phone.sync()
    await old.sync()
  }
  await phone.sync()
  const problems = look()
  const state = JSON.stringify(phone.store.export())
  await old.sync()
  await phone.sync()
  if (JSON.stringify(phone.store.export()) !== state) problems.push(`seed ${seed}: they do not come to rest`)
  for (const error of old.errors) if (!/offline/.test(String(error))) problems.push(`seed ${seed}: ${error}`)
  if (problems.length > 0) problems.push(`seed ${seed}: ${steps.join(', ')}`)
  old.manager.close()
  return problems
}

describe('a device that syncs by Yjs and one that knows only HTTP', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())
  const COUNT = Number(process.env.ROUND_TRIPS ?? 200)
  const FIRST = Number(process.env.ROUND_TRIP_SEED ?? 1)

  it('[G14] end with the same, whatever both did apart and together', async () => {
    const running = await startServer()
    const problems: string[] = []
    for (let seed = FIRST; seed < FIRST + COUNT; seed++) problems.push(...(await runHistory(running, seed)))
    expect(problems).toEqual([])
  }, 3_600_000)
})
