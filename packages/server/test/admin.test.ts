import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Admin } from '../src/index.js'
import { canonicalText, createAdmin, createMemoryLog, type LogStore } from '../src/index.js'
import { connectStock, startServer, until } from './support/harness.js'

const DATA = new URL('../../../test/data/ubuntu-irc/', import.meta.url)
const SEED = 20_260_801

let tsdd = ''
let wukongim = ''
let lines: string[] = []
beforeAll(async () => {
  tsdd = await readFile(new URL('conversation-sync.tsdd.json', DATA), 'utf8')
  wukongim = await readFile(new URL('conversation-sync.wukongim.json', DATA), 'utf8')
  lines = gunzipSync(await readFile(new URL('messages.ndjson.gz', DATA)))
    .toString()
    .trimEnd()
    .split('\n')
})

async function newAdmin(store: LogStore = createMemoryLog()): Promise<{ admin: Admin; store: LogStore }> {
  const { server } = await startServer({ store })
  return { admin: createAdmin({ store, rooms: server.rooms }), store }
}

async function exportAfter(...files: string[]): Promise<string> {
  const { admin } = await newAdmin()
  for (const file of files) await admin.import('Pici', file)
  return canonicalText(await admin.export('Pici'))
}

/** An export without what says how the bytes of payloads were written: servers write them differently. */
function withoutBytes(text: string): string {
  return canonicalText(
    JSON.parse(text, (name, value) => {
      if (name !== 'extra' || typeof value !== 'object' || value === null) return value
      const { payload_order: _, payload_base64: __, ...rest } = value
      return Object.keys(rest).length > 0 ? rest : undefined
    }),
  )
}

