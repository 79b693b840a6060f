import { describe, expect, it } from 'vitest'
import { readImport } from './readImport.js'

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')

const MESSAGE = {
  header: { no_persist: 0, red_dot: 1, sync_once: 0 },
  message_idstr: '1000000000000000001',
  client_msg_no: 'c1',
  message_seq: 7,
  from_uid: 'bob',
  channel_id: 'me',
  channel_type: 1,
  timestamp: 1189143720,
  payload: base64({ type: 1, content: 'hi' }),
}
const CONVERSATION = {
  channel_id: 'ubuntu',
  channel_type: 2,
  unread: 3,
  last_msg_seq: 9,
  version: 5,
  recents: [],
}

const message = (changes: object): unknown =>
  readImport(JSON.stringify({ ...MESSAGE, ...changes }), 'me').messages[0]
const without = (name: string): string => JSON.stringify({ ...MESSAGE, [name]: undefined })

describe('a message', () => {
  it('[M2] is read with its members in their units', () => {
    expect(message({})).toEqual({
      channel: { channelId: 'bob', channelType: 1 },
      messageSeq: 7,
      fromUid: 'bob',
      timestamp: 1189143720_000,
      payload: { type: 1, content: 'hi' },
      version: 0,
      messageId: '1000000000000000001',
      clientMsgNo: 'c1',
    })
  })

  it('[M2] has the digits of its id when there is no text of it', () => {
    const text = JSON.stringify({ ...MESSAGE, message_idstr: undefined, message_id: 0 })
    const withId = text.replace('"message_id":0', '"message_id":1000000000000000003')
    expect(readImport(withId, 'me').messages[0]?.messageId).toBe('1000000000000000003')
    expect(readImport(text, 'me').messages[0]).not.toHaveProperty('messageId')
  })

  it('[M3] between two people is in the conversation with the other one', () => {
    expect(message({ from_uid: 'me', channel_id: 'bob' })).toMatchObject({ channel: { channelId: 'bob' } })
    expect(message({ from_uid: 'bob', channel_id: 'me' })).toMatchObject({ channel: { channelId: 'bob' } })
    expect(message({ from_uid: '', channel_id: 'me' })).toMatchObject({ channel: { channelId: 'me' } })
    expect(message({ from_uid: 'bob', channel_id: 'g', channel_type: 2 })).toMatchObject({
      channel: { channelId: 'g' },
    })
  })

  it('[M3] between two other people is left out, and counted', () => {
    const others = JSON.stringify({ ...MESSAGE, from_uid: 'bob', channel_id: 'carol' })
    expect(readImport(others, 'me')).toEqual({ conversations: [], messages: [], skipped: 1 })
  })

  it('[M4] that raises no badge is silent, one that says nothing of it is not', () => {
    expect(message({ header: { red_dot: 0 } })).toMatchObject({ silent: true })
    expect(message({ header: {} })).not.toHaveProperty('silent')
    expect(message({ header: undefined })).not.toHaveProperty('silent')
  })

  it('[M4] that its server does not keep is left out', () => {
    for (const header of [{ no_persist: 1 }, { sync_once: 1 }]) {
      const text = JSON.stringify({ ...MESSAGE, message_seq: 0, header })
      expect(readImport(text, 'me')).toMatchObject({ messages: [], skipped: 1 })
    }
  })

  it('[M5] that mentions the user says so', () => {
    const mention = (value: object): unknown => message({ payload: base64({ content: 'x', mention: value }) })
    expect(mention({ uids: ['me'] })).toMatchObject({ mentionsMe: true })
    expect(mention({ all: 1 })).toMatchObject({ mentionsMe: true })
    expect(mention({ uids: ['bob'], all: 0 })).not.toHaveProperty('mentionsMe')
  })

  it('[M5] that was recalled, deleted or edited says so, with the version of that', () => {
    expect(message({ revoke: 1 })).toMatchObject({ removed: true })
    expect(message({ is_deleted: 1 })).toMatchObject({ removed: true })
    const extra = { revoke: 0, extra_version: 12, content_edit: { type: 1, content: 'better' } }
    expect(message({ message_extra: extra })).toMatchObject({ version: 12, payload: { content: 'better' } })
    expect(message({ message_extra: { revoke: 1, extra_version: 13 } })).toMatchObject({
      version: 13,
      removed: true,
    })
  })

  it('[M6] keeps a payload that is an object, and one that is encrypted', () => {
    expect(message({ payload: { type: 1 } })).toMatchObject({ payload: { type: 1 } })
    const secret = Buffer.from([255, 1, 2, 254]).toString('base64')
    expect(message({ payload: secret })).toMatchObject({ payload: { base64: secret } })
    expect(message({ payload: undefined })).toMatchObject({ payload: null })
  })
})

