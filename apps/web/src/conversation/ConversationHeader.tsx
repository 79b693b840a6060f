import type { Conversation } from '@parley/core'
import { useState } from 'react'
import { displayName, isGroup } from '../list/displayName.js'
import { rowActions } from '../list/rowActions.js'
import { useMessenger } from '../messenger/messengerContext.js'
import { StatusLine } from '../status/StatusLine.js'
import { Avatar } from '../ui/Avatar.js'
import { IconButton } from '../ui/IconButton.js'
import { Menu, type MenuPlace } from '../ui/Menu.js'

/** Who this is with, the way back, and what can be done with it. */
export function ConversationHeader({ conversation }: { readonly conversation: Conversation }) {
  const messenger = useMessenger()
  const [menu, setMenu] = useState<MenuPlace | null>(null)
  const { channel, muted, pinned } = conversation
  const notes = [isGroup(channel) ? 'Group' : 'Direct messages', pinned && 'pinned', muted && 'muted'].filter(
    Boolean,
  )
  return (
    <header className="conversation__header">
      <IconButton
        icon="arrowLeft"
        label="Back to the list"
        className="only-narrow"
        onClick={() => messenger.select(null)}
      />
      <Avatar name={channel.channelId} group={isGroup(channel)} size={40} />
      <div className="conversation__title">
        <h2>{displayName(channel)}</h2>
        <p className="only-wide">{notes.join(' · ')}</p>
        <div className="only-narrow">
          <StatusLine />
        </div>
      </div>
      <IconButton
        icon="more"
        label="More actions"
        aria-haspopup="menu"
        onClick={({ currentTarget }) => {
          const { right, bottom } = currentTarget.getBoundingClientRect()
          setMenu({ x: right - 230, y: bottom + 4 })
        }}
      />
      {menu && (
        <Menu
          place={menu}
          label="Actions"
          items={rowActions(conversation, messenger).map(({ key: _, ...action }) => action)}
          onClose={() => setMenu(null)}
        />
      )}
    </header>
  )
}
