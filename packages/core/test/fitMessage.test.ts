import { describe, expect, it } from 'vitest'
import { createStore, fitMessage, type Json, type Message } from '../src/index.js'

const channel = { channelId: 'bob', channelType: 1 }
const message = (more: Partial<Message>): Message => ({
  channel,
  messageSeq: 4,
  fromUid: 'bob',
  timestamp: 1,
  ...more,
})
const deep = (levels: number): Json => (levels === 0 ? 1 : { a: deep(levels - 1) })

describe('a message that is too large for a store', () => {
  it.each<[string, Partial<Message>, Json | undefined]>([
    ['a text', { payload: 'x'.repeat(70_000) }, 'x'.repeat(1_000)],
    [
      'an object with a text',
      { payload: { type: 1, content: '😀'.repeat(40_000), more: 2 } },
      { type: 1, content: '😀'.repeat(1_000), truncated: true },
    ],
    ['an object without one', { payload: { base64: 'x'.repeat(70_000) } }, { truncated: true }],
    ['a list', { payload: Array.from({ length: 70_000 }, () => 1) }, undefined],
    ['a deep object', { payload: { type: 7, deep: deep(100) } }, { type: 7, truncated: true }],
    [
      'a small one beside a large extra',
      { payload: { text: 'hi' }, extra: 'x'.repeat(70_000) },
      { text: 'hi', truncated: true },
    ],
  ])('[HTTP6] is received without what is too much: %s', (_name, more, payload) => {
    const store = createStore({ userId: 'alice' })
    store.receive([message({ messageSeq: 3 }), message({ ...more, mentionsMe: true })])
    const { lastMessage, unread, mentions } = store.conversation(channel).getSnapshot()
    expect([lastMessage?.messageSeq, lastMessage?.payload, lastMessage?.extra]).toEqual([
      4,
      payload,
      undefined,
    ])
    expect([unread, mentions]).toEqual([4, 1])
    // It is the same on each device, and fits as it is.
    const fitted = fitMessage(message(more))
    expect(fitted.payload).toEqual(payload)
    expect(fitMessage(fitted)).toBe(fitted)
  })

  it('[HTTP6] is left as it is when it fits, and refused when it is no JSON', () => {
    const fits = message({ payload: { content: 'x'.repeat(60_000) }, extra: [1] })
    expect(fitMessage(fits)).toBe(fits)
    expect(() => fitMessage(message({ payload: { a: Number.NaN, b: 'x'.repeat(70_000) } }))).toThrow(
      'a finite number',
    )
  })
})
