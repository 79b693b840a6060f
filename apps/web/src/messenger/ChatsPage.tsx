import type { ChannelKey } from '@parley/core'
import { useCallback, useEffect, useState } from 'react'
import { Inspector } from '../inspector/Inspector.js'
import { navigate } from '../routing/route.js'
import type { Session } from '../session/session.js'
import { AccountHeader } from './AccountHeader.js'
import { Messenger } from './Messenger.js'

/** The properties of a {@link ChatsPage}. */
export interface ChatsPageProps {
  readonly session: Session
  readonly selected: ChannelKey | null
}

/** The conversations of whoever uses this browser. */
export function ChatsPage({ session, selected }: ChatsPageProps) {
  const [inspecting, setInspecting] = useState(false)
  const select = useCallback((key: ChannelKey | null) => navigate({ page: 'chats', selected: key }), [])
  const { totals } = session.client.store

  useEffect(() => {
    const show = (): void => {
      const { unread } = totals.getSnapshot()
      document.title = unread > 0 ? `(${unread}) Parley` : 'Parley'
    }
    show()
    const stop = totals.subscribe(show)
    return () => {
      stop()
      document.title = 'Parley'
    }
  }, [totals])

  return (
    <main className="chats-page">
      <Messenger
        session={session}
        selected={selected}
        onSelect={select}
        header={
          <AccountHeader
            session={session}
            onInspect={() => setInspecting((known) => !known)}
            onSelect={select}
          />
        }
      />
      {inspecting && <Inspector session={session} onClose={() => setInspecting(false)} />}
    </main>
  )
}
