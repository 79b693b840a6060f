import {
  type Channel,
  type ChannelKey,
  type Conversation,
  type ConversationHandle,
  parseChannelKey,
  type Store,
} from '@parley/core'
import type { MessengerState } from '../messenger/messengerContext.js'
import type { IconName } from '../ui/icons.js'
import { displayName } from './displayName.js'
import { bringBackDraft } from './draftUndo.js'

/** Something that can be done with a conversation, from its menu or by a key. Each can be undone. */
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
  const { key, drafts } = conversation
  const { session, actions } = messenger
  const { store } = session.client
  const handle = store.conversation(parseChannelKey(key))
  const name = displayName(handle.channel)
  /** An action that is noted with its inverse. `prepare` looks at the state before the action and returns the inverse. */
  const noted = (done: string, act: () => void, prepare: () => () => void) => () => {
    const undo = prepare()
    act()
    actions.done(`${name} ${done}`, undo)
  }
  return [
    readAction(conversation, handle, noted, messenger),
    pinAction(conversation, handle, noted, store),
    muteAction(conversation, handle, noted),
    archiveAction(conversation, handle, noted, messenger),
    ...(drafts.composer
      ? [
          {
            id: 'discard',
            label: 'Discard draft',
            icon: 'close',
            run: () => {
              const { composer } = handle.draft.getSnapshot()
              if (!composer) return
              handle.draft.clear()
              actions.done(`Draft to ${name} discarded`, () => bringBackDraft(handle.draft, composer))
            },
          } satisfies RowAction,
        ]
      : []),
    {
      id: 'delete',
      label: 'Delete',
      icon: 'trash',
      key: 'Delete',
      danger: true,
      run: noted(
        'deleted',
        () => {
          closeIfOpen(key, messenger)
          handle.delete()
        },
        () => {
          const { markedUnread } = handle.getSnapshot()
          return () => {
            handle.restore()
            if (markedUnread) handle.markUnread()
          }
        },
      ),
    },
  ]
}

type Noted = (done: string, act: () => void, prepare: () => () => void) => () => void

function readAction(
  { key, unread }: Conversation,
  handle: ConversationHandle,
  noted: Noted,
  messenger: MessengerState,
): RowAction {
  const markUnread = (): void => {
    // An open conversation is read as it is looked at: it has to be left to stay unread.
    closeIfOpen(key, messenger)
    handle.markUnread()
  }
  return unread > 0
    ? {
        id: 'read',
        label: 'Mark as read',
        icon: 'mailOpen',
        key: 'u',
        // A read position never moves back: the inverse is the mark that says "unread".
        run: noted(
          'marked as read',
          () => handle.markRead(),
          () => markUnread,
        ),
      }
    : {
        id: 'read',
        label: 'Mark as unread',
        icon: 'mailDot',
        key: 'u',
        run: noted('marked as unread', markUnread, () => {
          // Takes the mark off, and leaves unread what came after it.
          const { readSeq } = handle.getSnapshot()
          return () => handle.markRead(readSeq)
        }),
      }
}

function pinAction(
  { pinned }: Conversation,
  handle: ConversationHandle,
  noted: Noted,
  store: Store,
): RowAction {
  return pinned
    ? {
        id: 'pin',
        label: 'Unpin',
        icon: 'pin',
        key: 'p',
        run: noted('unpinned', handle.unpin, () => {
          const next = pinnedAfter(store, handle.key)
          return () => {
            const isThere = next !== null && store.conversation(next).getSnapshot().pinned
            handle.pin(isThere ? { before: next } : 'last')
          }
        }),
      }
    : {
        id: 'pin',
        label: 'Pin to top',
        icon: 'pin',
        key: 'p',
        run: noted(
          'pinned',
          () => handle.pin(),
          () => handle.unpin,
        ),
      }
}

function muteAction({ muted }: Conversation, handle: ConversationHandle, noted: Noted): RowAction {
  return muted
    ? {
        id: 'mute',
        label: 'Unmute',
        icon: 'bell',
        key: 'm',
        run: noted('unmuted', handle.unmute, () => {
          const { mutedUntil } = handle.getSnapshot()
          return () => handle.mute(mutedUntil)
        }),
      }
    : {
        id: 'mute',
        label: 'Mute',
        icon: 'bellOff',
        key: 'm',
        run: noted(
          'muted',
          () => handle.mute(),
          () => handle.unmute,
        ),
      }
}

function archiveAction(
  { key, archived }: Conversation,
  handle: ConversationHandle,
  noted: Noted,
  messenger: MessengerState,
): RowAction {
  return archived
    ? {
        id: 'archive',
        label: 'Move out of the archive',
        icon: 'unarchive',
        key: 'e',
        run: noted('moved out of the archive', handle.unarchive, () => handle.archive),
      }
    : {
        id: 'archive',
        label: 'Archive',
        icon: 'archive',
        key: 'e',
        run: noted(
          'archived',
          () => {
            closeIfOpen(key, messenger)
            handle.archive()
          },
          () => handle.unarchive,
        ),
      }
}

function closeIfOpen(key: ChannelKey, { selected, select }: MessengerState): void {
  if (selected === key) select(null)
}

/** The pinned conversation below one, `null` if it is the last. */
function pinnedAfter(store: Store, key: ChannelKey): Channel | null {
  const list = store.list({ archived: 'any', match: ({ pinned }) => pinned })
  const { conversations } = list.getSnapshot()
  list.close()
  const place = conversations.findIndex((conversation) => conversation.key === key)
  return place < 0 ? null : (conversations[place + 1]?.channel ?? null)
}
