import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import {
  type ChannelKey,
  type Conversation,
  channelKey,
  createStore,
  type Message,
  parseChannelKey,
} from '@parley/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createVersionIndex,
  encodeLastMsgSeqs,
  exactInteger,
  extraOf,
  fromReminder,
  type PayloadForm,
  parseExactJson,
  parseLastMsgSeqs,
  readConversation,
  readExtra,
  readHeldSeqs,
  readMessage,
  readReminder,
  readSyncAnswer,
  readV3Conversation,
  stringifyExactJson,
  toReminderInput,
  type WireConversation,
  type WireMessage,
  writeConversation,
  writeExtra,
  writeMessage,
  writeReminder,
  writeV3Conversation,
} from '../src/index.js'

const DATA = new URL('../../../test/data/ubuntu-irc/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, DATA), 'utf8')
const me = 'Pici'

const wire = (more: object = {}): object => ({
  header: { no_persist: 0, red_dot: 1, sync_once: 0 },
  setting: 0,
  message_id: exactInteger('1000000000000016644'),
  message_idstr: '1000000000000016644',
  client_msg_no: 'c-1',
  message_seq: 7,
  from_uid: 'bob',
  channel_id: 'ubuntu',
  channel_type: 2,
  timestamp: 1204353600,
  payload: { type: 1, content: 'Hi' },
  ...more,
})

describe('JSON', () => {
  it('[W1] integers beyond 2^53 keep their digits in and out', () => {
    const text =
      '{"a":1204353600000000001,"b":[-9223372036854775808,9007199254740991],"c":1.5e300,"d":"1204353600000000001 \\" 12"}'
    expect(parseExactJson(text)).toEqual({
      a: '1204353600000000001',
      b: ['-9223372036854775808', 9007199254740991],
      c: 1.5e300,
      d: '1204353600000000001 " 12',
    })
    expect(stringifyExactJson({ a: exactInteger('1204353600000000001'), b: exactInteger(7) })).toBe(
      '{"a":1204353600000000001,"b":7}',
    )
  })

  it('[W1] what is no JSON is refused, a number with a leading zero too', () => {
    for (const text of [
      '',
      '{',
      '{"a":01204353600000000001}',
      '{"a":12043536000000000012043536000000000001x}',
    ]) {
      expect(() => parseExactJson(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
    }
  })
})

/** What is read of `last_msg_seqs` where there are certain channels, or any that is named. */
function readSeqs(
  text: unknown,
  isKnown: (key: ChannelKey) => boolean = () => true,
): Map<ChannelKey, number> {
  const seqs = new Map<ChannelKey, number>()
  parseLastMsgSeqs(text, (channelId, channelType, seq) => {
    const key = channelKey({ channelId, channelType })
    if (isKnown(key)) seqs.set(key, seq)
    return isKnown(key)
  })
  return seqs
}

describe('last_msg_seqs', () => {
  it('[W3] is read from the right, with : and | in ids', () => {
    expect([...readSeqs('a:b:c:2:5|Alyx|lappy:1:3|c1@t9:5:1|😀-%:2:9')]).toEqual([
      ['2:a:b:c', 5],
      ['1:Alyx|lappy', 3],
      ['5:c1@t9', 1],
      ['2:😀-%', 9],
    ])
  })

  it('[W3] nothing, nonsense and numbers out of range do no harm', () => {
    const nonsense = [
      '',
      '|',
      '||',
      'x',
      '7',
      ':',
      '::',
      'a:b',
      'a:1',
      'a:1:',
      'a::5',
      'a:1:x',
      'a:-1:5',
      'a:300:5',
    ]
    for (const text of [undefined, null, 7, ...nonsense, ':1:5', 'a:0001:5', `a:1:${'1'.repeat(21)}`]) {
      expect([text, readSeqs(text).size]).toEqual([text, 0])
      // Nor to what comes after it.
      if (typeof text === 'string')
        expect([...readSeqs(`${text}|b:1:7`)]).toContainEqual([expect.stringMatching(/b$/), 7])
    }
    expect(readSeqs('a:1:99999999999999999999').get('1:a')).toBe(2 ** 32 - 1)
    expect([...readSeqs(`${'a'.repeat(200)}:1:5|${'a'.repeat(201)}:1:5`).keys()]).toEqual([
      `1:${'a'.repeat(200)}`,
    ])
  })

  it('[W3] what is known decides where an id could end twice', () => {
    const text = 'a:1:5|b:1:7'
    expect([...readSeqs(text, (key) => key === '1:a:1:5|b')]).toEqual([['1:a:1:5|b', 7]])
    expect([...readSeqs(text, (key) => key === '1:a' || key === '1:b')]).toEqual([
      ['1:a', 5],
      ['1:b', 7],
    ])
    expect([...readSeqs(`x:1:3|${text}`, (key) => key === '1:b')]).toEqual([['1:b', 7]])
  })

  it('[W3] 10,000 entries are read in a moment, known or not', () => {
    const text = Array.from({ length: 10_000 }, (_, index) => `channel-${index}|x:2:${index}`).join('|')
    const started = performance.now()
    expect(readSeqs(text).size).toBe(10_000)
    expect(readSeqs(text, () => false).size).toBe(0)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it('[W3] of a channel that is listed twice the smaller number counts', () => {
    const index = createVersionIndex()
    const store = createStore({ userId: 'me' })
    const channel = { channelId: 'a', channelType: 1 }
    store.receive({ channel, messageSeq: 9, fromUid: 'a', timestamp: 1 })
    index.integrate(1, [store.conversation(channel).getSnapshot()])
    for (const text of ['a:1:9|a:1:4', 'a:1:4|a:1:9', 'a:1:9|x:1:1|a:1:4']) {
      expect([...readHeldSeqs(text, index)]).toEqual([4])
    }
    expect([...readHeldSeqs('x:1:1', index)]).toEqual([undefined])
  })

  it('[W3] [W4] what is written is read again, for any id', () => {
    const id = fc.string({
      unit: fc.constantFrom('a', ':', '|', '@', '-', '%', '1', '😀'),
      minLength: 1,
      maxLength: 20,
    })
    const entry = fc.record({
      channelId: id,
      channelType: fc.integer({ min: 0, max: 255 }),
      lastMsgSeq: fc.integer({ min: 1, max: 9 }),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { selector: ({ channelId, channelType }) => `${channelType}:${channelId}` }),
        (entries) => {
          const listed = entries.map(({ lastMsgSeq, ...channel }) => ({ channel, lastMsgSeq }))
          const known = new Map(listed.map(({ channel, lastMsgSeq }) => [channelKey(channel), lastMsgSeq]))
          const read = readSeqs(encodeLastMsgSeqs(listed), (key) => known.has(key))
          // One that is read is read right; one that is left out, or swallowed by another, is answered as if it were new.
          for (const [key, seq] of read) if (known.has(key)) expect(seq).toBe(known.get(key))
        },
      ),
    )
  })

  it('[W4] an id whose tail a plain server would take for another person is left out', () => {
    const entries = ['Alyx|lappy', 'a:b|c:d', 'x:y'].map((channelId) => ({
      channel: { channelId, channelType: 1 },
      lastMsgSeq: 3,
    }))
    expect(encodeLastMsgSeqs(entries)).toBe('a:b|c:d:1:3|x:y:1:3')
  })
})

describe('messages', () => {
  it('[W5] a person message is in the conversation with the other one, whoever wrote it', () => {
    const received = wire({ channel_id: me, channel_type: 1, from_uid: 'bob' })
    const sent = wire({ channel_id: 'bob', channel_type: 1, from_uid: me })
    for (const value of [received, sent]) {
      expect(readMessage(value, { me })).toMatchObject({ channel: { channelId: 'bob', channelType: 1 } })
    }
    expect(readMessage(wire({ channel_id: 'carol', channel_type: 1, from_uid: 'bob' }), { me })).toBe(
      'not-mine',
    )
    expect(readMessage(wire({ channel_id: me, channel_type: 1, from_uid: '' }), { me })).toMatchObject({
      fromUid: '',
    })
  })

  it('[W7] commands, what is not kept and channels without conversations are passed over', () => {
    for (const more of [
      { payload: { type: 99, cmd: 'unreadClear' } },
      { header: { no_persist: 1, red_dot: 1 } },
      { header: { sync_once: 1 } },
      { channel_id: 'ubuntu____cmd' },
      { channel_type: 9 },
    ]) {
      expect(readMessage(wire(more), { me })).toBe('not-kept')
    }
  })

  it('[W2] both payload forms, both id forms, and nulls', () => {
    const plain = readMessage(wire(), { me }) as Message
    expect(plain).toMatchObject({
      messageId: '1000000000000016644',
      timestamp: 1204353600000,
      payload: { content: 'Hi' },
    })
    const payload = btoa(JSON.stringify({ type: 1, content: 'Hi' }))
    expect(readMessage(wire({ payload }), { me })).toEqual(plain)
    const { message_idstr: _, ...withoutText } = wire({ message_id: '1000000000000016644' }) as WireMessage
    expect(readMessage(withoutText, { me })).toEqual(plain)
    const bare = {
      message_seq: 1,
      channel_id: 'g',
      channel_type: '2',
      header: null,
      setting: null,
      from_uid: null,
      payload: null,
      message_extra: null,
    }
    expect(readMessage(bare, { me })).toEqual({
      channel: { channelId: 'g', channelType: 2 },
      messageSeq: 1,
      fromUid: '',
      timestamp: 0,
      payload: null,
      version: 0,
    })
  })

  it('[W6] what this package has no word for comes out again, in either form', () => {
    const value = wire({
      setting: 2,
      expire: 60,
      topic: 't',
      message_extra: { readed_count: 3, extra_version: 5 },
      header: { no_persist: 0, red_dot: 0, sync_once: 0 },
    })
    const message = readMessage(value, { me }) as Message
    expect(message).toMatchObject({ silent: true, version: 5 })
    expect(writeMessage(message, message.channel, 'object')).toEqual(value)
    const encrypted = wire({ payload: 'gZeZmQ==' })
    const opaque = readMessage(encrypted, { me }) as Message
    expect(writeMessage(opaque, opaque.channel, 'base64')).toEqual(encrypted)
  })

  it('[W6] a recalled or edited message is written as such', () => {
    const recalled = readMessage(wire({ revoke: 1, extra_version: 3 }), { me }) as Message
    expect(recalled).toMatchObject({ removed: true, version: 3 })
    const store = createStore({ userId: me })
    store.receive(recalled)
    const { lastMessage } = store.conversation(recalled.channel).getSnapshot()
    expect(writeMessage(lastMessage!, recalled.channel, 'object')).toMatchObject({
      revoke: 1,
      client_msg_no: 'c-1',
      payload: { type: 1, content: '' },
    })
    const edited = readMessage(
      wire({ message_extra: { content_edit: { type: 1, content: 'Ho' }, extra_version: 4 } }),
      { me },
    )
    expect(edited).toMatchObject({ payload: { content: 'Ho' }, version: 4 })
  })

  it("[W6] an app's own payload goes out as text, and a message without names gets lasting ones", () => {
    const message = {
      channel: { channelId: 'g', channelType: 2 },
      messageSeq: 4,
      fromUid: 'bob',
      timestamp: 1999,
      payload: { text: 'Yo' },
    }
    const written = writeMessage(message, message.channel, 'object')
    expect(written).toMatchObject({ payload: { type: 1, content: 'Yo' }, timestamp: 1 })
    expect(written.client_msg_no).toBe(`parley-${written.message_idstr}`)
    expect(writeMessage(message, message.channel, 'object')).toEqual(written)
    expect(writeMessage({ ...message, messageSeq: 5 }, message.channel, 'object').message_idstr).not.toBe(
      written.message_idstr,
    )
  })

  it('[W8] an error names the member as the input has it', () => {
    expect(() => readMessage(wire({ message_seq: 'x' }), { me, field: 'recents[3]' })).toThrow(
      expect.objectContaining({ field: 'recents[3].message_seq' }),
    )
    expect(() => readConversation({ channel_id: '', channel_type: 1 }, { me })).toThrow(
      expect.objectContaining({ field: 'conversation.channel_id' }),
    )
  })
})

describe('answers', () => {
  it('[W2] every envelope', () => {
    const item = { channel_id: 'bob', channel_type: 1, last_msg_seq: 3, recents: null, version: null }
    for (const answer of [
      [item],
      { conversations: [item] },
      { uid: me, conversations: [item], users: null },
    ]) {
      expect(readSyncAnswer(answer, { me }).conversations).toMatchObject([
        { channel: { channelId: 'bob' }, version: 0 },
      ])
    }
    for (const nothing of [null, undefined, [], {}, { conversations: null }]) {
      expect(readSyncAnswer(nothing, { me }).conversations).toEqual([])
    }
    expect(() => readSyncAnswer('x', { me })).toThrow(/array of conversations/)
  })

  it('[W2] a missing count says nothing, except where zeros are left out', () => {
    const item = { channel_id: 'bob', channel_type: 1 }
    expect(readSyncAnswer([item], { me }).conversations[0]).not.toHaveProperty('unread')
    expect(readSyncAnswer({ conversations: [item] }, { me }).conversations[0]).toMatchObject({
      unread: 0,
      mute: false,
      stick: false,
    })
  })

  it("[W2] the models of the iOS SDK, and of an app's own classes", () => {
    const model = {
      channel: { channelId: 'bob', channelType: 1 },
      unread: 2,
      lastMsgSeq: 5,
      lastMsgClientNo: 'c5',
      version: 9n,
      mute: true,
      recents: [
        {
          messageSeq: 4,
          clientMsgNo: 'c4',
          fromUid: 'bob',
          timestamp: 4,
          content: { type: 1, content: 'a' },
        },
        { messageSeq: 5, clientMsgNo: 'c5', fromUid: 'bob', timestamp: 5 },
      ],
      remoteExtra: { browseTo: 3, keepOffsetY: -7, draft: 'd', version: 4 },
    }
    expect(readSyncAnswer({ conversations: [model] }, { me }).conversations[0]).toMatchObject({
      lastMsgSeq: 5,
      version: 9,
      mute: true,
      stick: false,
      recents: [{ messageSeq: 5 }, { messageSeq: 4, payload: { content: 'a' } }],
      extra: { browseTo: 3, keepOffsetY: -7, draft: 'd', version: 4 },
    })
  })

  it('[W8] one bad item is passed over and told, the others are read', () => {
    const errors: unknown[] = []
    const good = { channel_id: 'bob', channel_type: 1, recents: [{ message_seq: -1 }, { message_seq: 2 }] }
    const { conversations } = readSyncAnswer([null, 7, { channel_type: 1 }, good], {
      me,
      onBadItem: (error) => errors.push(error),
    })
    expect(conversations).toMatchObject([{ lastMsgSeq: 2, recents: [{ messageSeq: 2 }] }])
    expect(errors).toHaveLength(4)
  })

  it('[W9] a deletion is told on the newest message, or in a list of them', () => {
    const item = {
      channel_id: 'bob',
      channel_type: 1,
      last_client_msg_no: 'c',
      recents: [wire({ client_msg_no: 'c', is_deleted: 1 })],
    }
    expect(readConversation(item, { me }).deleted).toBe(true)
    expect(readConversation({ ...item, last_client_msg_no: 'd' }, { me }).deleted).toBe(false)
    // Told beside the message, too, the message itself was not deleted.
    const [message] = readConversation(item, { me }).recents
    const [whole] = readConversation({ ...item, is_deleted: 1 }, { me }).recents
    expect([message?.removed, whole?.removed]).toEqual([true, undefined])
    expect(
      readSyncAnswer({ conversations: [], deletes: [{ channel_id: 'g', channel_type: 2 }] }, { me }).deletes,
    ).toEqual([{ channelId: 'g', channelType: 2 }])
  })
})

describe('real input', () => {
  /** What this package changes on purpose. */
  const expected = (item: WireConversation): object => ({
    ...item,
    version: String(item.version),
    recents: item.recents.map((message) => ({
      ...message,
      message_id: String(message.message_id),
      // A received person message names the other one.
      channel_id: item.channel_id,
    })),
  })

  it.each(['wukongim', 'tsdd'] as const)('[W6] %s: what goes in comes out, field by field', (shape) => {
    const text = read(`conversation-sync.${shape}.json`)
    const answer = parseExactJson(text) as unknown
    const items = (
      Array.isArray(answer) ? answer : (answer as { conversations: unknown[] }).conversations
    ) as WireConversation[]
    const listed = readSyncAnswer(answer, { me }).conversations
    const store = createStore({ userId: me })
    store.provide(listed)
    const written = listed.map(({ channel, version, recents }) =>
      writeConversation(store.conversation(channel).getSnapshot(), {
        shape,
        version,
        recents,
        msgCount: 100,
      }),
    )
    const back = parseExactJson(stringifyExactJson(written)) as unknown as WireConversation[]
    expect(
      back.every(({ recents }) =>
        recents.every((message) => (typeof message.payload === 'string') === (shape === 'wukongim')),
      ),
    ).toBe(true)
    expect(back.map(expected)).toEqual(items.map(expected))
  })

  it('[W6] every message of the channel comes out as it went in', () => {
    const lines = gunzipSync(readFileSync(new URL('messages.ndjson.gz', DATA)))
      .toString('utf8')
      .trim()
      .split('\n')
    for (const line of lines.filter((_, index) => index % 10 === 0)) {
      const value = parseExactJson(line) as Record<string, unknown>
      const message = readMessage(value, { me })
      if (typeof message === 'string') continue
      const back = JSON.parse(stringifyExactJson(writeMessage(message, message.channel, 'base64')))
      expect({ ...back, message_id: 0, channel_id: '' }).toEqual({ ...value, message_id: 0, channel_id: '' })
    }
  })
})

describe('payloads', () => {
  const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')
  const group = parseChannelKey('2:g')

  /** A message that a store took in and gave back. */
  function stored(payload: unknown, more: object = {}): Conversation {
    const store = createStore({ userId: me })
    const value = wire({ channel_id: 'g', channel_type: 2, payload, ...more })
    const message = readMessage(value, { me })
    if (typeof message === 'string') throw new Error(message)
    store.receive(message)
    return store.conversation(group).getSnapshot()
  }
  const written = (conversation: Conversation, form: PayloadForm): WireMessage =>
    writeMessage(conversation.lastMessage!, group, form)

  it.each([
    ['in the order of WuKongIM', '{"type":1,"content":"Hi"}'],
    ['sorted by name', '{"content":"Hi","type":1}'],
    [
      'with inner objects',
      '{"type":1,"mention":{"uids":["b","a"],"all":0},"list":[{"b":1,"a":{"d":1,"c":2}}]}',
    ],
    ['with spaces', '{ "type": 1,\n "content": "Hi" }'],
    ['with a number written otherwise', '{"type":1.0,"at":1e3}'],
    ['with an integer beyond 2^53', '{"type":1,"id":1784567890123456789}'],
    ['with members named as numbers', '{"type":1,"2":"b","1":"a"}'],
    ['with __proto__', '{"type":1,"__proto__":{"b":1,"a":2}}'],
    ['with a member twice', '{"type":1,"type":2}'],
    ['with escapes', '{"type":1,"content":"\\u00e9 \\/"}'],
    ['without a type', '{"cipher":"abc","alg":"x"}'],
    ['with a type that is a text', '{"type":"text"}'],
    ['that looks like what is no JSON', '{"base64":"aGk="}'],
    ['an array', '[2,1]'],
    ['a text', '"Hi"'],
    ['no JSON', 'encrypted'],
    ['no text', Uint8Array.from([0, 255, 254, 1])],
  ])('[W6] the bytes of a payload come out as they went in: %s', (_, bytes) => {
    const payload = base64(bytes)
    const back = written(stored(payload), 'base64')
    expect(back.payload).toBe(payload)
    expect(Object.keys(back).filter((name) => name.startsWith('payload'))).toEqual(['payload'])
  })

  it('[W6] a payload that is no JSON is kept once', () => {
    const payload = base64('encrypted')
    expect(stored(payload).lastMessage).toMatchObject({ payload: { base64: payload } })
    expect(stored(payload).lastMessage?.extra).toBeUndefined()
  })

  it('[W6] the bytes of any JSON come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 2 }),
        (json, isTyped, indent) => {
          const value = isTyped
            ? { type: 1, inner: JSON.parse(json) as unknown, content: 'x' }
            : JSON.parse(json)
          const payload = base64(JSON.stringify(value, null, indent))
          // A command is no message.
          fc.pre((value as { type?: unknown } | null)?.type !== 99)
          expect(written(stored(payload), 'base64').payload).toBe(payload)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('[W6] an object comes out with its members in the order in which they came', () => {
    const payload = { type: 1, content: 'Hi', mention: { uids: ['b'], all: 0 } }
    expect(JSON.stringify(written(stored(payload), 'object').payload)).toBe(JSON.stringify(payload))
    expect(JSON.stringify(written(stored(base64(JSON.stringify(payload))), 'object').payload)).toBe(
      JSON.stringify(payload),
    )
  })

  it('[W6] an edited payload and a recalled one are not the bytes that were sent first', () => {
    const payload = base64('{ "type": 1, "content": "Hi" }')
    const edited = stored(payload, { message_extra: { content_edit: { type: 1, content: 'Hello' } } })
    expect(decode(written(edited, 'base64').payload)).toEqual({ type: 1, content: 'Hello' })
    expect(decode(written(stored(payload, { revoke: 1 }), 'base64').payload)).toEqual({
      type: 1,
      content: '',
    })
  })

  it('[W6] a layout that is not that of the payload changes nothing', () => {
    const message = { messageSeq: 1, fromUid: 'bob', timestamp: 0, payload: { type: 1, content: 'Hi' } }
    for (const payload_order of [[['type']], [['type', 'text']], [], 'type', [[1, 2]], [['type', 'type']]]) {
      const back = writeMessage({ ...message, extra: { payload_order } }, group, 'object')
      expect(back.payload).toEqual(message.payload)
    }
  })

  it('[W6] a payload of a size that a store holds is taken, whatever its layout', () => {
    const text = (length: number): string => base64(`{"cipher":"${'x'.repeat(length)}","alg":"y"}`)
    for (const length of [10_000, 30_000, 60_000]) expect(stored(text(length)).lastMessage).not.toBeNull()
    expect(written(stored(text(10_000)), 'base64').payload).toBe(text(10_000))
  })

  const decode = (payload: unknown): unknown =>
    JSON.parse(Buffer.from(payload as string, 'base64').toString())
})

it('[W6] pins, mutes and drafts are in the shape of WuKongIM too, and left out where there are none', () => {
  const store = createStore({ userId: me, environment: { now: () => 7000 } })
  const group = store.conversation(parseChannelKey('2:g'))
  store.receive({ channel: group.channel, messageSeq: 1, fromUid: 'bob', timestamp: 0 })
  const write = () => writeConversation(group.getSnapshot(), { shape: 'wukongim', version: 4 })
  expect(Object.keys(write() ?? {})).not.toEqual(expect.arrayContaining(['stick']))
  expect([write()?.mute, write()?.extra]).toEqual([undefined, undefined])
  group.pin()
  group.mute()
  group.draft.set('d')
  expect(write()).toMatchObject({
    stick: 1,
    mute: 1,
    extra: { draft: 'd', draft_updated_at: 7, version: 0 },
  })
})

describe('the third generation, extras and reminders', () => {
  it('[W6] a conversation of v3 goes in and out', () => {
    const item = {
      channel_id: 'ubuntu',
      channel_type: 2,
      active_at: exactInteger('1204353600123000000'),
      read_seq: 5,
      deleted_to_seq: 0,
      unread: 2,
      last_message: {
        message_id: exactInteger('1000000000000016644'),
        message_idstr: '1000000000000016644',
        message_seq: 7,
        from_uid: 'bob',
        client_msg_no: 'c',
        server_timestamp_ms: 1204353600123,
        payload: btoa('{"type":1,"content":"Hi"}'),
      },
    }
    const listed = readV3Conversation(parseExactJson(stringifyExactJson(item)), { me })
    expect(listed.version).toBe('01204353600123000000')
    const store = createStore({ userId: me })
    store.provide([listed])
    const written = writeV3Conversation(store.conversation(listed.channel).getSnapshot())
    expect(stringifyExactJson({ ...written, last_message: { ...written.last_message, payload: '' } })).toBe(
      stringifyExactJson({ ...item, last_message: { ...item.last_message, payload: '' } }),
    )
    expect(
      readV3Conversation({ channel_id: 'g', channel_type: 2, active_at: 1, last_message: null }, { me }),
    ).toMatchObject({ recents: [] })
  })

  it('[J-57] fix: an extra with a draft says when it was edited, alone and inside of a conversation', () => {
    const store = createStore({ userId: me, environment: { now: () => 7000 } })
    const group = store.conversation(parseChannelKey('2:g'))
    store.receive({ channel: group.channel, messageSeq: 1, fromUid: 'bob', timestamp: 0 })
    group.draft.set('d')
    const conversation = group.getSnapshot()
    expect(writeExtra(extraOf(conversation, 3))).toMatchObject({
      draft: 'd',
      draft_updated_at: 7,
      version: 3,
    })
    expect(writeConversation(conversation, { shape: 'tsdd', version: 4 })?.extra).toMatchObject({
      draft_updated_at: 7,
      version: 0,
    })
  })

  it('[W6] extras and reminders too', () => {
    const extra = {
      channel_id: 'g',
      channel_type: 2,
      browse_to: 4,
      keep_message_seq: 3,
      keep_offset_y: -12,
      draft: 'd',
      draft_updated_at: 7,
      version: 9,
    }
    expect(writeExtra(readExtra(extra))).toEqual(extra)
    const reminder = {
      id: 3,
      message_id: '8',
      message_seq: 2,
      channel_id: 'g',
      channel_type: 2,
      reminder_type: 1,
      uid: 'u',
      publisher: 'p',
      text: 't',
      data: { a: 1 },
      is_locate: 1,
      version: 6,
      done: 0,
    }
    const store = createStore({ userId: me })
    const group = store.conversation(parseChannelKey('2:g'))
    group.setReminder(toReminderInput(readReminder(reminder)))
    expect(writeReminder(fromReminder(group.getSnapshot().reminders[0]!, group.channel))).toEqual(reminder)
  })

  it('[W6] a draft longer than the columns of those servers is cut, not in a surrogate pair', () => {
    const channel = { channelId: 'g', channelType: 2 }
    const draft = `${'a'.repeat(999)}😀`
    expect(
      writeExtra({
        channel,
        browseTo: 0,
        keepMessageSeq: 0,
        keepOffsetY: 0,
        draft,
        draftUpdatedAt: 0,
        version: 1,
      }).draft,
    ).toBe('a'.repeat(999))
  })
})