describe('a file', () => {
  it('[M7] is recognised by what is in it', () => {
    const conversations = [CONVERSATION]
    const read = (text: string): [number, number] => {
      const { conversations: found, messages } = readImport(text, 'me')
      return [found.length, messages.length]
    }
    expect(read(JSON.stringify(conversations))).toEqual([1, 0])
    expect(read(JSON.stringify({ uid: 'me', conversations }, null, 2))).toEqual([1, 0])
    expect(read(JSON.stringify({ conversations }))).toEqual([1, 0])
    expect(read(`\uFEFF${JSON.stringify({ conversations })}\n`)).toEqual([1, 0])
    expect(read('[]')).toEqual([0, 0])
    expect(read(JSON.stringify(MESSAGE))).toEqual([0, 1])
    expect(read(JSON.stringify([MESSAGE, MESSAGE]))).toEqual([0, 2])
    expect(read(`${JSON.stringify(MESSAGE)}\r\n\r\n${JSON.stringify(MESSAGE)}\n\n`)).toEqual([0, 2])
  })

  it('[M7] of TangSengDaoDao leaves out what is 0', () => {
    const { unread, recents, ...rest } = CONVERSATION
    expect(readImport(JSON.stringify({ conversations: [rest] }), 'me').conversations).toEqual([
      {
        channel: { channelId: 'ubuntu', channelType: 2 },
        lastMsgSeq: 9,
        version: 5,
        unread: 0,
        recents: [],
        mute: false,
        stick: false,
        extra: null,
        parent: null,
        deleted: false,
      },
    ])
    expect([unread, recents]).toEqual([3, []])
  })

  it('[M1] keeps the digits of versions beyond 2^53; what is none counts as 0', () => {
    const version = (text: string): unknown =>
      readImport(JSON.stringify([{ ...CONVERSATION, version: 7 }]).replace('7', text), 'me').conversations[0]
        ?.version
    expect(BigInt(version('1204353600000000001') as string)).toBe(1204353600000000001n)
    expect([version('"1204353600"'), version('-5'), version('"new"'), version('""')]).toEqual([
      1204353600, 0, 0, 0,
    ])
  })

  it('[M7] puts what is listed in a conversation into that conversation', () => {
    const recents = [{ ...MESSAGE, channel_id: 'me' }]
    const file = JSON.stringify([{ ...CONVERSATION, channel_id: 'bob', channel_type: 1, recents }])
    expect(readImport(file, 'me').conversations[0]?.recents[0]?.channel).toEqual({
      channelId: 'bob',
      channelType: 1,
    })
  })

  const conversation = (changes: object): string => JSON.stringify([{ ...CONVERSATION, ...changes }])
  const bad: Array<[title: string, file: string, field: RegExp]> = [
    ['nothing', '', /^The file must be a list of conversations/],
    ['no JSON', 'hello', /^The file must be JSON/],
    ['JSON cut off', '{"conversations":[', /^The file must be JSON/],
    ['a number', '7', /^The file must be a list of conversations/],
    ['another object', '{"a":1}', /^The file must be a list of conversations/],
    ['conversations that are none', '{"conversations":{}}', /^conversations must be an array/],
    ['a conversation that is none', '[7]', /^conversations\[0\] must be an object/],
    [
      'conversations of somebody else',
      '{"uid":"bob","conversations":[]}',
      /^uid is "bob"; these are not conversations of me/,
    ],
    [
      'a channel type that is no integer',
      conversation({ channel_type: 1.5 }),
      /^conversations\[0\]\.channel_type must be an integer from 0 to 255/,
    ],
    [
      'a channel type in words',
      conversation({ channel_type: 'group' }),
      /^conversations\[0\]\.channel_type must/,
    ],
    [
      'a channel type out of range',
      conversation({ channel_type: 256 }),
      /^conversations\[0\]\.channel_type must/,
    ],
    [
      'an empty id',
      conversation({ channel_id: '' }),
      /^conversations\[0\]\.channel_id must be a string of 1 to 200/,
    ],
    [
      'an id that is too long',
      conversation({ channel_id: 'a'.repeat(201) }),
      /^conversations\[0\]\.channel_id must/,
    ],
    [
      'a negative sequence number',
      conversation({ last_msg_seq: -1 }),
      /^conversations\[0\]\.last_msg_seq must be an integer from 0/,
    ],
    ['an unread count that is none', conversation({ unread: 0.5 }), /^conversations\[0\]\.unread must/],
    ['a flag that is none', conversation({ mute: 2 }), /^conversations\[0\]\.mute must be 0 or 1/],
    [
      'an extra that is none',
      conversation({ extra: { browse_to: -1 } }),
      /^conversations\[0\]\.extra\.browse_to must/,
    ],
    [
      'a bad message in a conversation',
      conversation({ recents: [{ ...MESSAGE, message_seq: -1 }] }),
      /^conversations\[0\]\.recents\[0\]\.message_seq must be an integer from 1/,
    ],
    ['a line that is no JSON', `${JSON.stringify(MESSAGE)}\n{"a":\n`, /^line 2 must be JSON/],
    ['a line without a channel', without('channel_id'), /^line 1\.channel_id must/],
    [
      'a line without a number',
      without('message_seq').replace('}', ',"message_seq":0}').replace(',"message_seq":0}', '}'),
      /^The file must be/,
    ],
    [
      'a message number 0',
      JSON.stringify({ ...MESSAGE, message_seq: 0 }),
      /^line 1\.message_seq must be an integer from 1/,
    ],
    [
      'a message number beyond 32 bits',
      JSON.stringify({ ...MESSAGE, message_seq: 2 ** 32 }),
      /^line 1\.message_seq must/,
    ],
    ['a time that is none', JSON.stringify({ ...MESSAGE, timestamp: 'noon' }), /^line 1\.timestamp must/],
    [
      'a payload that is none',
      JSON.stringify({ ...MESSAGE, payload: 'not base64!' }),
      /^line 1\.payload must be an object or base64/,
    ],
    [
      'a sender that is none',
      JSON.stringify({ ...MESSAGE, from_uid: 5 }),
      /^line 1\.from_uid must be a string/,
    ],
  ]
  for (const [title, file, expected] of bad) {
    it(`[M8] with ${title} is refused, naming the member`, () => {
      expect(() => readImport(file, 'me')).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
      expect(() => readImport(file, 'me')).toThrow(expected)
    })
  }
})
