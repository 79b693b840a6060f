import { type ChannelKey, parseChannelKey } from '@parley/core'
import { ParleyProvider } from '@parley/react'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { ConversationPane } from '../conversation/ConversationPane.js'
import { Sidebar } from '../list/Sidebar.js'
import type { Session } from '../session/session.js'
import { ToastList } from '../toast/ToastList.js'
import { createToasts } from '../toast/toasts.js'
import { MessengerContext, type MessengerState } from './messengerContext.js'
import './messenger.css'

/** The properties of a {@link Messenger}. */
export interface MessengerProps {
  readonly session: Session
  readonly selected: ChannelKey | null
  readonly onSelect: (key: ChannelKey | null) => void
  readonly header: ReactNode
  readonly footer?: ReactNode
}

/** A whole chat app for one session: two panes where there is room, one where there is not. */
export function Messenger({ session, selected, onSelect, header, footer }: MessengerProps) {
  const [toasts] = useState(createToasts)
  const messenger = useMemo<MessengerState>(
    () => ({ session, toasts, selected, select: onSelect }),
    [session, toasts, selected, onSelect],
  )
  // What was offered to be undone and was not is done before the page goes.
  useEffect(() => {
    addEventListener('pagehide', toasts.close)
    return () => {
      removeEventListener('pagehide', toasts.close)
      toasts.close()
    }
  }, [toasts])

  return (
    <ParleyProvider client={session.client}>
      <MessengerContext.Provider value={messenger}>
        <div className="messenger">
          <div className="messenger__panes" data-open={selected !== null}>
            <Sidebar header={header} footer={footer} />
            {selected === null ? (
              <div className="messenger__nothing">
                <p>Choose a conversation, or begin a new one.</p>
              </div>
            ) : (
              <ConversationPane key={selected} channel={parseChannelKey(selected)} />
            )}
          </div>
          <ToastList toasts={toasts} />
        </div>
      </MessengerContext.Provider>
    </ParleyProvider>
  )
}
