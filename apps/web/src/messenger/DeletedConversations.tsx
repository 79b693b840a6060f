import type { Conversation } from '@parley/core'
import { useEffect, useRef, useState } from 'react'
import { deletedConversations } from '../list/deletedConversations.js'
import { digest } from '../list/digest.js'
import { displayName } from '../list/displayName.js'
import { formatRowTime } from '../time/formatTime.js'
import { useNow } from '../time/useNow.js'
import { Dialog } from './Dialog.js'
import { useMessenger } from './messengerContext.js'

/** As many as are shown at first, and with each press of the button. */
const SHOWN = 100

/** Shows the deleted conversations and restores them, whenever they were deleted. */
export function DeletedConversations({ onClose }: { readonly onClose: () => void }) {
  const { session, actions } = useMessenger()
  const { store } = session.client
  const dialog = useRef<HTMLDialogElement>(null)
  const [deleted, setDeleted] = useState(() => deletedConversations(store))
  const [shown, setShown] = useState(SHOWN)
  const now = useNow()
  useEffect(() => store.onTouch(() => setDeleted(deletedConversations(store))), [store])

  const restore = ({ channel }: Conversation): void => {
    const handle = store.conversation(channel)
    handle.restore()
    actions.done(`${displayName(channel)} restored`, handle.delete)
    // The button that was pressed goes away.
    dialog.current?.focus()
  }

  return (
    <Dialog dialogRef={dialog} labelledBy="deleted-conversations" onClose={onClose}>
      <h2 id="deleted-conversations">Deleted conversations</h2>
      {deleted.length === 0 && <p className="dialog__text">No conversation is deleted.</p>}
      <ul className="dialog__list">
        {deleted.slice(0, shown).map((conversation) => (
          <li key={conversation.key}>
            <div>
              <p className="dialog__name">{displayName(conversation.channel)}</p>
              <p className="dialog__text">
                {formatRowTime(conversation.activeAt, now)} · {digest(conversation, store.userId).text}
              </p>
            </div>
            <button
              type="button"
              className="button button--small"
              aria-label={`Restore ${displayName(conversation.channel)}`}
              onClick={() => restore(conversation)}
            >
              Restore
            </button>
          </li>
        ))}
      </ul>
      {deleted.length > shown && (
        <button type="button" className="button button--small" onClick={() => setShown(shown + SHOWN)}>
          Show more
        </button>
      )}
      <p className="dialog__buttons">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </p>
    </Dialog>
  )
}
