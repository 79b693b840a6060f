import type { Conversation } from '@parley/core'
import { memo, useRef } from 'react'
import { formatRowTime } from '../time/formatTime.js'
import { Avatar } from '../ui/Avatar.js'
import { Icon } from '../ui/icons.js'
import { digest } from './digest.js'
import { displayName, isGroup } from './displayName.js'
import './row.css'

/** The properties of a {@link ConversationRow}. Functions have to stay the same for `memo` to help. */
export interface ConversationRowProps {
  readonly conversation: Conversation
  readonly userId: string
  readonly now: number
  readonly id: string
  readonly top: number
  readonly position: number
  readonly total: number
  readonly selected: boolean
  /** The row that keys act on. */
  readonly active: boolean
  readonly onMenu: (conversation: Conversation, x: number, y: number) => void
}

/** How long a finger rests before the menu opens; iOS has no `contextmenu` event. */
const LONG_PRESS_MS = 500

/** One conversation of the list. The list handles its clicks and keys. */
export const ConversationRow = memo(function ConversationRow(props: ConversationRowProps) {
  const { conversation, userId, now, id, top, position, total, selected, active, onMenu } = props
  const { channel, unread, mentions, muted, pinned, activeAt } = conversation
  const name = displayName(channel)
  const { kind, label, text } = digest(conversation, userId)
  const time = formatRowTime(activeAt, now)
  const press = useRef<ReturnType<typeof setTimeout>>(undefined)

  const spoken = [
    name,
    unread > 0 && `${unread} unread`,
    mentions > 0 && `${mentions} mention you`,
    pinned && 'pinned',
    muted && 'muted',
    label ? `${label}: ${text}` : text,
    time,
  ].filter(Boolean)

  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus and handles the keys for all its rows
    <div
      id={id}
      role="option"
      aria-selected={selected}
      aria-label={spoken.join(', ')}
      aria-posinset={position}
      aria-setsize={total}
      className={`row ${active ? 'row--active' : ''} ${unread > 0 ? 'row--unread' : ''} ${muted ? 'row--muted' : ''}`}
      style={{ transform: `translateY(${top}px)` }}
      data-key={conversation.key}
      onPointerDown={({ pointerType, clientX, clientY }) => {
        if (pointerType !== 'touch') return
        press.current = setTimeout(() => onMenu(conversation, clientX, clientY), LONG_PRESS_MS)
      }}
      onPointerUp={() => clearTimeout(press.current)}
      onPointerCancel={() => clearTimeout(press.current)}
    >
      <Avatar name={channel.channelId} group={isGroup(channel)} />
      <div className="row__main">
        <div className="row__line">
          <span className="row__name">{name}</span>
          {muted && <Icon name="bellOff" size={14} />}
          <span className="row__time">{time}</span>
        </div>
        <div className="row__line">
          <span className="row__digest">
            {kind === 'sending' && <Icon name="clock" size={13} />}
            {label && <span className={kind === 'draft' ? 'row__draft' : 'row__who'}>{label}: </span>}
            {text}
          </span>
          {pinned && unread === 0 && <Icon name="pin" size={14} />}
          {mentions > 0 && (
            <span className="badge badge--mention">
              <Icon name="at" size={13} />
            </span>
          )}
          {unread > 0 && (
            <span className={muted ? 'badge badge--quiet' : 'badge'}>{unread > 999 ? '999+' : unread}</span>
          )}
        </div>
      </div>
      <button type="button" className="row__more" aria-hidden="true" tabIndex={-1}>
        <Icon name="down" size={18} />
      </button>
    </div>
  )
})
