import { type Client, createClient } from '@parley/client'
import type { Readable } from '@parley/core'
import { type ChatConnection, createChatConnection } from '../demo/chat/chatConnection.js'
import type { ChatServer } from '../demo/chat/chatServer.js'
import type { KeyValue } from '../demo/chat/keyValue.js'
import { createOutbox, type Waiting } from '../demo/chat/outbox.js'
import { chatReachable } from './chatReachable.js'

/** One device at work: its conversations, and its line to the chat server. */
export interface Session {
  /** Another one for each session of the page: what a session of the same user left on the screen is not this one's. */
  readonly id: number
  readonly client: Client
  readonly deviceName: string
  /** Tells devices that live in one browser apart. */
  readonly profile: string
  readonly server: ChatServer
  readonly chat: ChatConnection
  /** Whether the chat server can be reached. */
  readonly online: Readable<boolean>
  readonly withSample: boolean
  /** The messages of this device that are not sent yet. */
  unsent: () => readonly Waiting[]
  close: () => Promise<void>
  /** Closes and deletes what is kept on this device. */
  destroy: () => Promise<void>
}

/** What {@link createSession} needs. */
export interface SessionOptions {
  readonly userId: string
  readonly deviceName: string
  readonly url: string | undefined
  readonly profile?: string
  readonly server: ChatServer
  readonly storage: KeyValue
  readonly withSample?: boolean
  /** Whether the chat server can be reached, where the status of the client does not tell. */
  readonly online?: Readable<boolean>
}

let sessions = 0

/** Opens the conversations of a user on this device. */
export function createSession(options: SessionOptions): Session {
  const { userId, deviceName, url, profile = '', server, storage, withSample = false } = options
  const client = createClient({ userId, deviceName, url, profile })
  const online = options.online ?? chatReachable(client.status)
  const outbox = createOutbox(storage, userId, profile)
  const chat = createChatConnection({ store: client.store, server, outbox, online })
  return {
    id: ++sessions,
    client,
    deviceName,
    profile,
    server,
    chat,
    online,
    withSample,
    unsent: outbox.entries,
    async close() {
      chat.close()
      await client.close()
    },
    destroy() {
      chat.close()
      return client.destroy()
    },
  }
}

/** The sync server: the one that served this page. */
export function syncUrl({ protocol, host }: Pick<Location, 'protocol' | 'host'>): string {
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/sync`
}
