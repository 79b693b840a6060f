import type { Store } from '@parley/core'
import type { ConversationExtra, ListedConversation } from '@parley/wukong'
import type { KeepMessage } from '../gateway/keptMessage.js'
import type { ImportedState } from '../import/readImport.js'

/**
 * Takes imported conversations and messages into a store. Taken in twice they change nothing: what a server says of its
 * conversations is evidence beside what the user did here, and what it says the user did counts only where nothing was
 * known of the conversation before.
 */
export function importState(store: Store, imported: ImportedState, keepMessage: KeepMessage): void {
  const messages = imported.messages.map(keepMessage)
  const conversations = imported.conversations.map((conversation) => ({
    ...conversation,
    recents: conversation.recents.map(keepMessage),
  }))
  const fresh = conversations.filter(({ channel }) => isUnknown(store, channel))
  if (messages.length > 0) store.receive(messages)
  if (conversations.length > 0) store.provide(conversations)
  // What is pinned first goes on top: from the last to the first keeps the order of the list.
  for (const conversation of fresh.reverse()) importActs(store, conversation)
}

function isUnknown(store: Store, channel: ListedConversation['channel']): boolean {
  const { lastMessage, drafts, pinned, mutedUntil, keptPosition } = store.conversation(channel).getSnapshot()
  const typed =
    drafts.composer !== null ||
    drafts.others.length + drafts.recovered.length + drafts.sending.length + drafts.edits.length > 0
  return lastMessage === null && !typed && !pinned && mutedUntil === 0 && keptPosition === null
}

function importActs(store: Store, { channel, mute, stick, extra, deleted }: ListedConversation): void {
  const conversation = store.conversation(channel)
  store.transact(() => {
    if (mute) conversation.mute()
    if (extra) importExtra(conversation, extra)
    if (deleted) conversation.delete()
  })
  // Not in the transaction: a pin finds its place among the pins from before it.
  if (stick) conversation.pin('first')
  if (extra?.draft) conversation.draft.set(extra.draft)
}

function importExtra(conversation: ReturnType<Store['conversation']>, extra: ConversationExtra): void {
  if (extra.browseTo > 0) conversation.browseTo(extra.browseTo)
  if (extra.keepMessageSeq > 0) {
    conversation.keepPosition({ messageSeq: extra.keepMessageSeq, offsetY: extra.keepOffsetY })
  }
}
