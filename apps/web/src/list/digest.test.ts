import { type Channel, createStore } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { toPayload } from '../demo/chat/chatMessage.js'
import { digest, oneLine } from './digest.js'

const BOB: Channel = { channelId: 'bob', channelType: 1 }
const GROUP: Channel = { channelId: 'ubuntu', channelType: 2 }

function setUp() {
  const store = createStore({ userId: 'alice' })
  const say = (channel: Channel, fromUid: string, content: string, messageSeq: number, removed = false) =>
    store.receive({
      channel,
      fromUid,
      messageSeq,
      timestamp: messageSeq,
      payload: toPayload(content),
      removed,
    })
  const of = (channel: Channel) => digest(store.conversation(channel).getSnapshot(), 'alice')
  return { store, say, of }
}

describe('digest', () => {
  it('names the speaker in a group and oneself anywhere', () => {
    const { say, of } = setUp()
    say(BOB, 'bob', 'hi', 1)
    expect(of(BOB)).toEqual({ kind: 'message', label: '', text: 'hi' })
    say(BOB, 'alice', 'hello', 2)
    expect(of(BOB)).toEqual({ kind: 'message', label: 'You', text: 'hello' })
    say(GROUP, 'carol', 'hey\n all', 1)
    expect(of(GROUP)).toEqual({ kind: 'message', label: 'carol', text: 'hey all' })
  })

  it('shows a draft before anything else, and what is being sent before the last message', () => {
    const { store, say, of } = setUp()
    say(BOB, 'bob', 'hi', 1)
    const { draft } = store.conversation(BOB)
    draft.set('  ')
    expect(of(BOB).kind).toBe('message')
    draft.set('hello there')
    expect(of(BOB)).toEqual({ kind: 'draft', label: 'Draft', text: 'hello there' })
    draft.send()
    expect(of(BOB)).toEqual({ kind: 'sending', label: 'You', text: 'hello there' })
  })

  it('says so where there is nothing to show', () => {
    const { say, of } = setUp()
    expect(of(BOB).text).toBe('No messages yet')
    say(BOB, 'bob', 'secret', 1, true)
    expect(of(BOB).text).toBe('Message deleted')
    say(BOB, 'bob', '', 2)
    expect(of(BOB).text).toBe('Attachment')
  })
})

it('oneLine cuts between letters, never within one', () => {
  expect(oneLine(' a \n\t b ')).toBe('a b')
  const cut = oneLine('🙂'.repeat(300))
  expect([...cut]).toHaveLength(161)
  expect(cut.endsWith('🙂…')).toBe(true)
})
