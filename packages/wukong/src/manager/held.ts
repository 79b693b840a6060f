import { type Conversation, parseChannelKey, type Store } from '@parley/core'
import { encodeLastMsgSeqs } from '../wire/lastMsgSeqs.js'
import { isUnknownType } from '../wire/payload.js'
import type { Emulation, ManagerContext } from './options.js'

/**
 * Writes down which messages the store has, as `lastMsgSeqs`. iOS counts deleted conversations in and messages of types it
 * does not know out; Android the other way round. A conversation without messages is in neither.
 */
export function listHeld(store: Store, { emulate, lastMessageSeq }: ManagerContext): string {
  const withDeleted = emulate === 'ios'
  const all = store.keys().map((key) => store.conversation(parseChannelKey(key)).getSnapshot())
  return encodeLastMsgSeqs(
    all.flatMap((conversation) => {
      if (conversation.hidden && !withDeleted) return []
      const lastMsgSeq = (lastMessageSeq ?? newestKnown(emulate))(conversation)
      return lastMsgSeq === null || lastMsgSeq <= 0 ? [] : [{ channel: conversation.channel, lastMsgSeq }]
    }),
  )
}

const newestKnown =
  (emulate: Emulation) =>
  ({ lastMessage }: Conversation): number | null => {
    if (!lastMessage) return null
    // The store keeps only the newest; asking from one before it brings that one again, once its type is known.
    const isUnknown = emulate === 'ios' && isUnknownType(lastMessage.payload)
    return lastMessage.messageSeq - (isUnknown ? 1 : 0)
  }
