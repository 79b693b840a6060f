import { createStore, onUpdate } from '@parley/core'
import { runHistory } from '@parley/core/testing'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  type Admin,
  canonicalText,
  createAdmin,
  createMemoryLog,
  createRooms,
  defaultLimits,
  defaultTiming,
  type LogStore,
  silentLogger,
} from '../src/index.js'

const HISTORIES = Number(process.env.PARLEY_HISTORIES ?? 12)
const SEED = 20_261_130

function newAdmin(store: LogStore = createMemoryLog()): {
  admin: Admin
  store: LogStore
  close: () => Promise<void>
} {
  const rooms = createRooms({ store, limits: defaultLimits, timing: defaultTiming, logger: silentLogger })
  return { admin: createAdmin({ store, rooms }), store, close: () => rooms.close() }
}

async function exportText(admin: Admin, uid: string): Promise<string> {
  const { file, missing } = await admin.exportFile(uid)
  expect(missing).toEqual([])
  return canonicalText(file)
}

/** A user with something of everything, as the updates of a device. */
async function fill(store: LogStore, uid: string): Promise<void> {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  onUpdate(
    doc,
    ({ update }) => void updates.push(update),
    (error) => {
      throw error
    },
  )
  const state = createStore({ userId: uid, doc })
  const bob = state.conversation({ channelId: 'bob', channelType: 1 })
  state.receive(
    [1, 2, 3].map((messageSeq) => ({
      channel: bob.channel,
      messageSeq,
      fromUid: 'bob',
      timestamp: 1_700_000_000_000 + messageSeq,
      payload: { text: `message ${messageSeq}` },
    })),
  )
  bob.markRead(2)
  bob.pin()
  bob.setAttribute('note', 'important')
  bob.draft.set('a draft worth keeping')
  state.conversation({ channelId: 'gone', channelType: 2 }).delete()
  state.close()
  for (const update of updates) await store.append(uid, update)
  await store.values.write(`room:${uid}`, new Map([['recents/1:bob/0000000003', Buffer.from('{"a":1}')]]))
}

