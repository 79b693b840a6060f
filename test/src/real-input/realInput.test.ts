import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createStore, type Message } from '@parley/core'
import { createRandom } from '@parley/core/testing'
import { readImport } from '@parley/server'
import { beforeAll, describe, expect, it } from 'vitest'

const USER = 'Pici'
const folder = new URL('../../data/ubuntu-irc/', import.meta.url)

/** Receives messages, a few at a time or each by itself, and exports what comes of it. */
function exportAfter(messages: readonly Message[], batch: number): string {
  const store = createStore({ userId: USER })
  for (let start = 0; start < messages.length; start += batch)
    store.receive(messages.slice(start, start + batch))
  return JSON.stringify(store.export())
}

function shuffled(messages: readonly Message[], seed: number): Message[] {
  const random = createRandom(seed)
  return [...messages]
    .map((message) => ({ message, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ message }) => message)
}

describe('eight days of a busy channel', () => {
  let messages: readonly Message[] = []
  let skipped = 0

  beforeAll(() => {
    const text = gunzipSync(readFileSync(new URL('messages.ndjson.gz', folder))).toString('utf8')
    ;({ messages, skipped } = readImport(text, USER))
  })

  it('all 16,644 messages are read', () => {
    expect(messages.length + skipped).toBe(16_644)
    expect(messages.length).toBeGreaterThan(11_000)
  })

  for (const share of [0, 10]) {
    const name = share === 0 ? 'as they are' : 'a tenth of them silent'
    it(`[X1] in order, in reverse, shuffled and twice give the same export, ${name}`, () => {
      const given =
        share === 0 ? messages : messages.map((one, place) => ({ ...one, silent: place % share === 3 }))
      const expected = exportAfter(given, given.length)
      expect(exportAfter(given, 1)).toBe(expected)
      expect(exportAfter([...given].reverse(), 97)).toBe(expected)
      expect(exportAfter(shuffled(given, 1), 1)).toBe(expected)
      expect(exportAfter(shuffled([...given, ...given], 2), 1000)).toBe(expected)
      const { conversations } = JSON.parse(expected) as { conversations: Array<{ quiet: unknown[] }> }
      expect(conversations.some(({ quiet }) => quiet.length > 0)).toBe(share > 0)
    })
  }

  it('both shapes of the conversation list give the same list', () => {
    const [tsdd, wukongim] = ['tsdd', 'wukongim'].map((shape) => {
      const text = readFileSync(new URL(`conversation-sync.${shape}.json`, folder), 'utf8')
      const store = createStore({ userId: USER })
      store.provide(readImport(text, USER).conversations)
      return store
    })
    // How the payload was written differs: as an object there, as base64 of JSON with spaces here.
    const withoutLayout = (name: string, value: unknown): unknown => (name === 'extra' ? undefined : value)
    expect(JSON.stringify(tsdd?.export(), withoutLayout)).toBe(
      JSON.stringify(wukongim?.export(), withoutLayout),
    )
    const list = tsdd?.list().getSnapshot().conversations
    expect(list?.length).toBe(64)
    expect(list?.find(({ channel }) => channel.channelId === 'ubuntu')?.unread).toBe(1606)
  })
})
