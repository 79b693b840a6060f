import type { Store } from '@parley/core'
import { createRandom } from '@parley/core/testing'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { type App, g1, startApp, u1, wireConversation, wireMessage } from './support/app.js'

// Two devices that sometimes see each other's document, a server of an app that knows nothing of documents, and an old
// phone that writes to that server as it pleases.

function send(from: Store, to: Store): void {
  to.applyUpdate(Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
}

async function runHistory(seed: number): Promise<string[]> {
  const random = createRandom(seed)
  const rows = new Map<string, Record<string, unknown>>()
  const messages = { u1: 1, g1: 1 }
  const readTo = { u1: 0, g1: 0 }
  let [version, clock, isDown] = [0, 0, false]
  const channels = [u1, g1] as const
  const name = (channel: (typeof channels)[number]): 'u1' | 'g1' => channel.channelId as 'u1' | 'g1'
  const writeRow = (channel: (typeof channels)[number], draft: string): number => {
    rows.set(channel.channelId, {
      channel_id: channel.channelId,
      channel_type: channel.channelType,
      draft,
      version: ++version,
    })
    return version
  }

  const apps = [startApp(), startApp()] as const
  const typed = new Map<string, string>()
  for (const { manager } of apps) {
    const ask = (): void => {
      if (isDown) throw new Error('down')
    }
    manager.setSyncConversationProviderAndAck(async () => {
      ask()
      return channels.map((channel) => {
        const seq = messages[name(channel)]
        const unread = Math.max(0, seq - readTo[name(channel)])
        return wireConversation(channel, seq, { unread, version: ++clock })
      })
    })
    manager.setSyncConversationExtraProvider(async (since) => {
      ask()
      return [...rows.values()].filter((row) => (row.version as number) > since)
    })
    manager.setUpdateConversationExtraProvider(async ({ channel, draft }) => {
      ask()
      const given = writeRow(channel.channelId === 'u1' ? u1 : g1, draft)
      // The answer gets lost now and then.
      if (random.chance(0.1)) throw new Error('lost')
      return given
    })
    await manager.connected()
  }

  const step = async (app: App, place: number): Promise<void> => {
    const channel = random.pick(channels)
    const handle = app.store.conversation(channel)
    const draw = random()
    if (draw < 0.2) {
      const text = `${place}${seed}-${random.int(1000)}`
      if (handle.draft.getSnapshot().composer === null) {
        handle.draft.set(text)
        typed.set(text, channel.channelId)
      }
      if (random.chance(0.7)) handle.draft.leave()
    } else if (draw < 0.25) {
      const { composer } = handle.draft.getSnapshot()
      if (composer) {
        typed.delete(composer.text)
        handle.draft.clear()
        handle.draft.leave()
      }
    } else if (draw < 0.4) await app.pass(random.int(5000))
    else if (draw < 0.5) await app.manager.syncExtra().catch(() => {})
    else if (draw < 0.6) {
      void app.manager.connected()
      await app.pass(10)
    } else if (draw < 0.7) send(apps[0].store, apps[1].store)
    else if (draw < 0.8) send(apps[1].store, apps[0].store)
    else if (draw < 0.85) writeRow(channel, random.chance(0.3) ? '' : `phone${random.int(100)}`)
    else if (draw < 0.9) {
      messages[name(channel)]++
      app.manager.receive(wireMessage(channel, messages[name(channel)]))
    } else if (draw < 0.94) {
      app.manager.clearConversationUnreadCount(channel)
      readTo[name(channel)] = app.store.conversation(channel).getSnapshot().readSeq
    } else isDown = random.chance(0.4)
  }
  for (let i = 0; i < 80; i++) {
    const place = random.int(2)
    await step(apps[place as 0 | 1], place)
  }

  isDown = false
  const problems: string[] = []
  const meet = async (): Promise<void> => {
    for (const app of apps) {
      for (const channel of channels) app.store.conversation(channel).draft.leave()
      await app.pass(100_000)
      await app.manager.syncExtra().catch(() => {})
      void app.manager.connected()
      await app.pass(100_000)
      send(apps[0].store, apps[1].store)
      send(apps[1].store, apps[0].store)
    }
  }
  for (let round = 0; round < 5; round++) await meet()
  const settled = version
  await meet()
  if (version !== settled) problems.push('the devices do not come to rest')
  const states = apps.map(({ store }) => JSON.stringify(store.export()))
  if (states[0] !== states[1]) problems.push('the devices differ')
  for (const [text, channelId] of typed) {
    const { composer, others, recovered } = apps[0].store
      .conversation(channelId === 'u1' ? u1 : g1)
      .getSnapshot().drafts
    if (![composer, ...others, ...recovered].some((draft) => draft?.text.includes(text)))
      problems.push(`lost: ${text}`)
  }
  for (const channel of channels) {
    const unread = apps[0].unread(channel)
    if (unread > Math.max(1, messages[name(channel)])) problems.push('more is unread than there is')
  }
  for (const app of apps) app.manager.close()
  return problems
}

describe('histories of two devices, a server and an old phone', () => {
  it('[D3] [D5] nothing that was typed is lost, and all come to rest in one state', async () => {
    const found: string[] = []
    for (let seed = 1; seed <= Number(process.env.SEEDS ?? 40); seed++) {
      for (const problem of await runHistory(seed)) found.push(`seed ${seed}: ${problem}`)
    }
    expect(found).toEqual([])
  }, 60_000)
})
