import { COPY_NAME } from '../log/copies.js'
import type { LogStore, ValueWithHead } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { Projection } from './projection.js'
import type { Recents } from './recents.js'
import { answerSync, joinItems, type SyncQuestion } from './syncAnswer.js'
import type { Users } from './users.js'

/**
 * Answers to clients that begin anew and want the newest message of each conversation, which is what WuKongIM's JS client asks
 * every time it connects. Such an answer follows from the version of the user's log and from which mutes have ended. So it is
 * kept with those, in memory as long as the document is, and beside the log for when it is not: to answer the same again no
 * document has to be loaded.
 */
export interface FullAnswers {
  /** All conversations of a user. */
  of: (uid: string) => Promise<FullAnswer>
}

export interface FullAnswer {
  /** JSON. */
  readonly body: Buffer
  /** True if it is kept in memory for others; otherwise it belongs to who asked. */
  readonly isShared: boolean
}

export interface FullAnswersOptions {
  users: Users
  recents: Recents
  log: LogStore
  logger: Logger
  /** The wall clock in milliseconds since 1970. */
  now?: () => number
  /** Told who was answered. */
  onAsked?: (uid: string) => void
}

/** An answer, and what it follows from. */
interface KeptAnswer {
  /** The version of the log. */
  readonly head: number
  /** When the next mute ends, in milliseconds since 1970. */
  readonly until: number
  readonly body: Buffer
}

/** Larger ones are not kept beside the log: they would be written again after every change. */
const MAX_KEPT_BYTES = 256 * 1024
/** Before the body: two numbers of 64 bits. */
const HEADER_BYTES = 16

const QUESTION: SyncQuestion = {
  version: 0,
  lastMsgSeqs: '',
  msgCount: 1,
  onlyUnread: false,
  excludeTypes: [],
  shape: 'wukongim',
  tellsDeletions: true,
}

/** True if the answer to a question is one of {@link FullAnswers}. */
export function asksForAll(question: SyncQuestion): boolean {
  const { version, lastMsgSeqs, msgCount, onlyUnread, excludeTypes, shape } = question
  return (
    version <= 0 &&
    lastMsgSeqs === '' &&
    msgCount === QUESTION.msgCount &&
    !onlyUnread &&
    excludeTypes.length === 0 &&
    shape === QUESTION.shape
  )
}

/** Creates {@link FullAnswers}. */
export function createFullAnswers(options: FullAnswersOptions): FullAnswers {
  const { users, recents, log, logger, now = Date.now, onAsked } = options
  const latest = new WeakMap<Projection, KeptAnswer>()

  const readKept = ({ head, value }: ValueWithHead): KeptAnswer | null => {
    const kept = value && decode(value)
    return kept && kept.head === head && now() < kept.until ? kept : null
  }
  const lookUp = (user: Projection): KeptAnswer | null => {
    const known = latest.get(user)
    return known && known.head === user.index.head && now() < known.until ? known : null
  }
  const keep = (uid: string, answer: KeptAnswer): void => {
    if (answer.body.byteLength > MAX_KEPT_BYTES) return
    log.values
      .write(`room:${uid}`, new Map([[COPY_NAME, encode(answer)]]))
      .catch((error) => logger.warn({ room: uid, err: error }, 'an answer could not be kept'))
  }
  const make = async (user: Projection): Promise<KeptAnswer> => {
    const { head, nextDue: until } = user.index
    const body = joinItems(await answerSync(user, recents, QUESTION), '[', ']')
    return { head, until, body }
  }

  return {
    async of(uid) {
      const present = users.peek(uid)
      const kept = present ? lookUp(present) : readKept(await log.readWithHead(uid, COPY_NAME))
      if (kept) {
        onAsked?.(uid)
        return { body: kept.body, isShared: present !== null }
      }
      return users.withProjection(uid, async (user) => {
        const known = latest.get(user)
        const answer = lookUp(user) ?? (await make(user))
        latest.set(user, answer)
        // Once while the document is in memory: a user in whose log much happens would have it written again and again.
        if (!known && answer.head > 0) keep(uid, answer)
        return { body: answer.body, isShared: true }
      })
    },
  }
}

function encode({ head, until, body }: KeptAnswer): Uint8Array {
  const value = Buffer.allocUnsafe(HEADER_BYTES + body.byteLength)
  value.writeDoubleBE(head, 0)
  value.writeDoubleBE(until, HEADER_BYTES / 2)
  body.copy(value, HEADER_BYTES)
  return value
}

function decode(value: Uint8Array): KeptAnswer {
  // Its checksum says that it is what a server wrote.
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return {
    head: bytes.readDoubleBE(0),
    until: bytes.readDoubleBE(HEADER_BYTES / 2),
    body: bytes.subarray(HEADER_BYTES),
  }
}