/** A reproducible order. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  let seed = SEED
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  const result = [...items]
  for (let at = result.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[result[at], result[other]] = [result[other] as Item, result[at] as Item]
  }
  return result
}

describe('import and export', () => {
  it('[E1] give the same list for what WuKongIM and TangSengDaoDao answer', async () => {
    const [a, b] = [withoutBytes(await exportAfter(tsdd)), withoutBytes(await exportAfter(wukongim))]
    expect(a).toBe(b)
    const { conversations } = JSON.parse(a)
    expect(conversations).toHaveLength(64)
    const ubuntu = conversations.find(
      ({ channel }: { channel: { channelId: string } }) => channel.channelId === 'ubuntu',
    )
    expect(ubuntu).toMatchObject({
      unread: 1606,
      provided: { lastMsgSeq: 11672, unread: 1606, version: '01204353600000000000' },
      lastMessage: { messageSeq: 11672, messageId: '1000000000000016644', timestamp: 1204353600_000 },
    })
  })

  for (const [title, change] of [
    ['', (line: string) => line],
    [
      ', a tenth of them silent',
      (line: string, index: number) => (index % 10 === 3 ? line.replace('"red_dot":1', '"red_dot":0') : line),
    ],
  ] as const) {
    it(`[E2] give the same for all messages in order, in reverse, shuffled, twice and in parts${title}`, {
      timeout: 60_000,
    }, async () => {
      const messages = lines.map(change)
      const inOrder = await exportAfter(messages.join('\n'))
      expect(await exportAfter([...messages].reverse().join('\n'))).toBe(inOrder)
      expect(await exportAfter(shuffled(messages).join('\n'))).toBe(inOrder)
      expect(await exportAfter(messages.join('\n'), messages.join('\n'))).toBe(inOrder)
      const parts = shuffled(messages)
      const half = parts.length / 2
      expect(await exportAfter(parts.slice(half).join('\n'), parts.slice(0, half).join('\n'))).toBe(inOrder)
      expect(JSON.parse(inOrder).conversations).toHaveLength(64)
      expect(lines).toHaveLength(16_644)
    })
  }

  it('[E3] change nothing when the same comes again', async () => {
    const { admin, store } = await newAdmin()
    const first = await admin.import('Pici', tsdd)
    const size = await store.size('Pici')
    expect(first).toEqual({ uid: 'Pici', conversations: 64, messages: 160, skipped: 0, version: 1 })
    expect(await admin.import('Pici', tsdd)).toEqual(first)
    expect(await store.size('Pici')).toEqual(size)
  })

  it('[E4] change nothing when a single member is wrong', async () => {
    const { admin, store } = await newAdmin()
    const broken = lines.slice(0, 100)
    broken[99] = (broken[99] ?? '').replace('"message_seq":', '"message_seq":-')
    await expect(admin.import('Pici', broken.join('\n'))).rejects.toThrow(
      /^line 100\.message_seq must be an integer/,
    )
    await expect(admin.import('', tsdd)).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(await store.size('Pici')).toBe(null)
  })

  it('[E5] leave deleted what a file says is deleted', async () => {
    const recent = {
      message_seq: 5,
      from_uid: 'bob',
      client_msg_no: 'c5',
      timestamp: 1,
      is_deleted: 1,
      payload: {},
    }
    const recents = [{ ...recent, channel_id: 'bob', channel_type: 1 }]
    const file = [{ channel_id: 'bob', channel_type: 1, last_msg_seq: 5, last_client_msg_no: 'c5', recents }]
    const { admin } = await newAdmin()
    await admin.import('alice', JSON.stringify(file))
    expect((await admin.export('alice')).conversations[0]).toMatchObject({ deletedTo: 5 })
  })

  it('[E5] bring what the user did on the other system where nothing is known here, and never undo what was done here', async () => {
    const conversation = {
      channel_id: 'bob',
      channel_type: 1,
      last_msg_seq: 5,
      version: 1,
      mute: 1,
      stick: 1,
      recents: [
        { message_seq: 5, from_uid: 'bob', channel_id: 'bob', channel_type: 1, timestamp: 1, payload: {} },
      ],
      extra: { browse_to: 4, keep_message_seq: 3, keep_offset_y: -20, draft: 'not sent yet', version: 7 },
    }
    const file = JSON.stringify({
      conversations: [conversation, { ...conversation, channel_id: 'carol', extra: undefined }],
    })
    const { admin, store } = await newAdmin()
    await admin.import('alice', file)
    const { conversations } = await admin.export('alice')
    const [bob, carol] = conversations
    expect(bob).toMatchObject({
      mutedUntil: 8.64e15,
      browseTo: 4,
      keptPosition: { messageSeq: 3, offsetY: -20 },
      drafts: { composer: { text: 'not sent yet' } },
    })
    // Bob was listed first.
    expect([bob?.pin, carol?.pin].sort()).toEqual([bob?.pin, carol?.pin])
    const version = (await store.size('alice'))?.version
    await admin.import('alice', file)
    expect((await store.size('alice'))?.version).toBe(version)
  })

  it('[E6] reach the devices that are connected', async () => {
    const store = createMemoryLog()
    const running = await startServer({ store })
    const client = connectStock(running, 'Pici')
    await client.synced
    await createAdmin({ store, rooms: running.server.rooms }).import('Pici', tsdd)
    await until('it has arrived', () => client.doc.share.size > 0 && client.doc.store.clients.size > 0)
  })

  it('[E7] of a user nobody knows is an empty state, and creates nothing', async () => {
    const { admin, store } = await newAdmin()
    expect(await admin.export('nobody')).toEqual({ userId: 'nobody', conversations: [], cursors: {} })
    expect(await admin.inspect('nobody')).toBe(null)
    expect(await store.size('nobody')).toBe(null)
  })
})

describe('inspect', () => {
  it('[E8] tells what is stored and in what condition', async () => {
    const { admin, store } = await newAdmin()
    await admin.import('Pici', wukongim)
    await store.append('Pici', new Uint8Array([1, 2, 3]))
    const before = await admin.inspect('Pici')
    expect(before).toMatchObject({
      uid: 'Pici',
      epoch: 0,
      conversations: 64,
      hiddenConversations: 0,
      drafts: 0,
      writers: 1,
    })
    expect(before?.entries).toBeGreaterThan(64)
    expect(before?.documentBytes).toBeGreaterThan(10_000)
  })

  it('[E8] reports rows that were put aside when the room was loaded', async () => {
    const store = createMemoryLog()
    await store.append('Pici', new Uint8Array([1, 2, 3]))
    const { admin } = await newAdmin(store)
    const found = await admin.inspect('Pici')
    expect(found?.quarantined).toEqual([{ version: 1, reason: expect.stringContaining('cut off'), bytes: 3 }])
    expect(found?.rowCount).toBe(0)
  })
})
