import type { Conversation, Store } from '@parley/core'
import { parseChannelKey } from '@parley/core'

/** The conversations that are deleted and have no newer message, the one with the newest activity first. */
export function deletedConversations(store: Store): Conversation[] {
  return store
    .keys()
    .map((key) => store.conversation(parseChannelKey(key)).getSnapshot())
    .filter(({ hidden, lastMessage, drafts }) => hidden && (lastMessage !== null || drafts.composer !== null))
    .sort((a, b) => b.activeAt - a.activeAt || (a.key < b.key ? -1 : 1))
}
