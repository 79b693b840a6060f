import { type Channel, type ChannelKey, channelKey, createStore, type Message } from '@parley/core'
import { readMessage } from '@parley/wukong'
import { refuse } from './body.js'
import type { Members } from './members.js'
import type { Recents } from './recents.js'
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
  users: Users
  recents: Recents
  members: Members
}

/** So many users are written to at once. */
const CONCURRENCY = 64

/** Creates {@link Ingest}. */
export function createIngest({ users, recents, members }: IngestOptions): Ingest {
  const queues = new Map<string, Promise<unknown>>()

  /** One after the other for a user: the messages kept beside the log are read and written. */
  const inTurn = async (uid: string, work: () => Promise<void>): Promise<void> => {
    const turn = (queues.get(uid) ?? Promise.resolve()).then(work)
    const settled = turn.catch(() => {})
    queues.set(uid, settled)
    try {
      await turn
    } finally {
      if (queues.get(uid) === settled) queues.delete(uid)
    }
  }
  const write = (uid: string, messages: readonly Message[]): Promise<void> =>
    inTurn(uid, async () => {
      await recents.add(uid, messages)
      await users.withWriter(uid, (writer) => writer.act((store) => store.receive(messages)))
    })

  return {
    async deliver(envelopes) {
      const byUser = new Map<string, Message[]>()
      const kept = new Set<Envelope>()
      const known = new Map<ChannelKey, readonly string[] | null>()
      const membersOf = async (channel: Channel): Promise<readonly string[] | null> => {
        const key = channelKey(channel)
        if (!known.has(key)) known.set(key, await members.of(channel))
        return known.get(key) ?? null
      }
      for (const envelope of envelopes) {
        const { message, field, channel } = envelope
        const recipients = envelope.recipients ?? (await membersOf(channel))
        if (!recipients) refuse(`${field}.recipients`, `given: nobody said who is in ${field}.channel_id`)
        for (const uid of recipients) {
          const read = readMessage(message, { me: uid, field })
          if (read === 'not-mine') refuse(`${field}.recipients`, `those who take part; ${uid} does not`)
          if (read === 'not-kept') continue
          kept.add(envelope)
          const others = byUser.get(uid)
          if (others) others.push(read)
          else byUser.set(uid, [read])
        }
      }
      check(byUser)
      const waiting = [...byUser]
      const work = async (): Promise<void> => {
        for (let next = waiting.pop(); next; next = waiting.pop()) await write(...next)
      }
      const results = await Promise.allSettled(Array.from({ length: CONCURRENCY }, work))
      const failed = results.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
      return { messages: kept.size, users: byUser.size, skipped: envelopes.length - kept.size }
    },
  }
}

/** Refuses what a store would refuse, before anybody has anything. */
function check(byUser: ReadonlyMap<string, readonly Message[]>): void {
  const checked = new Set<string>()
  const messages = [...byUser.values()].flat().filter((message) => {
    // The same for everybody but for whom it mentions.
    const { mentionsMe: _, ...rest } = message
    const text = JSON.stringify(rest)
    return checked.has(text) ? false : checked.add(text)
  })
  const scratch = createStore({ userId: 'nobody' })
  try {
    if (messages.length > 0) scratch.receive(messages)
  } finally {
    scratch.close()
    scratch.doc.destroy()
  }
}
