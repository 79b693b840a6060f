import type { Channel } from '@parley/core'
import { isFields, member, readArray, refuse } from '../json/fields.js'
import { readChannel } from './channel.js'
import { type ListedConversation, readConversation } from './readConversation.js'
import { readV3Conversation } from './v3.js'

/** What an answer to a sync holds. */
export interface SyncAnswer {
  /** In the order of the answer. */
  readonly conversations: readonly ListedConversation[]
  /** Conversations that the user deleted on another device, told by those servers that have a list of them. */
  readonly deletes: readonly Channel[]
  /** The user it is for, if it says. */
  readonly uid: string | undefined
}

/** For whom an answer is read. */
export interface ReadAnswerContext {
  readonly me: string
  /** Told of conversations and messages that cannot be read; without it the first one is thrown. */
  readonly onBadItem?: (error: unknown) => void
}

/**
 * Reads an answer to `/conversation/sync` in any of its envelopes: WuKongIM's bare array, TangSengDaoDao's object, the third
 * generation's `/conversation/list`, the wrapping model of the iOS SDK. Nothing at all is an answer without conversations.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 * @example
 * ```ts
 * import { readSyncAnswer } from '@parley/wukong'
 *
 * readSyncAnswer({ uid: 'alice', conversations: [{ channel_id: 'bob', channel_type: 1 }] }, { me: 'alice' }).conversations.length // 1
 * ```
 */
export function readSyncAnswer(value: unknown, { me, onBadItem }: ReadAnswerContext): SyncAnswer {
  if (value === undefined || value === null) return { conversations: [], deletes: [], uid: undefined }
  const envelope = isFields(value) ? value : null
  if (!envelope && !Array.isArray(value))
    refuse('The answer', 'an array of conversations or an object with them')
  const items = readArray(envelope ? envelope.conversations : value, 'conversations')
  const onBad = onBadItem ? { onBadMessage: onBadItem } : {}
  const conversations = items.flatMap((item, index) => {
    const field = `conversations[${index}]`
    return tryRead(onBadItem, () =>
      isFields(item) && 'active_at' in item
        ? readV3Conversation(item, { me, field, ...onBad })
        : readConversation(item, { me, field, omitsZero: envelope !== null, ...onBad }),
    )
  })
  const deletes = readArray(envelope?.deletes, 'deletes').flatMap((item, index) =>
    tryRead(onBadItem, () => readChannel(isFields(item) ? item : {}, `deletes[${index}]`)),
  )
  const uid = envelope ? member(envelope, 'uid') : undefined
  return { conversations, deletes, uid: typeof uid === 'string' ? uid : undefined }
}

function tryRead<Item>(onBadItem: ((error: unknown) => void) | undefined, read: () => Item): Item[] {
  if (!onBadItem) return [read()]
  try {
    return [read()]
  } catch (error) {
    onBadItem(error)
    return []
  }
}
