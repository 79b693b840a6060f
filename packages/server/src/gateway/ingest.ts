import {
  type Channel,
  type ChannelKey,
  channelKey,
  type DetachedMessages,
  detachMessages,
  type Message,
} from '@parley/core'
import { mentionsOf, readMessage } from '@parley/wukong'
import pLimit from 'p-limit'
import type { LogStore, OwnAppend } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { Rooms } from '../room/rooms.js'
import { createTurns } from '../turns.js'
import { refuse } from './body.js'
import type { KeepMessage } from './keptMessage.js'
import type { Members } from './members.js'
import type { PreparedRecents, Recents } from './recents.js'
import type { Users } from './users.js'
import type { Envelope } from './wireMessages.js'

/** Takes messages of an IM server in, each for all who are to have it. */
export interface Ingest {
  /**
   * Durable for everybody when the promise resolves; the same again changes nothing.
   *
   * @throws HttpError or ParleyError that names the member; nothing is taken in then
   */
  deliver: (envelopes: readonly Envelope[]) => Promise<Delivered>
}

/** What became of messages. */
export interface Delivered {
  readonly messages: number
  readonly users: number
  /** Messages that change no conversation: commands, and what is not kept. */
  readonly skipped: number
}

export interface IngestOptions {
  rooms: Rooms
  log: LogStore
  logger: Logger
  users: Users
  recents: Recents
  members: Members
  keepMessage: KeepMessage
}

/** Users whose documents must be looked at are dealt with so many at once. */
const CONCURRENT_DOCUMENTS = 16
/** After so many entries that were written into a room without a look at it, it is tidied up. */
const TIDY_AFTER_CLOCKS = 512

/** Messages that are about to be delivered, for all users who get the same. */
interface Delivery {
  readonly messages: readonly Message[]
  readonly recents: PreparedRecents
  /** All that is new of them, written without the document. */
  readonly detached: DetachedMessages
  /** True if something of them can be told only by looking at the document. */
  readonly needsDocument: boolean
}

/** Creates {@link Ingest}. */
export function createIngest(options: IngestOptions): Ingest {
  const { rooms, log, logger, users, recents, members, keepMessage } = options
  const queueForDocuments = pLimit(CONCURRENT_DOCUMENTS)

  const prepare = (uid: string, messages: readonly Message[]): Delivery => {
    const prepared = recents.prepare(messages)
    const detached = detachMessages(uid, prepared.kept)
    // Older ones of a conversation are not kept one by one: whether they are news the document tells.
    const needsDocument = detached.acknowledges || prepared.kept.length < messages.length
    return { messages, recents: prepared, detached, needsDocument }
  }

  const write = async (uid: string, delivery: Delivery): Promise<void> => {
    let isTidyTime = false
    const own: OwnAppend = {
      reads: delivery.recents.names,
      compose(writer, known) {
        const news = delivery.recents.takeNews(known)
        if (news.messages.length === 0) return null
        const isAll = news.messages.length === delivery.recents.kept.length
        const detached = isAll ? delivery.detached : detachMessages(uid, news.messages)
        const { update, clocks } = detached.encode(writer)
        isTidyTime = runOf(writer.clock) < runOf(writer.clock + clocks)
        return { update, clocks, values: news.values }
      },
    }
    try {
      const row = await log.appendOwn(uid, own)
      if (row) rooms.receive(uid, row)
    } catch (error) {
      // It may be there all the same, and when it is brought again there is nothing new in it to tell anybody of.
      rooms.doubt(uid)
      throw error
    }
    if (delivery.needsDocument) {
      await queueForDocuments(() =>
        users.withWriter(uid, (writer) => writer.act((store) => store.receive(delivery.messages))),
      )
    }
    if (isTidyTime) tidy(uid)
  }
  const tidy = (uid: string): void => {
    rooms.tidy(uid)
    recents
      .trim(uid)
      .catch((error) => logger.warn({ room: uid, err: error }, 'messages beyond the newest are still kept'))
  }

  return {
    async deliver(envelopes) {
      const { byUser, kept } = await sort(envelopes, members, keepMessage)
      // All are prepared before the first is written: what is wrong with one is found before anybody has anything.
      const shared = new Map<Message, Delivery>()
      const deliveries = [...byUser].map(([uid, messages]) => {
        const [only, ...others] = messages
        if (!only || others.length > 0 || only.fromUid === uid) return [uid, prepare(uid, messages)] as const
        const delivery = shared.get(only) ?? prepare(uid, messages)
        shared.set(only, delivery)
        return [uid, delivery] as const
      })
      const results = await Promise.allSettled(deliveries.map(([uid, delivery]) => write(uid, delivery)))
      const failed = results.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
      return { messages: kept, users: byUser.size, skipped: envelopes.length - kept }
    },
  }
}

