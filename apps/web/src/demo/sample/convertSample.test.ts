import { createStore } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { readSample } from '../../../vite/readSample.js'
import { convertMessage, convertSample } from './convertSample.js'

const sources = readSample()
const { index, chunks } = convertSample(sources)

const MESSAGE = {
  header: { red_dot: 1 },
  message_idstr: '1000000000000000008',
  client_msg_no: 'irc-8',
  message_seq: 1,
  from_uid: 'bob',
  channel_id: 'alice',
  channel_type: 1,
  timestamp: 1189143720,
  payload: btoa('{"type": 1, "content": "hi"}'),
}

describe('convertMessage', () => {
  it('makes milliseconds of seconds and JSON of base64', () => {
    const { timestamp, payload, messageId } = convertMessage(MESSAGE, 'alice')
    expect({ timestamp, payload, messageId }).toEqual({
      timestamp: 1189143720000,
      payload: { type: 1, content: 'hi' },
      messageId: '1000000000000000008',
    })
  })

  it('files a message between two people under the other one, whoever wrote it', () => {
    expect(convertMessage(MESSAGE, 'alice').channel).toEqual({ channelId: 'bob', channelType: 1 })
    expect(convertMessage({ ...MESSAGE, channel_id: 'bob', from_uid: 'alice' }, 'alice').channel).toEqual({
      channelId: 'bob',
      channelType: 1,
    })
  })

  it('makes a message without a red dot silent', () => {
    expect(convertMessage({ ...MESSAGE, header: { red_dot: 0 } }, 'alice').silent).toBe(true)
    expect(convertMessage(MESSAGE, 'alice')).not.toHaveProperty('silent')
  })

  it('decodes text beyond ASCII', () => {
    const payload = Buffer.from('{"content":"naïve 🙂"}').toString('base64')
    expect(convertMessage({ ...MESSAGE, payload }, 'alice').payload).toEqual({ content: 'naïve 🙂' })
  })
})

describe('convertSample', () => {
  it('gives a list that a store takes, with the unread counts of its provider', () => {
    const store = createStore({ userId: index.userId })
    store.provide(index.conversations)
    const listed = JSON.parse(sources.conversations) as Array<{ unread: number }>
    const { conversations, total } = store.list().getSnapshot()
    expect(total).toBe(listed.length)
    expect(store.totals.getSnapshot().unread).toBe(listed.reduce((sum, { unread }) => sum + unread, 0))
    expect(conversations[0]?.channel).toEqual({ channelId: 'ubuntu', channelType: 2 })
    store.close()
  })

  it('keeps versions beyond 2^53 to the last digit', () => {
    const [first] = convertSample({
      ...sources,
      conversations: '[{"channel_id":"a","channel_type":1,"version":1204353600000000001,"recents":[]}]',
      messages: '',
    }).index.conversations
    expect(first?.version).toBe('1204353600000000001')
  })

  it('has the whole history of every listed channel, in order, in chunks', () => {
    for (const { channel, lastMsgSeq } of index.conversations) {
      const parts = index.history[`${channel.channelType}:${channel.channelId}`] ?? []
      const seqs = parts.flatMap(({ file }) => chunks.get(file) ?? []).map(([seq]) => seq)
      expect(seqs).toEqual(Array.from({ length: lastMsgSeq }, (_, place) => place + 1))
    }
    for (const lines of chunks.values()) expect(lines.length).toBeLessThanOrEqual(500)
  })
})
