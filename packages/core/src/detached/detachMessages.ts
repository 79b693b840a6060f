import { checkId } from '../conversation/channel.js'
import type { Message } from '../conversation/message.js'
import { checkMessages, NOTHING_KNOWN, writeMessages } from '../conversation/receive.js'
import { encodeUpdate } from '../document/encode.js'
import { parseSubmissionId } from '../drafts/draftView.js'
import { createWriter } from '../store/writer.js'
import { detachedItems, detachLines } from './detachedItems.js'
import type { DetachedUpdate, DetachedWriter } from './detachedWriter.js'

/** Messages that are ready to be written into a user's document without it. */
export interface DetachedMessages {
  /**
   * True if one of them may be the server's acknowledgement of one of the user's drafts: what it says of the draft shows only
   * in the document, which must receive them as well.
   */
  readonly acknowledges: boolean
  /** Writes them as an update of the writer. */
  readonly encode: (writer: DetachedWriter) => DetachedUpdate
}

/**
 * Prepares messages for a user's document that is not at hand, as a server has it for users who are away. Applied to the
 * document the update says the same as `store.receive` would, with some more entries: what is known already shows only there.
 *
 * @param nameOf what an error calls a message, `messages[0]` and so on if left out
 * @throws ParleyError with code `invalid-argument` that names the member
 * @example
 * ```ts
 * import { createStore, detachMessages } from '@parley/core'
 *
 * const channel = { channelId: 'bob', channelType: 1 }
 * const messages = detachMessages('alice', [{ channel, messageSeq: 1, fromUid: 'bob', timestamp: Date.now() }])
 * const { update } = messages.encode({ client: 7, clock: 0 })
 * const store = createStore({ userId: 'alice' })
 * store.applyUpdate(update)
 * store.conversation(channel).getSnapshot().unread // 1
 * ```
 */
export function detachMessages(
  userId: string,
  messages: readonly Message[],
  nameOf?: (index: number) => string,
): DetachedMessages {
  checkId(userId, 'userId')
  const writer = createWriter({ get: () => undefined })
  for (const [key, inChannel] of checkMessages(messages, nameOf)) {
    writeMessages(writer, userId, key, NOTHING_KNOWN, inChannel)
  }
  const lines = writer.lines()
  const detached = detachLines(lines)
  return {
    acknowledges: messages.some(
      ({ fromUid, clientMsgNo }) =>
        fromUid === userId && clientMsgNo !== undefined && parseSubmissionId(clientMsgNo) !== null,
    ),
    encode(as) {
      const structs = detachedItems(detached, as)
      return {
        update: encodeUpdate(new Map([[as.client, { structs, offset: 0 }]]), new Map()),
        clocks: lines.length,
      }
    },
  }
}