describe('an export', () => {
  it('[EXP1] of a random history gives the same export again, byte for byte, once it was imported into an empty store', {
    timeout: 240_000,
  }, async () => {
    for (let n = 0; n < HISTORIES; n++) {
      const { world } = runHistory({
        seed: SEED + n,
        lossy: n % 2 === 0,
        crash: n % 3 === 0,
        skew: n % 4 === 0,
      })
      const source = newAdmin()
      await source.store.append('me', Y.encodeStateAsUpdate(world.server.doc))
      const exported = await exportText(source.admin, 'me')
      const target = newAdmin()
      const first = await target.admin.import(null, exported)
      expect([n, first.uid]).toEqual([n, 'me'])
      expect([n, (await exportText(target.admin, 'me')) === exported]).toEqual([n, true])
      // Once more it changes nothing.
      expect((await target.admin.import('me', exported)).version).toBe(first.version)
      expect((await exportText(target.admin, 'me')) === exported).toBe(true)
      await target.admin.import('carol', exported)
      const other = JSON.parse(await exportText(target.admin, 'carol'))
      const { userId, ...rest } = JSON.parse(exported)
      expect([n, other]).toEqual([n, { ...rest, userId: 'carol' }])
      await Promise.all([source.close(), target.close()])
    }
  })

  it('[EXP1] holds messages, positions, pins, attributes, drafts, deletions and recent messages', async () => {
    const { admin, store, close } = newAdmin()
    await fill(store, 'rich')
    const exported = await exportText(admin, 'rich')
    const target = newAdmin()
    expect(await target.admin.import('copy', exported)).toMatchObject({
      uid: 'copy',
      conversations: 2,
      messages: 1,
    })
    const { conversations } = await target.admin.export('copy')
    expect(conversations.find(({ channel }) => channel.channelId === 'bob')).toMatchObject({
      readSeq: 2,
      unread: 1,
      pin: expect.any(String),
      attributes: { note: 'important' },
      lastMessage: { payload: { text: 'message 3' } },
      drafts: { composer: { text: 'a draft worth keeping' } },
    })
    const recents = await target.store.values.read('room:copy', ['recents/1:bob/0000000003'])
    expect(Buffer.from(recents.get('recents/1:bob/0000000003') ?? '').toString()).toBe('{"a":1}')
    // What is newer in the store than in the file stays.
    await fill(target.store, 'rich')
    await target.admin.import(null, exported)
    expect((await target.admin.export('rich')).conversations[0]?.lastMessage?.messageSeq).toBe(3)
    await Promise.all([close(), target.close()])
  })

  it('[EXP2] that was changed, cut or made by something else is refused with the name of the member, and nothing changes', async () => {
    const { admin, store, close } = newAdmin()
    await fill(store, 'rich')
    const file = JSON.parse(await exportText(admin, 'rich'))
    const [bob] = file.conversations
    const { document: _, recents: __, format: ___, formatVersion: ____, ...readable } = file
    const cases: ReadonlyArray<[object, string]> = [
      [{ ...file, extra: 1 }, 'extra must be left out'],
      [{ ...file, formatVersion: 2 }, 'formatVersion must be 1'],
      [readable, 'format must be parley-export; a file of parley export --readable'],
      [{ ...file, document: 'AAA' }, 'document must be bytes in base64'],
      [{ ...file, document: Buffer.from([1, 2, 3]).toString('base64') }, 'document must be a Yjs update'],
      [
        { ...file, document: Buffer.from([0, 0]).toString('base64') },
        'conversations[0] must be as the document',
      ],
      [
        { ...file, conversations: [{ ...bob, pin: 'zz' }, ...file.conversations.slice(1)] },
        'conversations[0].pin must be',
      ],
      [
        { ...file, conversations: [{ ...bob, mood: 1 }, ...file.conversations.slice(1)] },
        'conversations[0].mood must be',
      ],
      [{ ...file, cursors: { wukong: '1' } }, 'cursors.wukong must be'],
      [{ ...file, recents: { other: 'AAAA' } }, 'recents["other"] must be'],
      [{ ...file, userId: 7 }, 'userId must be'],
    ]
    for (const [given, message] of cases) {
      await expect(admin.import('empty', JSON.stringify(given))).rejects.toThrow(message)
      expect(await admin.inspect('empty')).toBe(null)
    }
    await expect(admin.import(null, '[]')).rejects.toThrow('--user UID')
    await close()
  })

  it('[EXP3] reads WuKongIM’s times as seconds, and refuses milliseconds and members that no server answers by name', async () => {
    const { admin, close } = newAdmin()
    const message = (timestamp: number) => ({
      message_seq: 1,
      from_uid: 'bob',
      channel_id: 'me',
      channel_type: 1,
      timestamp,
      payload: { type: 1, content: 'hi' },
    })
    const conversation = { channel_id: 'bob', channel_type: 1, last_msg_seq: 1 }
    const cases: ReadonlyArray<[string, string]> = [
      [
        JSON.stringify([message(1_700_000_000), message(1_700_000_000_000)]),
        'messages[1].timestamp must be seconds',
      ],
      [
        `${JSON.stringify(message(1))}\n${JSON.stringify(message(1_700_000_000_000))}`,
        'line 2.timestamp must be seconds',
      ],
      [
        JSON.stringify([{ ...conversation, recents: [message(1_700_000_000_000)] }]),
        'conversations[0].recents[0].timestamp must be seconds',
      ],
      [
        JSON.stringify([conversation, { ...conversation, drafts: {} }]),
        'conversations[1].drafts must be left out',
      ],
      [JSON.stringify({ conversations: [conversation], drafts: [] }), 'drafts must be left out'],
    ]
    for (const [text, named] of cases) {
      await expect(admin.import('me', text)).rejects.toThrow(named)
      expect(await admin.inspect('me')).toBe(null)
    }
    await admin.import('me', JSON.stringify(message(1_700_000_000)))
    expect((await admin.export('me')).conversations[0]?.lastMessage?.timestamp).toBe(1_700_000_000_000)
    await close()
  })

  it('[EXP4] names what of a damaged room is not in it', async () => {
    const { admin, store, close } = newAdmin()
    await fill(store, 'rich')
    await store.append('rich', new Uint8Array([1, 2, 3]))
    const { file, missing } = await admin.exportFile('rich')
    expect(file.conversations.length).toBe(2)
    expect(missing).toEqual([expect.stringMatching(/^entry \d+, in quarantine: /)])
    expect((await admin.exportFile('rich')).missing).toEqual(missing)
    await close()
  })
})
