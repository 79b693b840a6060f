import { type ChannelKey, channelKey } from '@parley/core'
import { useState, useSyncExternalStore } from 'react'
import type { Session } from '../session/session.js'
import { chooseTheme, nextTheme, type ThemeChoice, themeChoice } from '../theme/theme.js'
import { Avatar } from '../ui/Avatar.js'
import { IconButton } from '../ui/IconButton.js'
import type { IconName } from '../ui/icons.js'
import { Menu, type MenuPlace } from '../ui/Menu.js'
import { DeletedConversations } from './DeletedConversations.js'
import { LeaveDialog } from './LeaveDialog.js'
import { NewConversation } from './NewConversation.js'

/** The properties of an {@link AccountHeader}. */
export interface AccountHeaderProps {
  readonly session: Session
  readonly onInspect: () => void
  readonly onSelect: (key: ChannelKey) => void
}

const THEMES: Record<ThemeChoice, { readonly label: string; readonly icon: IconName }> = {
  system: { label: 'Theme: as the system', icon: 'system' },
  light: { label: 'Theme: light', icon: 'sun' },
  dark: { label: 'Theme: dark', icon: 'moon' },
}

/** Who this is, a new conversation, and everything else behind a menu. */
export function AccountHeader({ session, onInspect, onSelect }: AccountHeaderProps) {
  const { userId } = session.client.store
  const [menu, setMenu] = useState<MenuPlace | null>(null)
  const [leaving, setLeaving] = useState<'keep' | 'delete' | null>(null)
  const [composing, setComposing] = useState(false)
  const [showingDeleted, setShowingDeleted] = useState(false)
  const theme = useSyncExternalStore(themeChoice.subscribe, themeChoice.getSnapshot)

  return (
    <header className="sidebar__header">
      <Avatar name={userId} size={40} />
      <div className="sidebar__title">
        <h1>{userId}</h1>
        <p>{session.deviceName}</p>
      </div>
      <IconButton icon="pencil" label="New conversation" onClick={() => setComposing(true)} />
      <IconButton
        icon="more"
        label="Menu"
        aria-haspopup="menu"
        onClick={({ currentTarget }) => {
          const { right, bottom } = currentTarget.getBoundingClientRect()
          setMenu({ x: right - 240, y: bottom + 4 })
        }}
      />
      {menu && (
        <Menu
          place={menu}
          label="Menu"
          onClose={() => setMenu(null)}
          items={[
            {
              id: 'deleted',
              label: 'Deleted conversations',
              icon: 'trash',
              run: () => setShowingDeleted(true),
            },
            { id: 'theme', ...THEMES[theme], run: () => chooseTheme(nextTheme(theme)) },
            { id: 'devices', label: 'Two devices side by side', icon: 'devices', run: () => go('#/devices') },
            { id: 'inspect', label: 'Inspector', icon: 'inspect', run: onInspect },
            { id: 'about', label: 'About, keys', icon: 'info', run: () => go('#/about') },
            { id: 'leave', label: 'Leave', icon: 'arrowLeft', run: () => setLeaving('keep') },
            {
              id: 'forget',
              label: 'Leave and delete local data',
              icon: 'trash',
              danger: true,
              run: () => setLeaving('delete'),
            },
          ]}
        />
      )}
      {leaving && (
        <LeaveDialog session={session} deletes={leaving === 'delete'} onClose={() => setLeaving(null)} />
      )}
      {showingDeleted && <DeletedConversations onClose={() => setShowingDeleted(false)} />}
      {composing && (
        <NewConversation
          onClose={() => setComposing(false)}
          onCreate={(channel) => {
            setComposing(false)
            onSelect(channelKey(channel))
          }}
        />
      )}
    </header>
  )
}

function go(hash: string): void {
  location.hash = hash
}
