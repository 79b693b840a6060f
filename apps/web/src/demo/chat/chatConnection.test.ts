import { createStore, type Readable, type Store } from '@parley/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ChatConnection, createChatConnection } from './chatConnection.js'
import { type ChatServer, createChatServer } from './chatServer.js'
import { createMemory } from './keyValue.js'
import { createOutbox } from './outbox.js'

const BOB = { channelId: 'bob', channelType: 1 }

/** A switch for the network. */
function createSwitch(on: boolean): Readable<boolean> & { set: (on: boolean) => void } {
  const listeners = new Set<() => void>()
  return {
    getSnapshot: () => on,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set(next) {
      on = next
      for (const listener of listeners) listener()
    },
  }
}

const storage = createMemory()
let store: Store
let server: ChatServer
let network: ReturnType<typeof createSwitch>
let chat: ChatConnection

const connect = (on: boolean): void => {
  network = createSwitch(on)
  chat = createChatConnection({ store, server, outbox: createOutbox(storage, 'alice'), online: network })
}
const draft = () => store.conversation(BOB).draft
const submit = (text: string): void => {
  draft().set(text)
  const submission = draft().send()
  if (submission) chat.submit(BOB, submission)
}
const said = () => server.messages(BOB).map(({ content }) => content)

beforeEach(() => {
  vi.useFakeTimers()
  for (const key of storage.keys()) storage.removeItem(key)
  store = createStore({ userId: 'alice' })
  server = createChatServer(storage, 'server')
})
afterEach(() => {
  chat.close()
  store.close()
  vi.useRealTimers()
})

describe('the chat connection', () => {
  it('sends, and the message that comes back acknowledges', () => {
    connect(true)
    submit('hello')
    expect(draft().getSnapshot().sending).toHaveLength(1)
    vi.advanceTimersByTime(1000)
    expect(said()).toEqual(['hello'])
    expect(draft().getSnapshot().sending).toEqual([])
    expect(store.conversation(BOB).getSnapshot()).toMatchObject({ unread: 0, lastMessage: { messageSeq: 1 } })
  })

  it('keeps what is submitted offline, over a reload, and sends it once', () => {
    connect(false)
    submit('hello')
    vi.advanceTimersByTime(1000)
    expect(said()).toEqual([])
    chat.close()
    connect(false)
    network.set(true)
    network.set(true)
    vi.advanceTimersByTime(1000)
    expect(said()).toEqual(['hello'])
    expect(draft().getSnapshot().sending).toEqual([])
  })

  it('keeps what was on its way when the network went', () => {
    connect(true)
    submit('hello')
    network.set(false)
    vi.advanceTimersByTime(1000)
    expect(said()).toEqual([])
    network.set(true)
    vi.advanceTimersByTime(1000)
    expect(said()).toEqual(['hello'])
  })

  it('does not take the same submission twice', () => {
    connect(true)
    draft().set('hello')
    const submission = draft().send()
    if (!submission) throw new Error('there is something to send')
    chat.submit(BOB, submission)
    chat.submit(BOB, submission)
    vi.advanceTimersByTime(1000)
    server.post({
      channel: BOB,
      fromUid: 'alice',
      timestamp: 1,
      content: 'hello',
      clientMsgNo: submission.submissionId,
      knownSeq: 9,
    })
    expect(said()).toEqual(['hello'])
  })

  it('gives the text back when sending fails or is given up', () => {
    connect(true)
    chat.failNext()
    submit('hello')
    vi.advanceTimersByTime(1000)
    expect(draft().getSnapshot().composer).toMatchObject({ text: 'hello', sendFailed: true })
    network.set(false)
    const submission = draft().send()
    if (!submission) throw new Error('there is something to send')
    chat.submit(BOB, submission)
    chat.cancel(BOB, submission.submissionId)
    expect(draft().getSnapshot().composer?.text).toBe('hello')
    network.set(true)
    vi.advanceTimersByTime(1000)
    expect(said()).toEqual([])
  })

  it('delivers what others wrote, mentions included, also after a time offline', () => {
    connect(false)
    const say = (content: string) =>
      server.post({ channel: BOB, fromUid: 'bob', timestamp: 1, content, knownSeq: 0 })
    say('hi')
    say('alice: are you there?')
    expect(store.conversation(BOB).getSnapshot().unread).toBe(0)
    network.set(true)
    expect(store.conversation(BOB).getSnapshot()).toMatchObject({ unread: 2, mentions: 1 })
    say('malice is no mention')
    expect(store.conversation(BOB).getSnapshot()).toMatchObject({ unread: 3, mentions: 1 })
  })
})
