import { type ChannelKey, parseChannelKey } from '@parley/core'
import { ParleyProvider } from '@parley/react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { createDismissals } from '../composer/dismissals.js'
import { ConversationPane } from '../conversation/ConversationPane.js'
import { Sidebar } from '../list/Sidebar.js'
import type { Session } from '../session/session.js'
import { ToastAnnouncer } from '../toast/ToastList.js'
import { createToasts } from '../toast/toasts.js'
import { createActionLog } from '../undo/actionLog.js'
import { MessengerContext, type MessengerState } from './messengerContext.js'
import './messenger.css'
import { useMessengerKeys } from './useMessengerKeys.js'

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
  const root = useRef<HTMLDivElement>(null)
  const [{ toasts, actions, rejected, dismissals }] = useState(() => {
    const shown = createToasts()
    return {
      toasts: shown,
      actions: createActionLog(shown),
      rejected: new Map<ChannelKey, readonly string[]>(),
      dismissals: createDismissals(),
    }
  })
  const messenger = useMemo<MessengerState>(
    () => ({ session, toasts, actions, rejected, dismissals, selected, select: onSelect }),
    [session, toasts, actions, rejected, dismissals, selected, onSelect],
  )
  useMessengerKeys(root, messenger)
  useEffect(() => toasts.close, [toasts])
  // What was dismissed and not brought back is deleted before the page goes.
  useEffect(() => {
    addEventListener('pagehide', dismissals.close)
    return () => removeEventListener('pagehide', dismissals.close)
  }, [dismissals])

  return (
    <ParleyProvider client={session.client}>
      <MessengerContext.Provider value={messenger}>
        <div className="messenger" ref={root}>
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
          <ToastAnnouncer toasts={toasts} />
        </div>
      </MessengerContext.Provider>
    </ParleyProvider>
  )
}
