import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { parseExactJson } from '@parley/wukong'
import { expect, it } from 'vitest'
import { send } from './support/gateway.js'
import { startServer } from './support/harness.js'

const DATA = new URL('../../../test/data/ubuntu-irc/', import.meta.url)
const ME = 'Pici'
const BATCH = 4000

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
}

const read = (name: string): Buffer => readFileSync(new URL(name, DATA))

it.each([
  ['wukongim', '/conversation/sync'],
  ['tsdd', '/v1/conversation/sync'],
] as const)(
  '[G6] real messages in by the webhook come out in the shape of %s as their server lists them',
  async (shape, path) => {
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
    const given = parseExactJson(read(`conversation-sync.${shape}.json`).toString()) as unknown as
      | readonly Item[]
      | { readonly conversations: readonly Item[] }
    const expected = 'conversations' in given ? given.conversations : given
    const count = Math.max(...expected.map(({ recents }) => recents.length))
    const asked = await fetch(running.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', token: ME },
      body: JSON.stringify({ uid: ME, msg_count: count }),
    })
    const answered = parseExactJson(await asked.text()) as unknown as typeof given
    const list = 'conversations' in answered ? answered.conversations : answered
    const comparable = (items: readonly Item[]): unknown =>
      [...items]
        .sort((a, b) => (a.channel_id < b.channel_id ? -1 : 1))
        .map(({ unread: _, ...item }) => {
          // The count comes of what was read, which messages do not tell; the version is of another server.
          const { version, readed_to_msg_seq, ...rest } = item as Item & {
            version: unknown
            readed_to_msg_seq?: unknown
          }
          return {
            ...rest,
            recents: item.recents.map(({ payload, ...recent }) => ({
              ...recent,
              channel_id: item.channel_id,
              payload:
                typeof payload === 'string'
                  ? (JSON.parse(Buffer.from(payload, 'base64').toString()) as unknown)
                  : payload,
            })),
          }
        })
    expect(list).toHaveLength(expected.length)
    expect(comparable(list)).toEqual(comparable(expected))
  },
)
