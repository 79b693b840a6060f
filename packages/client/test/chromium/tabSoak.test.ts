import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { createMemoryLog, createServer } from '@parley/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startChromium, type Tab, until } from './chromium.js'

/** How many random actions; `pnpm test:soak tabs` runs 5,000. */
const ACTIONS = Number(process.env.PARLEY_TAB_ACTIONS ?? 300)
/** The seed of the random choices, to repeat a run that failed. */
const SEED = Number(process.env.PARLEY_TAB_SEED ?? 1)
/** An action takes some milliseconds; opening a tab again after it was killed takes a second on a busy machine. */
const MAX_ACTION_MS = 1_000
const TAB_COUNT = 3
const CHANNELS = ['ann', 'bob', 'cat', 'dan']

/** A small generator of pseudorandom numbers (mulberry32), so that a seed repeats a run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

/**
 * What one tab wrote into an attribute that only this tab writes, as numbers that rise. `safe` is the last number of which the
 * tab's own status said that it is on disk, so it must outlive the tab.
 */
interface Counter {
  readonly attribute: string
  written: number
  safe: number
}

interface OpenTab {
  readonly tab: Tab
  readonly counter: Counter
}

/** A line to the server that can be cut: Chromium's own offline mode leaves WebSockets that are open alone. */
async function startLine(port: number) {
  const sockets = new Set<Socket>()
  let isCut = false
  const line = createTcpServer((near) => {
    if (isCut) {
      near.destroy()
      return
    }
    const far = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve))
  return {
    port: (line.address() as AddressInfo).port,
    cut(next: boolean) {
      isCut = next
      if (isCut) for (const socket of sockets) socket.destroy()
    },
    stop() {
      for (const socket of sockets) socket.destroy()
      return new Promise<void>((resolve) => line.close(() => resolve()))
    },
  }
}

const USER_ID = 'soak'
let chromium: Awaited<ReturnType<typeof startChromium>>
let server: Awaited<ReturnType<typeof createServer>>
let line: Awaited<ReturnType<typeof startLine>>
let url: string

beforeAll(async () => {
  chromium = await startChromium()
  server = await createServer({
    ...{ store: createMemoryLog(), port: 0, origins: [chromium.origin] },
    auth: () => ({ uid: USER_ID }),
  })
  line = await startLine((await server.listen()).port)
  url = `ws://127.0.0.1:${line.port}/sync`
}, 120_000)
afterAll(async () => {
  await chromium?.stop()
  await line?.stop()
  await server?.close()
})

describe('three tabs of one device', () => {
  it(`[CL1] [CL40] [CL43] keep what is on disk and agree, over ${ACTIONS} random actions with tabs killed and the network cut`, {
    timeout: 120_000 + ACTIONS * MAX_ACTION_MS,
  }, async () => {
    const random = createRandom(SEED)
    const device = await chromium.device()
    const counters: Counter[] = []
    const open = async (): Promise<OpenTab> => {
      const counter = { attribute: `t${counters.length % 40}`, written: 0, safe: 0 }
      // A name is used again only after 40 tabs, and goes on with the numbers of the tab before it.
      const last = counters.filter(({ attribute }) => attribute === counter.attribute).at(-1)
      counter.written = last?.written ?? 0
      counters.push(counter)
      return { tab: await device.tab({ userId: USER_ID, url }), counter }
    }
    const tabs: OpenTab[] = []
    for (let index = 0; index < TAB_COUNT; index++) tabs.push(await open())
    let messageSeq = 0
    let kills = 0
    let cuts = 0
    let sent = 0

    for (let action = 0; action < ACTIONS; action++) {
      const index = random(TAB_COUNT)
      const { tab, counter } = tabs[index] as OpenTab
      const channelId = CHANNELS[random(CHANNELS.length)] as string
      const choice = random(100)
      if (choice < 3) {
        kills++
        await tab.crash()
        tabs[index] = await open()
      } else if (choice < 6) {
        cuts++
        line.cut(cuts % 2 === 1)
      } else if (choice < 40) {
        counter.written++
        counter.safe = await tab.page
          .evaluate(
            async ([channelId, attribute, value]) => {
              const { client } = window
              client.store.conversation({ channelId, channelType: 1 }).setAttribute(attribute, value)
              await client.flush()
              const { saved } = client.status.getSnapshot()
              return saved === 'disk' || saved === 'server' ? value : 0
            },
            ['counters', counter.attribute, counter.written] as const,
          )
          .then((value) => Math.max(counter.safe, value))
      } else {
        messageSeq++
        const didSend = await tab.page.evaluate(
          ([channelId, choice, seq]) => {
            const { store } = window.client
            const channel = { channelId, channelType: 1 }
            const conversation = store.conversation(channel)
            if (choice < 55)
              conversation.draft.set(
                `${conversation.draft.getSnapshot().composer?.text ?? ''}${seq} `.slice(-200),
              )
            else if (choice < 65) {
              store.receive({
                channel,
                messageSeq: seq,
                fromUid: channelId,
                timestamp: Date.now(),
                payload: { seq },
              })
            } else if (choice < 72) conversation.markRead()
            else if (choice < 76) conversation.markUnread()
            else if (choice < 80) conversation.pin()
            else if (choice < 84) conversation.mute()
            else if (choice < 87) conversation.unmute()
            else if (choice < 90) conversation.archive()
            else if (choice < 93) conversation.delete()
            else {
              const submission = conversation.draft.send()
              if (submission) conversation.draft.acknowledged(submission.submissionId)
              return submission !== null
            }
            return false
          },
          [channelId, choice, messageSeq] as const,
        )
        if (didSend) sent++
      }
    }

    line.cut(false)
    for (const { tab } of tabs) await tab.untilStatus({ connection: { state: 'online' }, saved: 'server' })
    const fresh = await (await chromium.device()).tab({ userId: USER_ID, url })
    await fresh.untilStatus({ connection: { state: 'online' }, saved: 'server' })
    const exported = (tab: Tab) => tab.page.evaluate(() => JSON.stringify(window.client.store.export()))
    await until(async () => {
      const expected = await exported(fresh)
      for (const { tab } of tabs) expect(await exported(tab)).toBe(expected)
    })
    const kept = await fresh.page.evaluate(
      () =>
        window.client.store.conversation({ channelId: 'counters', channelType: 1 }).getSnapshot().attributes,
    )
    const lost = counters.filter(({ attribute, safe }) => safe > Number(kept[attribute] ?? 0))
    expect(lost).toEqual([])
    console.log(
      `${ACTIONS} actions, ${kills} tabs killed, ${cuts} changes of the network, ${sent} drafts sent`,
    )
    // Without these the run would have shown nothing.
    expect(counters.filter(({ safe }) => safe > 0).length).toBeGreaterThan(TAB_COUNT)
    expect(kills).toBeGreaterThan(ACTIONS / 100)
    expect(cuts).toBeGreaterThan(1)
  })
})
