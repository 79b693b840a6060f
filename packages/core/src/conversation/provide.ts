import { invalidArgument } from '../errors.js'
import { compareStamps, type Stamp } from '../lattice/stamp.js'
import { normalizeVersion } from '../lattice/version.js'
import type { StoreCore } from '../store/core.js'
import { type Channel, channelKey } from './channel.js'
import type { Provided } from './facts.js'
import { checkSeq, type Message } from './message.js'
import { dropProviderMark, putProviderMark } from './providerMark.js'
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
      const { provided: before, marks } = core.facts(key)
      if (unread === undefined) continue
      // Nothing was said, and still more is unread: somebody marked it, in an app that knows only counts. With the same
      // version it is an older answer that comes late.
      const isNewer = before?.lastMsgSeq === lastMsgSeq && compareStamps([version], [before.version]) > 0
      if (isNewer && before.unread < unread) putProviderMark(writer, key, { atSeq: lastMsgSeq, version })
      // All was read elsewhere, by somebody who saw what the provider called marked.
      const isRead = unread === 0 && before?.unread !== 0
      if (isRead && (!before || compareStamps([lastMsgSeq, version, 0], stampOf(before)) > 0)) {
        dropProviderMark(writer, key, marks)
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

function stampOf({ lastMsgSeq, version, unread }: Provided): Stamp {
  return [lastMsgSeq, version, 0 - unread]
}
