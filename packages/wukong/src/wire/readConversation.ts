import {
  type Channel,
  MAX_MESSAGE_SEQ,
  type Message,
  type ProvidedConversation,
  type Version,
} from '@parley/core'
import {
  type Fields,
  isFields,
  member,
  readArray,
  readFields,
  readFlag,
  readInteger,
  readText,
  readVersion,
} from '../json/fields.js'
import { parentOf, readChannel } from './channel.js'
import { type ConversationExtra, readExtra } from './extra.js'
import { readMessage } from './readMessage.js'

/** A conversation as somebody else's server lists it. A store takes it with `provide`. */
export interface ListedConversation extends ProvidedConversation {
  readonly channel: Channel
  readonly version: Version
  readonly recents: readonly Message[]
  /** The community of a topic. */
  readonly parent: Channel | null
  /** What the user did there, as far as the server tells: `undefined` where it says nothing of it. */
  readonly mute: boolean | undefined
  readonly stick: boolean | undefined
  readonly extra: ConversationExtra | null
  /** True if it tells that the user deleted the conversation, up to `lastMsgSeq`. */
  readonly deleted: boolean
}

/** For whom a conversation is read, and how. */
export interface ReadConversationContext {
  /** The user whose conversation it is. */
  readonly me: string
  readonly field?: string
  /** True for servers that leave out what is 0, as TangSengDaoDao's does: what is missing is known to be 0 then. */
  readonly omitsZero?: boolean
  /** Told of messages that cannot be read; without it the first one is thrown. */
  readonly onBadMessage?: (error: unknown) => void
}

/**
 * Reads a conversation as WuKongIM and TangSengDaoDao list it, or as the model of the iOS SDK has it.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 * @example
 * ```ts
 * import { readConversation } from '@parley/wukong'
 *
 * readConversation({ channel_id: 'ubuntu', channel_type: 2, last_msg_seq: 7, unread: 2, recents: [] }, { me: 'alice' }).unread // 2
 * ```
 */
export function readConversation(value: unknown, context: ReadConversationContext): ListedConversation {
  const { me, field = 'conversation', omitsZero = false, onBadMessage } = context
  const source = readFields(value, field)
  const at = (name: string): string => `${field}.${name}`
  const channel = readChannel(source, field)
  const raw = readRecents(source, at)
  const isDeleted = readFlag(member(source, 'is_deleted', 'isDeleted'), at('is_deleted'))
  const recents = raw.flatMap((recent, index) => {
    try {
      // It is the conversation that was deleted then, and not its messages.
      const given = isDeleted && isFields(recent) ? { ...recent, is_deleted: 0 } : recent
      const message = readMessage(given, { me, channel, field: at(`recents[${index}]`) })
      return typeof message === 'string' ? [] : [message]
    } catch (error) {
      if (!onBadMessage) throw error
      onBadMessage(error)
      return []
    }
  })
  const listedSeq = readInteger(
    member(source, 'last_msg_seq', 'lastMsgSeq', 'lastMessageSeq'),
    at('last_msg_seq'),
    0,
    MAX_MESSAGE_SEQ,
  )
  const unread = member(source, 'unread', 'unreadCount') ?? (omitsZero ? 0 : undefined)
  // In the SDK's model `extra` holds attributes of the app, and `remoteExtra` the extra.
  const extra = member(source, 'remoteExtra', 'extra')
  return {
    channel,
    parent: parentOf(channel),
    // Some servers list only what they send along.
    lastMsgSeq: Math.max(listedSeq, ...recents.map(({ messageSeq }) => messageSeq)),
    version: readVersion(source.version),
    ...(unread === undefined || unread === null
      ? {}
      : { unread: Math.max(0, readInteger(unread, at('unread'), -MAX_MESSAGE_SEQ, MAX_MESSAGE_SEQ)) }),
    // Servers send the newest first, iOS apps turn them round.
    recents: recents.sort((a, b) => b.messageSeq - a.messageSeq),
    mute: readSetting(source.mute, at('mute'), omitsZero),
    stick: readSetting(source.stick, at('stick'), omitsZero),
    extra: isFields(extra) ? readExtra(extra, at('extra'), channel) : null,
    deleted: isDeleted || tellsDeletion(source, raw, at),
  }
}

/** The newest messages of a listed conversation, or the one message of the SDK's `WKConversation`. */
function readRecents(source: Fields, at: (name: string) => string): readonly unknown[] {
  const { recents, lastMessage } = source
  if ((recents === undefined || recents === null) && isFields(lastMessage)) return [lastMessage]
  return readArray(recents, at('recents'))
}

function readSetting(value: unknown, field: string, omitsZero: boolean): boolean | undefined {
  if (value === undefined || value === null) return omitsZero ? false : undefined
  return readFlag(value, field)
}

/** A conversation is told to be deleted by its newest message, which is marked so: Android and Flutter read it there. */
function tellsDeletion(source: Fields, recents: readonly unknown[], at: (name: string) => string): boolean {
  const last = readText(
    member(source, 'last_client_msg_no', 'lastMsgClientNo', 'lastClientMsgNo'),
    at('last_client_msg_no'),
  )
  return recents.some(
    (recent) =>
      isFields(recent) &&
      last !== '' &&
      member(recent, 'client_msg_no', 'clientMsgNo') === last &&
      readFlag(member(recent, 'is_deleted', 'isDeleted'), at('recents')),
  )
}
