import { createStore, type Message, type Store } from '@parley/core'
import * as Y from 'yjs'
import type { Running } from './harness.js'

/** A device of a user that writes into the room as a connection would. */
export interface Device {
  readonly store: Store
  /** Does something, and waits until the server has it. */
  act: (actions: (store: Store) => void) => Promise<void>
}

export async function openDevice({ server }: Running, uid: string): Promise<Device> {
  const store = createStore({ userId: uid, deviceName: 'Phone' })
  const act: Device['act'] = async (actions) => {
    const { room, document, release } = await server.rooms.acquire(uid)
    Y.applyUpdate(store.doc, document.encodeState(), 'server')
    actions(store)
    await room.submit(Y.encodeStateAsUpdate(store.doc, document.encodeStateVector()))
    release()
  }
  await act(() => {})
  return { store, act }
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any
}

/** Sends JSON, or a text as it is. */
export async function send(
  { url }: { url: string },
  method: 'POST' | 'PUT' | 'DELETE' | 'OPTIONS',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
}

/** Messages of a channel numbered from `first`, written by those who are named. */
export function messages(channel: Message['channel'], authors: readonly string[], first = 1): Message[] {
  return authors.map((fromUid, index) => ({
    channel,
    messageSeq: first + index,
    fromUid,
    timestamp: 1_700_000_000_000 + (first + index) * 1000,
    messageId: `9007199254740993${first + index}`,
    clientMsgNo: `no-${first + index}`,
    payload: { type: 1, content: `message ${first + index}` },
  }))
}
