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
  /** Keeps messages as they were delivered. Not to be called for a user before the last call has settled. */
  add: (uid: string, messages: readonly Message[]) => Promise<void>
}

/** More are to be had from the app's history only. */
const KEPT_COUNT = 10
const NAME_PREFIX = 'recents/'

/** Creates {@link Recents} that are kept beside the log, or come from a source if there is one. */
export function createRecents(log: LogStore, logger: Logger, source?: MessageSource): Recents {
  const readKept = async (uid: string, keys: readonly ChannelKey[]): Promise<Map<ChannelKey, Message[]>> => {
    const values = await log.values.read(
      `room:${uid}`,
      keys.map((key) => NAME_PREFIX + key),
    )
    return new Map([...values].map(([name, value]) => [name.slice(NAME_PREFIX.length), decode(value)]))
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
    async add(uid, messages) {
      if (source) return
      const byKey = new Map<ChannelKey, Message[]>()
      for (const message of messages) {
        const key = channelKey(message.channel)
        const others = byKey.get(key)
        if (others) others.push(message)
        else byKey.set(key, [message])
      }
      const kept = await readKept(uid, [...byKey.keys()])
      const values = new Map<string, Uint8Array>()
      for (const [key, added] of byKey) {
        const before = kept.get(key) ?? []
        const after = encode(join(before, added))
        if (before.length === 0 || !same(after, encode(before))) values.set(NAME_PREFIX + key, after)
      }
      if (values.size > 0) await log.values.write(`room:${uid}`, values)
    },
  }
}

/** The newest of two lists; of one message twice the later edition. */
function join(before: readonly Message[], added: readonly Message[]): Message[] {
  const bySeq = new Map<number, Message>()
  for (const message of [...before, ...added]) {
    const known = bySeq.get(message.messageSeq)
    if (!known || BigInt(message.version ?? 0) >= BigInt(known.version ?? 0)) {
      bySeq.set(message.messageSeq, message.removed ? withoutContent(message) : message)
    }
  }
  return [...bySeq.values()].sort((a, b) => b.messageSeq - a.messageSeq).slice(0, KEPT_COUNT)
}

/** What was recalled is gone. */
function withoutContent({ payload: _, extra: __, ...message }: Message): Message {
  return message
}

function encode(messages: readonly Message[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(messages))
}

function decode(value: Uint8Array): Message[] {
  // Its checksum says that it is what a server wrote.
  return JSON.parse(new TextDecoder().decode(value)) as Message[]
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
