import { invalidArgument } from '../errors.js'
import { compareStamps } from '../lattice/stamp.js'
import { normalizeVersion, type Version } from '../lattice/version.js'
import type { StoreCore } from '../store/core.js'
import { type Channel, channelKey } from './channel.js'
import { checkSeq, type Message } from './message.js'
import { receiveMessages } from './receive.js'

/** A conversation as a provider lists it. */
export interface ProvidedConversation {
  readonly channel: Channel
  /** The newest message the provider knows. */
  readonly lastMsgSeq: number
  /** The provider's own version of the conversation. */
  readonly version?: number | string | bigint
  /** Unread messages by the provider's count; left out if it says nothing. */
  readonly unread?: number
  /** The newest messages, in any order. */
  readonly recents?: readonly Message[]
}

/** The instance that marks of providers carry. Real ones are eight characters long. */
const PROVIDER = 'provider~'

/**
 * A raised count as the counter of a mark: the same on every device that hears of it, so that all together make one mark,
 * and reading it once takes it off everywhere and for ever.
 */
function raiseNumber(version: Version): number {
  return typeof version === 'number' ? version : Number(BigInt(version) >> LOST_BITS)
}

/** What a version of 64 bits is shortened by, so that JavaScript counts that far; in nanoseconds, two microseconds. */
const LOST_BITS = 11n

/** Takes in conversations as a provider lists them. */
export function provideConversations(core: StoreCore, conversations: readonly ProvidedConversation[]): void {
  if (!Array.isArray(conversations)) invalidArgument('conversations', 'a list of conversations')
  const checked = conversations.map((conversation: ProvidedConversation, index) => {
    const field = `conversations[${index}]`
    if (conversation === null || typeof conversation !== 'object') invalidArgument(field, 'a conversation')
    const { channel, lastMsgSeq, version = 0, unread, recents = [] } = conversation
    const key = channelKey(channel, `${field}.channel`)
    checkSeq(lastMsgSeq, `${field}.lastMsgSeq`)
    if (unread !== undefined) checkSeq(unread, `${field}.unread`)
    if (!Array.isArray(recents)) invalidArgument(`${field}.recents`, 'a list of messages')
    for (const [place, message] of recents.entries()) {
      if (channelKey(message?.channel, `${field}.recents[${place}].channel`) !== key) {
        invalidArgument(`${field}.recents[${place}].channel`, 'the channel of the conversation')
      }
    }
    return { key, lastMsgSeq, unread, version: normalizeVersion(version, `${field}.version`) }
  })
  core.transact((writer) => {
    for (const { key, lastMsgSeq, version, unread } of checked) {
      const before = core.facts(key).provided
      // Nothing was said, and still more is unread: somebody marked it, in an app that knows only counts. With the same
      // version it is an older answer that comes late.
      const isNewer = before?.lastMsgSeq === lastMsgSeq && compareStamps([version], [before.version]) > 0
      if (unread && isNewer && before.unread < unread) {
        writer.put(key, `unreadMark.${PROVIDER}`, [lastMsgSeq, raiseNumber(version), PROVIDER, 0], lastMsgSeq)
      }
    }
    receiveMessages(
      core,
      conversations.flatMap(({ recents = [] }) => recents),
    )
    for (const { key, lastMsgSeq, version, unread } of checked) {
      // The unread count is the third place: providers' versions do not move when something is read.
      if (unread !== undefined) writer.put(key, 'provided', [lastMsgSeq, version, 0 - unread])
    }
  })
}
