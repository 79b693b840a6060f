import { type Channel, channelKey, type Store } from '@parley/core'
import { isFields } from '../json/fields.js'
import type { SyncAnswer } from '../wire/readAnswer.js'
import type { ListedConversation } from '../wire/readConversation.js'
import type { Delegates } from './delegates.js'
import type { ExtraSync } from './extraSync.js'
import type { ManagerContext } from './options.js'

/** What a provider last said the user did in a conversation. */
interface Settings {
  readonly mute: boolean
  readonly stick: boolean
  /** Up to which message it told that the conversation was deleted. */
  readonly deletedTo: number
}

/**
 * Takes in an answer. What it says of messages and counts is evidence; what it says the user did is taken over where it
 * changed since the provider last said so, so that nothing done here is undone by hearing the old state again.
 */
export function mergeAnswer(
  store: Store,
  { conversations, deletes }: SyncAnswer,
  context: ManagerContext,
  delegates: Delegates,
  extras: Pick<ExtraSync, 'take'>,
): void {
  const { provider, environment } = context
  const order = conversations.map(({ channel }) => channelKey(channel))
  delegates.together(order, () => {
    const taken: ListedConversation[] = []
    // The cursor moves in the transaction that brings what it stands for.
    store.transact(() => {
      for (const conversation of conversations) {
        try {
          store.provide([conversation])
          store.cursors.advance(provider, conversation.version)
          taken.push(conversation)
        } catch (error) {
          environment.reportError(error)
        }
      }
    })
    // From the last to the first: what is pinned later is put on top.
    for (const conversation of [...taken].reverse()) takeSettings(store, provider, conversation)
    for (const channel of deletes) {
      const { lastMessage } = store.conversation(channel).getSnapshot()
      takeDeletion(store, provider, channel, lastMessage?.messageSeq ?? 0)
    }
    // One that has no version of its own comes with the extras.
    for (const { extra } of taken) if (extra && extra.version !== 0) extras.take(extra)
  })
}

function takeSettings(store: Store, provider: string, conversation: ListedConversation): void {
  const { channel, mute, stick, deleted, lastMsgSeq } = conversation
  const handle = store.conversation(channel)
  const before = readSettings(store, provider, channel)
  const next: Settings = { ...before, mute: mute ?? before.mute, stick: stick ?? before.stick }
  if (next.mute !== before.mute) {
    if (next.mute && !handle.getSnapshot().muted) handle.mute()
    else if (!next.mute) handle.unmute()
  }
  if (next.stick !== before.stick) {
    if (next.stick && !handle.getSnapshot().pinned) handle.pin()
    else if (!next.stick) handle.unpin()
  }
  if (next.mute !== before.mute || next.stick !== before.stick) writeSettings(store, provider, channel, next)
  if (deleted) takeDeletion(store, provider, channel, lastMsgSeq)
}

/** Deletes a conversation that was deleted elsewhere, once: told again it does not undo that the user took it back here. */
function takeDeletion(store: Store, provider: string, channel: Channel, toSeq: number): void {
  const handle = store.conversation(channel)
  const { lastMessage, hidden } = handle.getSnapshot()
  const before = readSettings(store, provider, channel)
  // A newer message than the deletion knew brings it back.
  if (!lastMessage || lastMessage.messageSeq > toSeq || toSeq <= before.deletedTo) return
  if (!hidden) handle.delete()
  writeSettings(store, provider, channel, { ...before, deletedTo: toSeq })
}

function readSettings(store: Store, provider: string, channel: Channel): Settings {
  const note = store.conversation(channel).agreed(`${provider}/settings`)
  const { mute, stick, deletedTo } = isFields(note) ? note : {}
  return {
    mute: mute === true,
    stick: stick === true,
    deletedTo: typeof deletedTo === 'number' ? deletedTo : 0,
  }
}

function writeSettings(store: Store, provider: string, channel: Channel, settings: Settings): void {
  store.conversation(channel).agree(`${provider}/settings`, { ...settings })
}
