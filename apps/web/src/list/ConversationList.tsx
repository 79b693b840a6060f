import { type Conversation, type ListFilter, parseChannelKey } from '@parley/core'
import { useConversations } from '@parley/react'
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useId, useRef, useState } from 'react'
import { useMessenger } from '../messenger/messengerContext.js'
import { useNow } from '../time/useNow.js'
import { Menu, type MenuPlace } from '../ui/Menu.js'
import { ConversationRow } from './ConversationRow.js'
import './list.css'
import { displayName } from './displayName.js'
import { listKey } from './listKey.js'
import { rowActions } from './rowActions.js'
import { useRowWindow } from './useRowWindow.js'

/** The height of a row in `rem`, so that it grows with the text. */
const ROW_REM = 4.5

/** The properties of a {@link ConversationList}. */
export interface ConversationListProps {
  readonly filter: ListFilter
  /** Shown where the filter lets nothing through. */
  readonly empty: ReactNode
  /** Brings the focus to the search field. */
  readonly onSearch: () => void
}

/** The conversations, as a list box that renders only the rows in sight. */
export function ConversationList({ filter, empty, onSearch }: ConversationListProps) {
  const messenger = useMessenger()
  const { session, selected, select, toasts } = messenger
  const { store } = session.client
  const scroller = useRef<HTMLDivElement>(null)
  const [rowHeight] = useState(
    () => ROW_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
  )
  const window = useRowWindow(scroller, rowHeight)
  const { conversations, offset, total } = useConversations(filter, window)
  const [active, setActive] = useState<{ index: number; key: string | null }>({ index: 0, key: null })
  const [menu, setMenu] = useState<(MenuPlace & { conversation: Conversation }) | null>(null)
  const now = useNow()
  const id = useId()

  // By key while it is in sight, so that a list that moves takes the mark along; else by place, so that deleting goes on below.
  const inSight = conversations.findIndex(({ key }) => key === active.key)
  const activeIndex = inSight >= 0 ? offset + inSight : Math.max(0, Math.min(active.index, total - 1))
  const at = (index: number): Conversation | undefined => conversations[index - offset]

  const open = useCallback(
    (conversation: Conversation) => {
      setActive((known) => ({ ...known, key: conversation.key }))
      select(conversation.key)
    },
    [select],
  )
  const openMenu = useCallback(
    (conversation: Conversation, x: number, y: number) => setMenu({ conversation, x, y }),
    [],
  )
  const moveTo = (index: number): void => {
    const next = Math.max(0, Math.min(index, total - 1))
    setActive({ index: next, key: at(next)?.key ?? null })
    const element = scroller.current
    if (!element) return
    const [top, bottom] = [next * rowHeight, (next + 1) * rowHeight]
    if (top < element.scrollTop) element.scrollTop = top
    else if (bottom > element.scrollTop + element.clientHeight)
      element.scrollTop = bottom - element.clientHeight
  }
  const menuAtActive = (conversation: Conversation): void => {
    const box = document.getElementById(`${id}-${conversation.key}`)?.getBoundingClientRect()
    if (box) openMenu(conversation, box.left + box.width / 3, box.top + box.height / 2)
  }

  // Who leaves a conversation goes on in the list; whoever put the focus elsewhere stays there.
  const wasOpen = useRef(selected !== null)
  useEffect(() => {
    const isLeft = wasOpen.current && selected === null
    wasOpen.current = selected !== null
    if (isLeft && document.activeElement === document.body) scroller.current?.focus({ preventScroll: true })
  }, [selected])

  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1)
    const command = listKey(event, { index: activeIndex, page, total })
    if (!command) return
    event.preventDefault()
    const conversation = at(activeIndex)
    if (command.type === 'move') moveTo(command.index)
    else if (command.type === 'search') onSearch()
    else if (command.type === 'undo') toasts.undo()
    else if (!conversation) return
    else if (command.type === 'open') open(conversation)
    else if (command.type === 'menu') menuAtActive(conversation)
    else if (command.type === 'act') {
      const actions = rowActions(conversation, messenger)
      actions.find(({ id: known }) => known === command.action)?.run()
    }
  }

  const activeRow = at(activeIndex)
  return (
    <div className="conversation-list__frame">
      <div
        ref={scroller}
        className="conversation-list"
        role="listbox"
        aria-label="Conversations"
        aria-activedescendant={activeRow && `${id}-${activeRow.key}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        style={{ '--row-height': `${rowHeight}px` } as React.CSSProperties}
      >
        <div role="presentation" style={{ height: total * rowHeight, position: 'relative' }}>
          {conversations.map((conversation, place) => (
            <ConversationRow
              key={conversation.key}
              id={`${id}-${conversation.key}`}
              conversation={conversation}
              userId={store.userId}
              now={now}
              top={(offset + place) * rowHeight}
              position={offset + place + 1}
              total={total}
              selected={conversation.key === selected}
              active={offset + place === activeIndex}
              onOpen={open}
              onMenu={openMenu}
            />
          ))}
        </div>
      </div>
      {total === 0 && <div className="conversation-list__empty">{empty}</div>}
      {menu && (
        <Menu
          place={menu}
          label={`Actions for ${displayName(parseChannelKey(menu.conversation.key))}`}
          // What it was when the menu opened may have changed on another device since.
          items={rowActions(store.conversation(menu.conversation.channel).getSnapshot(), messenger)}
          onClose={() => setMenu(null)}
        />
      )}
    </div>
  )
}
