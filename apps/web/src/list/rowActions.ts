import { type ChannelKey, type Conversation, type Draft, parseChannelKey } from '@parley/core'
import type { MessengerState } from '../messenger/messengerContext.js'
import type { Toasts } from '../toast/toasts.js'
import type { IconName } from '../ui/icons.js'
import { displayName } from './displayName.js'

/** Something that can be done with a conversation, from its menu or by a key. */
export interface RowAction {
  readonly id: 'read' | 'pin' | 'mute' | 'archive' | 'discard' | 'delete'
  readonly label: string
  readonly icon: IconName
  /** The key that does it while the list has the focus, as `KeyboardEvent.key` names it. */
  readonly key?: string
  readonly danger?: boolean
  readonly run: () => void
}

/** What can be done with a conversation as it is now. */
export function rowActions(conversation: Conversation, messenger: MessengerState): readonly RowAction[] {
  const { key, unread, pinned, muted, archived, drafts } = conversation
  const { session, toasts } = messenger
  const handle = session.client.store.conversation(parseChannelKey(key))
  const name = displayName(handle.channel)
  return [
    unread > 0
      ? { id: 'read', label: 'Mark as read', icon: 'mailOpen', key: 'u', run: () => handle.markRead() }
      : {
          id: 'read',
          label: 'Mark as unread',
          icon: 'mailDot',
          key: 'u',
          run: () => {
            // An open conversation is read: it has to be left to stay unread.
            closeIfOpen(key, messenger)
            handle.markUnread()
          },
        },
    pinned
      ? { id: 'pin', label: 'Unpin', icon: 'pin', key: 'p', run: () => handle.unpin() }
      : { id: 'pin', label: 'Pin to top', icon: 'pin', key: 'p', run: () => handle.pin() },
    muted
      ? { id: 'mute', label: 'Unmute', icon: 'bell', key: 'm', run: () => handle.unmute() }
      : { id: 'mute', label: 'Mute', icon: 'bellOff', key: 'm', run: () => handle.mute() },
    archived
      ? {
          id: 'archive',
          label: 'Move out of the archive',
          icon: 'unarchive',
          key: 'e',
          run: () => handle.unarchive(),
        }
      : {
          id: 'archive',
          label: 'Archive',
          icon: 'archive',
          key: 'e',
          run: () => {
            closeIfOpen(key, messenger)
            handle.archive()
            toasts.show(`${name} archived`, () => handle.unarchive())
          },
        },
    ...(drafts.composer ? [discard(handle.draft, drafts.composer.text, toasts)] : []),
    {
      id: 'delete',
      label: 'Delete',
      icon: 'trash',
      key: 'Delete',
      danger: true,
      run: () => {
        closeIfOpen(key, messenger)
        handle.delete()
        toasts.show(`${name} deleted`, () => handle.restore())
      },
    },
  ]
}

function closeIfOpen(key: ChannelKey, { selected, select }: MessengerState): void {
  if (selected === key) select(null)
}

function discard(draft: Draft, text: string, toasts: Toasts): RowAction {
  return {
    id: 'discard',
    label: 'Discard draft',
    icon: 'close',
    run: () => {
      draft.clear()
      toasts.show('Draft discarded', () => draft.set(text))
    },
  }
}
