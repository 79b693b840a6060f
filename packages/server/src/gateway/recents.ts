import { type Channel, type ChannelKey, channelKey, type Message, parseChannelKey } from '@parley/core'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'

/**
 * An app's own history: the newest messages of a conversation, in any order. Those it does not have are left out; the newest
 * one is known anyway.
 */
export type MessageSource = (request: {
  readonly uid: string
  readonly channel: Channel
  /** At most this many. */
  readonly limit: number
}) => Promise<readonly Message[]>

/** The newest messages of a user's conversations. The document holds only the last one of each. */
export interface Recents {
  /** True if answers with so many messages have others than the newest. */
  areWanted: (limit: number) => boolean
  read: (
    uid: string,
    keys: readonly ChannelKey[],
    limit: number,
  ) => Promise<ReadonlyMap<ChannelKey, readonly Message[]>>
  /** Prepares messages to be kept as they are delivered. */
  prepare: (messages: readonly Message[]) => PreparedRecents
  /** Removes what is beyond the newest messages of each conversation. */
  trim: (uid: string) => Promise<void>
}

/** Messages that are about to be delivered to users. */
export interface PreparedRecents {
  /** The newest of each conversation: those that are kept. */
  readonly kept: readonly Message[]
  /** What must be known to tell which of them are known: the names of values beside the log. */
  readonly names: readonly string[]
  /** Those of them that are not known yet, and the values that keep them. */
  takeNews: (known: ReadonlyMap<string, Uint8Array>) => RecentNews
}

/** Messages that a user does not have yet. */
export interface RecentNews {
  readonly messages: readonly Message[]
  readonly values: ReadonlyMap<string, Uint8Array>
}

/** More are to be had from the app's history only. */
const KEPT_COUNT = 10
const NAME_PREFIX = 'recents/'
/** Message numbers are below 2^32; padded, names sort as their numbers do. */
const SEQ_DIGITS = 10
/** For more conversations than this all that is kept of a user is read at once. */
const MAX_SINGLE_READS = 8

/** Creates {@link Recents} that are kept beside the log, a value each, or come from a source if there is one. */
export function createRecents(log: LogStore, logger: Logger, source?: MessageSource): Recents {
  const readAll = async (uid: string): Promise<Map<ChannelKey, Message[]>> => {
    const found = new Map<ChannelKey, Message[]>()
    const values = await log.values.list(`room:${uid}`, { prefix: NAME_PREFIX, reverse: true })
    for (const [name, value] of values) {
      const key = keyOf(name)
      const messages = found.get(key) ?? []
      found.set(key, messages)
      if (messages.length < KEPT_COUNT) messages.push(decode(value))
    }
    return found
  }
  const readKept = async (uid: string, keys: readonly ChannelKey[]): Promise<Map<ChannelKey, Message[]>> => {
    if (keys.length > MAX_SINGLE_READS) return readAll(uid)
    const reads = keys.map(async (key) => {
      const range = { prefix: prefixOf(key), limit: KEPT_COUNT, reverse: true }
      const values = await log.values.list(`room:${uid}`, range)
      return [key, [...values.values()].map(decode)] as const
    })
    return new Map(await Promise.all(reads))
  }
  const ask = async (uid: string, key: ChannelKey, limit: number): Promise<readonly Message[]> => {
    try {
      return (await source?.({ uid, channel: parseChannelKey(key), limit })) ?? []
    } catch (error) {
      // The newest message is in the document; a list without the others is better than none.
      logger.error({ room: uid, err: error }, 'the history of a conversation could not be read')
      return []
    }
  }

  const areWanted = (limit: number): boolean => limit > 1

  return {
    areWanted,
    async read(uid, keys, limit) {
      if (!areWanted(limit) || keys.length === 0) return new Map()
      if (!source) return readKept(uid, keys)
      return new Map(await Promise.all(keys.map(async (key) => [key, await ask(uid, key, limit)] as const)))
    },
    prepare(messages) {
      const kept = newestOf(messages)
      const byName = new Map(kept.map((message) => [nameOf(message), message]))
      const all: RecentNews = {
        messages: kept,
        // Of an app that has a history of its own only what tells which editions were delivered.
        values: new Map(
          [...byName].map(([name, message]) => [name, encode(source ? editionOf(message) : message)]),
        ),
      }
      return {
        kept,
        names: [...byName.keys()],
        takeNews(known) {
          if (known.size === 0) return all
          const fresh = [...byName].filter(([name]) => isNews(all.values.get(name), known.get(name)))
          return {
            messages: fresh.map(([, message]) => message),
            values: new Map(fresh.map(([name]) => [name, all.values.get(name) as Uint8Array])),
          }
        },
      }
    },
    async trim(uid) {
      const count = new Map<ChannelKey, number>()
      const values = new Map<string, null>()
      for (const name of (
        await log.values.list(`room:${uid}`, { prefix: NAME_PREFIX, reverse: true })
      ).keys()) {
        const key = keyOf(name)
        const newer = count.get(key) ?? 0
        count.set(key, newer + 1)
        if (newer >= KEPT_COUNT) values.set(name, null)
      }
      if (values.size > 0) await log.values.write(`room:${uid}`, values)
    },
  }
}

/** What is kept where the app has the messages themselves. */
type Edition = Pick<Message, 'messageSeq' | 'version' | 'removed'>

function editionOf({ messageSeq, version, removed }: Message): Edition {
  return { messageSeq, ...(version ? { version } : {}), ...(removed ? { removed } : {}) }
}

/** The newest messages of each conversation; of one message twice the later edition. */
function newestOf(messages: readonly Message[]): Message[] {
  const byName = new Map<string, Message>()
  for (const message of messages) {
    const known = byName.get(nameOf(message))
    if (!known || versionOf(message) >= versionOf(known)) {
      byName.set(nameOf(message), message.removed ? withoutContent(message) : message)
    }
  }
  const count = new Map<ChannelKey, number>()
  return [...byName.values()]
    .sort((a, b) => b.messageSeq - a.messageSeq)
    .filter(({ channel }) => {
      const key = channelKey(channel)
      const newer = count.get(key) ?? 0
      count.set(key, newer + 1)
      return newer < KEPT_COUNT
    })
}

/** True unless the user has this edition of a message, or a later one. */
function isNews(value: Uint8Array | undefined, known: Uint8Array | undefined): boolean {
  if (!value || !known) return true
  if (Buffer.compare(value, known) === 0) return false
  return versionOf(decode(value)) >= versionOf(decode(known))
}

function versionOf({ version = 0 }: Edition): bigint {
  return BigInt(version)
}

/** What was recalled is gone. */
function withoutContent({ payload: _, extra: __, ...message }: Message): Message {
  return message
}

function nameOf({ channel, messageSeq }: Message): string {
  return prefixOf(channelKey(channel)) + String(messageSeq).padStart(SEQ_DIGITS, '0')
}

/** What the names of a conversation's messages begin with, and those of no other's. */
function prefixOf(key: ChannelKey): string {
  return `${NAME_PREFIX}${encodeURIComponent(key)}/`
}

function keyOf(name: string): ChannelKey {
  return decodeURIComponent(name.slice(NAME_PREFIX.length, -SEQ_DIGITS - 1))
}

function encode(message: Message | Edition): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message))
}

function decode(value: Uint8Array): Message {
  // Its checksum says that it is what a server wrote.
  return JSON.parse(new TextDecoder().decode(value)) as Message
}
