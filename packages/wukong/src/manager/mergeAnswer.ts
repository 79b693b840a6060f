import { type Channel, channelKey, type Store, type Version } from '@parley/core'
import { isFields, readVersion } from '../json/fields.js'
import type { SyncAnswer } from '../wire/readAnswer.js'
import type { ListedConversation } from '../wire/readConversation.js'
import type { Delegates } from './delegates.js'
import type { ExtraSync } from './extraSync.js'
import type { ManagerContext } from './options.js'
import { isNewer } from './takeExtra.js'

/** What a provider last said the user did in a conversation. */
interface Settings {
  readonly mute: boolean
  readonly stick: boolean
  /** Up to which message it told that the conversation was deleted, and with which version if it gave one. */
  readonly deletedTo: number
  readonly deletedIn: Version
}

/**
 * Takes in an answer. What it says of messages and counts is evidence; what it says the user did is taken over where it
 * changed since the provider last said so, so that nothing done here is undone by hearing the old state again.
 */
export function mergeAnswer(
  store: Store,
  { conversations, deletes, version }: SyncAnswer & { readonly version: Version },
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
      store.cursors.advance(provider, version)
    })
    // From the last to the first: what is pinned later is put on top.
    for (const conversation of [...taken].reverse()) takeSettings(store, provider, conversation)
    for (const channel of deletes) {
      const { lastMessage } = store.conversation(channel).getSnapshot()
      takeDeletion(store, provider, { channel, lastMsgSeq: lastMessage?.messageSeq ?? 0, version: 0 })
    }
    // One that has no version of its own comes with the extras.
    for (const { extra } of taken) if (extra && extra.version !== 0) extras.take(extra)
  })
}

function takeSettings(store: Store, provider: string, conversation: ListedConversation): void {
  const { channel, mute, stick, deleted, lastMsgSeq, unread } = conversation
  const handle = store.conversation(channel)
  const before = readSettings(store, provider, channel)
  // Listed again without a newer message, or with a count of older ones, a deletion was taken back elsewhere.
  const { hidden, unread: counted } = handle.getSnapshot()
  const isOlder = (hidden && lastMsgSeq <= before.deletedTo) || counted < (unread ?? 0)
  const isRecovered = !deleted && before.deletedTo > 0 && isOlder
  if (isRecovered) handle.restore()
  const next: Settings = {
    ...before,
    mute: mute ?? before.mute,
    stick: stick ?? before.stick,
    ...(isRecovered ? NEVER_DELETED : {}),
  }
  if (next.mute !== before.mute) {
    if (next.mute && !handle.getSnapshot().muted) handle.mute()
    else if (!next.mute) handle.unmute()
  }
  if (next.stick !== before.stick) {
    if (next.stick && !handle.getSnapshot().pinned) handle.pin()
    else if (!next.stick) handle.unpin()
  }
  if (next.mute !== before.mute || next.stick !== before.stick || isRecovered)
    writeSettings(store, provider, channel, next)
  if (deleted) takeDeletion(store, provider, conversation)
}

/** Deletes a conversation that was deleted elsewhere, once: told again it does not undo that the user took it back here. */
function takeDeletion(
  store: Store,
  provider: string,
  { channel, lastMsgSeq, version }: Pick<ListedConversation, 'channel' | 'lastMsgSeq' | 'version'>,
): void {
  const handle = store.conversation(channel)
  const { lastMessage } = handle.getSnapshot()
  const before = readSettings(store, provider, channel)
  // A newer message than the deletion knew brings it back.
  if (!lastMessage || lastMessage.messageSeq > lastMsgSeq) return
  if (lastMsgSeq <= before.deletedTo && !isNewer(version, before.deletedIn)) return
  // What was deleted here and not told yet is this deletion, or a part of it; taken back elsewhere, all of it is.
  if (before.deletedTo === 0) handle.restore()
  // Where it is deleted here already, too: a draft that was written in between shows there no more.
  handle.delete()
  writeSettings(store, provider, channel, { ...before, deletedTo: lastMsgSeq, deletedIn: version })
}

const NEVER_DELETED: Pick<Settings, 'deletedTo' | 'deletedIn'> = { deletedTo: 0, deletedIn: 0 }

function readSettings(store: Store, provider: string, channel: Channel): Settings {
  const note = store.conversation(channel).agreed(`${provider}/settings`)
  const { mute, stick, deletedTo, deletedIn } = isFields(note) ? note : {}
  return {
    mute: mute === true,
    stick: stick === true,
    deletedTo: typeof deletedTo === 'number' ? deletedTo : 0,
    deletedIn: readVersion(deletedIn),
  }
}

function writeSettings(store: Store, provider: string, channel: Channel, settings: Settings): void {
  store.conversation(channel).agree(`${provider}/settings`, { ...settings })
}