/** Which run of entries a clock is in. */
function runOf(clock: number): number {
  return Math.floor(clock / TIDY_AFTER_CLOCKS)
}

interface Sorted {
  readonly byUser: ReadonlyMap<string, Message[]>
  /** How many of the messages somebody gets. */
  readonly kept: number
}

/**
 * Finds out who gets which message.
 *
 * @throws HttpError or ParleyError that names the member
 */
async function sort(
  envelopes: readonly Envelope[],
  members: Members,
  keepMessage: KeepMessage,
): Promise<Sorted> {
  const byUser = new Map<string, Message[]>()
  const known = new Map<ChannelKey, readonly string[] | null>()
  const membersOf = async (channel: Channel): Promise<readonly string[] | null> => {
    const key = channelKey(channel)
    if (!known.has(key)) known.set(key, await members.of(channel))
    return known.get(key) ?? null
  }
  let kept = 0
  let deliveries = 0
  const takeTurns = createTurns()
  for (const envelope of envelopes) {
    const recipients = envelope.recipients ?? (await membersOf(envelope.channel))
    if (!recipients) {
      refuse(`${envelope.field}.recipients`, `given: nobody said who is in ${envelope.field}.channel_id`)
    }
    const unique = new Set(recipients)
    deliveries += unique.size
    if (deliveries > MAX_DELIVERIES) {
      refuse('messages', `for at most ${MAX_DELIVERIES} recipients in all: send them in several requests`)
    }
    const readFor = createReader(envelope)
    let isKept = false
    for (const uid of unique) {
      if (takeTurns.isOver()) await takeTurns.next()
      const found = readFor(uid)
      if (!found) continue
      const message = keepMessage(found)
      isKept = true
      const others = byUser.get(uid)
      if (others) others.push(message)
      else byUser.set(uid, [message])
    }
    if (isKept) kept++
  }
  return { byUser, kept }
}

const PERSON = 1
/** Messages times recipients of one request. */
const MAX_DELIVERIES = 500_000
/** Reads a message for its recipients, one object for all to whom it says the same; `null` where it changes nothing. */
function createReader({ message, field, channel }: Envelope): (uid: string) => Message | null {
  const read = (uid: string): Message | null => {
    const found = readMessage(message, { me: uid, field })
    if (found === 'not-mine') refuse(`${field}.recipients`, `those who take part; ${uid} does not`)
    if (found === 'not-kept') return null
    detachMessages(uid, [found], () => field)
    return found
  }
  // Whose conversation a person's message is in depends on who gets it.
  if (channel.channelType === PERSON) return read
  let known: {
    readonly mentioned: Message
    readonly others: Message
    readonly isMentioned: (uid: string) => boolean
  } | null = null
  return (uid) => {
    if (!known) {
      const first = read(uid)
      if (!first) return null
      const { mentionsMe: _, ...others } = first
      known = {
        others,
        mentioned: { ...others, mentionsMe: true },
        isMentioned: mentionsOf(others.payload ?? null),
      }
    }
    return known.isMentioned(uid) ? known.mentioned : known.others
  }
}
