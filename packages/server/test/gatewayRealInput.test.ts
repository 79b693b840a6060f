import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { channelKey, createStore, type Message } from '@parley/core'
import { createConversationManager, parseExactJson, readSyncAnswer, type Shape } from '@parley/wukong'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { send } from './support/gateway.js'
import { type Running, startServer } from './support/harness.js'

const DATA = new URL('../../../test/data/ubuntu-irc/', import.meta.url)
const ME = 'Pici'
const BATCH = 4000
const PATHS: Readonly<Record<Shape, string>> = {
  wukongim: '/conversation/sync',
  tsdd: '/v1/conversation/sync',
}
const SHAPES = Object.keys(PATHS) as Shape[]

interface Recent {
  readonly channel_id: string
  readonly channel_type: number
  readonly from_uid: string
  readonly message_seq: number
  readonly payload: unknown
}
interface Item {
  readonly channel_id: string
  readonly unread?: number
  readonly last_msg_seq: number
  readonly recents: readonly Recent[]
  readonly version: unknown
  readonly readed_to_msg_seq?: unknown
}
type Answer = readonly Item[] | { readonly conversations: readonly Item[] }

const read = (name: string): Buffer => readFileSync(new URL(name, DATA))
const given = (shape: Shape): Answer =>
  parseExactJson(read(`conversation-sync.${shape}.json`).toString()) as unknown as Answer
const itemsOf = (answer: Answer): readonly Item[] =>
  'conversations' in answer ? answer.conversations : answer
const mostRecents = (items: readonly Item[]): number =>
  Math.max(...items.map(({ recents }) => recents.length))

/** What the gateway lists, with all its digits. */
async function listed({ url }: Running, shape: Shape, msgCount: number): Promise<readonly Item[]> {
  const asked = await fetch(url + PATHS[shape], {
    method: 'POST',
    headers: { 'content-type': 'application/json', token: ME },
    body: JSON.stringify({ uid: ME, msg_count: msgCount }),
  })
  return itemsOf(parseExactJson(await asked.text()) as unknown as Answer)
}

/**
 * Conversations by name, without what docs/wukongim.md says is different: versions are of another server, and the channel of
 * a received person message is the other person. The order of a payload's members means nothing.
 */
function comparable(items: readonly Item[]): object[] {
  return [...items]
    .sort((a, b) => (a.channel_id < b.channel_id ? -1 : 1))
    .map(({ version: _, ...item }) => ({
      ...item,
      recents: item.recents.map(({ payload, ...recent }) => ({
        ...recent,
        channel_id: item.channel_id,
        payload:
          typeof payload === 'string'
            ? (JSON.parse(Buffer.from(payload, 'base64').toString()) as unknown)
            : payload,
      })),
    }))
}

/** What messages do not tell: what was read. */
function withoutCounts(items: object[]): object[] {
  return items.map((item) => {
    const { unread: _, readed_to_msg_seq: __, ...rest } = item as Partial<Item>
    return rest
  })
}

describe('real messages in by the webhook', () => {
  it.each(SHAPES)(
    '[G6] come out in the shape of %s as their server lists them',
    async (shape) => {
      const running = await startServer()
      const lines = gunzipSync(read('messages.ndjson.gz')).toString().trimEnd().split('\n')
      const mine = lines.filter((line) => {
        const { channel_id, channel_type, from_uid } = JSON.parse(line) as Recent
        return channel_type === 2 || channel_id === ME || from_uid === ME
      })
      await send(running, 'PUT', '/v1/channels/2/ubuntu/members', [ME])
      for (let start = 0; start < mine.length; start += BATCH) {
        const batch = `[${mine.slice(start, start + BATCH).join(',')}]`
        const answer = await send(running, 'POST', '/v1/webhook/any?event=msg.notify', batch)
        expect(answer).toEqual({ status: 200, body: { status: 200 } })
      }
      const expected = itemsOf(given(shape))
      const list = await listed(running, shape, mostRecents(expected))
      expect(list).toHaveLength(expected.length)
      expect(withoutCounts(comparable(list))).toEqual(withoutCounts(comparable(expected)))
      // Thousands of messages: on a busy machine more than the usual time.
    },
    30_000,
  )
})

describe('real conversations in by the consumer', () => {
  const cases = SHAPES.flatMap((from) => SHAPES.map((to) => [from, to] as const))

  it.each(cases)('[G6] that came in the shape of %s go out in that of %s, counts too', async (from, to) => {
    // The app's own history has the messages before the newest one.
    const history = new Map<string, readonly Message[]>()
    for (const { channel, recents } of readSyncAnswer(given(from), { me: ME }).conversations)
      history.set(channelKey(channel), recents)
    const running = await startServer({
      gateway: { messageSource: async ({ channel }) => history.get(channelKey(channel)) ?? [] },
    })
    const store = createStore({ userId: ME })
    const manager = createConversationManager(store)
    // As an app that knows nothing of versions beyond 2^53 parses it.
    manager.setSyncConversationProviderAndAck(async () =>
      JSON.parse(read(`conversation-sync.${from}.json`).toString()),
    )
    expect(await manager.connected()).toBe('synced')
    const { room, release } = await running.server.rooms.acquire(ME)
    await room.submit(Y.encodeStateAsUpdate(store.doc))
    release()
    manager.close()
    const expected = itemsOf(given(to))
    const list = await listed(running, to, mostRecents(expected))
    expect(list).toHaveLength(expected.length)
    expect(comparable(list)).toEqual(comparable(expected))
  })
})
