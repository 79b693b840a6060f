import type { ChannelKey } from '../conversation/channel.js'
import type { Conversation, ConversationField } from '../conversation/conversation.js'

/** What happened to one conversation. */
export type ConversationChange =
  | { readonly type: 'added'; readonly conversation: Conversation; readonly to: number }
  | {
      readonly type: 'updated'
      readonly conversation: Conversation
      readonly fields: readonly ConversationField[]
    }
  | {
      readonly type: 'moved'
      readonly conversation: Conversation
      readonly fields: readonly ConversationField[]
      readonly from: number
      readonly to: number
    }
  | { readonly type: 'removed'; readonly key: ChannelKey; readonly from: number }

/**
 * All that one transaction changed in the list of conversations that are not hidden, archived ones included. Places are
 * those before (`from`) and after (`to`) the whole batch: who takes out what was moved or removed, and puts in what was moved
 * or added in the order of `to`, has the list. Of several that moved, one may have passed another and kept its place.
 */
export interface ChangeBatch {
  /** `local` for this store's own actions, `remote` for other devices, `time` for a mute that ended. */
  readonly source: 'local' | 'remote' | 'time'
  readonly changes: readonly ConversationChange[]
}
