import { useEffect, useState } from 'react'
import { startActivity } from '../demo/activity.js'
import { makeConversations } from '../demo/makeConversations.js'
import type { Session } from '../session/session.js'
import { IconButton } from '../ui/IconButton.js'
import { DocumentFacts } from './DocumentFacts.js'

/** The properties of an {@link Inspector}. */
export interface InspectorProps {
  readonly session: Session
  readonly onClose: () => void
}

const MANY = 5000

/** What is inside, and switches to try things with. */
export function Inspector({ session, onClose }: InspectorProps) {
  const { client, server, chat } = session
  const [busy, setBusy] = useState(false)
  useEffect(() => (busy ? startActivity(client.store, server) : undefined), [busy, client, server])

  return (
    <aside className="inspector" aria-label="Inspector">
      <header>
        <h2>Inspector</h2>
        <IconButton icon="close" label="Close the inspector" onClick={onClose} />
      </header>
      <DocumentFacts session={session} />
      <div className="inspector__actions">
        <label>
          <input type="checkbox" checked={busy} onChange={({ target }) => setBusy(target.checked)} />
          Let people write to me
        </label>
        <button
          type="button"
          className="button button--small"
          onClick={() => makeConversations(client.store, MANY)}
        >
          Add {MANY.toLocaleString()} made-up conversations
        </button>
        <button type="button" className="button button--small" onClick={chat.failNext}>
          Let the next message fail
        </button>
      </div>
    </aside>
  )
}
