import { type Channel, type ChannelKey, channelKey, createEmitter } from '@parley/core'
import type { ChatMessage } from './chatMessage.js'
import { demoPrefix, type KeyValue, readJson } from './keyValue.js'

/** A message that is posted; the server gives it its number. */
export interface Post extends Omit<ChatMessage, 'messageSeq'> {
  readonly channel: Channel
  /** The highest number that the sender knows of in the channel. */
  readonly knownSeq: number
}

/** A message and where it belongs. */
export interface Delivery {
  readonly channel: Channel
  readonly message: ChatMessage
}

/**
 * The chat server of the demonstration, which lives in this browser: it numbers messages, keeps them and passes them on. An
 * app has a real one.
 */
export interface ChatServer {
  /** Takes a message. One with a `clientMsgNo` that is known already is not taken twice. */
  post: (post: Post) => ChatMessage
  /** Notes a message that came another way, such as one that another browser sent. */
  learn: (channel: Channel, message: ChatMessage) => void
  /** What it has of a channel, in order; the same array until it changes. */
  messages: (channel: Channel) => readonly ChatMessage[]
  /** Calls `listener` for each new message until the returned function is called. */
  subscribe: (listener: (delivery: Delivery) => void) => () => void
  /** Everything it took, for a device that was away. */
  all: () => readonly Delivery[]
}

/** The longest history kept per channel, so that localStorage does not fill up. */
const MAX_KEPT = 400

/** Creates a user's {@link ChatServer}. Tabs that share `storage` share the server. */
export function createChatServer(storage: KeyValue, userId: string): ChatServer {
  const deliveries = createEmitter<Delivery>(console.error)
  const storageKey = (key: ChannelKey): string => `${demoPrefix(userId)}messages/${key}`
  const indexKey = `${demoPrefix(userId)}channels`
  const cache = new Map<ChannelKey, { json: string | null; messages: readonly ChatMessage[] }>()

  const messages = (channel: Channel): readonly ChatMessage[] => {
    const key = channelKey(channel)
    // Another tab may have written since.
    const json = storage.getItem(storageKey(key))
    const known = cache.get(key)
    if (known && known.json === json) return known.messages
    const read = readJson<readonly ChatMessage[]>(storage, storageKey(key), [])
    cache.set(key, { json, messages: read })
    return read
  }
  const keep = (channel: Channel, message: ChatMessage): void => {
    const key = channelKey(channel)
    const next = [...messages(channel), message].sort((a, b) => a.messageSeq - b.messageSeq).slice(-MAX_KEPT)
    storage.setItem(storageKey(key), JSON.stringify(next))
    const channels = readJson<Channel[]>(storage, indexKey, [])
    if (!channels.some((other) => channelKey(other) === key)) {
      storage.setItem(indexKey, JSON.stringify([...channels, channel]))
    }
    deliveries.emit({ channel, message })
  }

  return {
    post({ channel, knownSeq, ...rest }) {
      const known = messages(channel)
      const repeated = rest.clientMsgNo && known.find(({ clientMsgNo }) => clientMsgNo === rest.clientMsgNo)
      if (repeated) return repeated
      const messageSeq = Math.max(knownSeq, known.at(-1)?.messageSeq ?? 0) + 1
      const message: ChatMessage = { ...rest, messageSeq }
      keep(channel, message)
      return message
    },
    learn(channel, message) {
      if (!messages(channel).some(({ messageSeq }) => messageSeq === message.messageSeq))
        keep(channel, message)
    },
    messages,
    subscribe: (listener) => deliveries.subscribe(listener),
    all: () =>
      readJson<Channel[]>(storage, indexKey, []).flatMap((channel) =>
        messages(channel).map((message) => ({ channel, message })),
      ),
  }
}
