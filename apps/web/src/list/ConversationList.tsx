import { type ChannelKey, type Conversation, type ListFilter, parseChannelKey } from '@parley/core'
import { useConversations } from '@parley/react'
import {
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { endTyping, isTyping, TYPING_PAUSE_MS } from '../focus/typing.js'
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
  const { session, selected, select } = messenger
  const { store } = session.client
  const scroller = useRef<HTMLDivElement>(null)
  const [rowHeight] = useState(
    () => ROW_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
  )
  const window = useRowWindow(scroller, rowHeight)
  const { conversations, offset, total } = useConversations(filter, window)
  const [active, setActive] = useState<{ index: number; key: string | null }>({ index: 0, key: null })
  /** The row that the pointer went down on. By the time it goes up the row may be elsewhere, for leaving a draft sorts the list. */
  const press = useRef<Press | null>(null)
  /** True while the active row changes by what the user does here. */
  const isOurMove = useRef(true)
  const filterShown = useRef(filter)
  const movedAt = useRef(Number.NEGATIVE_INFINITY)
  const [menu, setMenu] = useState<(MenuPlace & { conversation: Conversation }) | null>(null)
  const now = useNow()
  const id = useId()

  // By key while it is in sight, so that a list that moves takes the mark along; else by place, so that deleting goes on below.
  const inSight = conversations.findIndex(({ key }) => key === active.key)
  const activeIndex = inSight >= 0 ? offset + inSight : Math.max(0, Math.min(active.index, total - 1))
  const at = (index: number): Conversation | undefined => conversations[index - offset]
  const activeRow = at(activeIndex)

  // The mark is always on a conversation that the user can see it on. Where another one gets under it without the user's
  // doing, as when another device archives the first, keys wait until the user has had time to see that.
  const activeKey = activeRow?.key ?? null
  useLayoutEffect(() => {
    const isOurs = isOurMove.current || filterShown.current !== filter || active.key === null
    filterShown.current = filter
    if (activeKey === null || (active.key === activeKey && active.index === activeIndex)) return
    // Before the list ever had the focus its first row is marked, whichever that is.
    if (active.key === null && document.activeElement !== scroller.current) return
    if (active.key !== activeKey && !isOurs) movedAt.current = performance.now()
    setActive({ index: activeIndex, key: activeKey })
  }, [activeKey, activeIndex, active, filter])
  // What the user did is in the list by the end of the same frame.
  const ourMove = (): void => {
    isOurMove.current = true
    requestAnimationFrame(() => {
      isOurMove.current = false
    })
  }
  useEffect(() => {
    isOurMove.current = false
  }, [])

  const open = (key: ChannelKey): void => {
    ourMove()
    setActive((known) => ({ ...known, key }))
    select(key)
  }
  const openMenu = useCallback((conversation: Conversation, x: number, y: number) => {
    // A finger that rests on a row opens the menu; the click that follows opens nothing.
    press.current = null
    setMenu({ conversation, x, y })
  }, [])
  const moveTo = (index: number): void => {
    ourMove()
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
    const typing = isTyping() || performance.now() - movedAt.current < TYPING_PAUSE_MS
    const command = listKey(event, { index: activeIndex, page, total, typing })
    if (!command) return
    event.preventDefault()
    const conversation = at(activeIndex)
    if (command.type === 'move') moveTo(command.index)
    else if (command.type === 'search') onSearch()
    else if (!conversation) return
    else if (command.type === 'open') open(conversation.key)
    else if (command.type === 'menu') menuAtActive(conversation)
    else if (command.type === 'act') {
      ourMove()
      const actions = rowActions(conversation, messenger)
      actions.find(({ id: known }) => known === command.action)?.run()
    }
  }

  const conversationOf = (key: ChannelKey): Conversation =>
    store.conversation(parseChannelKey(key)).getSnapshot()
  const onPointerDown = ({ target, clientX, clientY }: PointerEvent): void => {
    press.current = readPress(target, clientX, clientY)
  }
  const activate = ({ key, more }: Press, x: number, y: number): void => {
    endTyping()
    if (more) openMenu(conversationOf(key), x, y)
    else open(key)
  }
  // A row that was sorted to another place while a button was down gets no click.
  const onPointerUp = ({ pointerType, button, clientX, clientY }: PointerEvent): void => {
    const pressed = press.current
    if (pointerType !== 'mouse' || button !== 0 || !pressed) return
    press.current = null
    if (!isDragged(pressed, clientX, clientY)) activate(pressed, clientX, clientY)
  }
  const onClick = ({ target, clientX, clientY, detail }: MouseEvent): void => {
    // A click without a pointer is an assistive technology's.
    const pressed = detail === 0 ? readPress(target, clientX, clientY) : press.current
    press.current = null
    if (pressed) activate(pressed, clientX, clientY)
  }
  const onContextMenu = (event: MouseEvent): void => {
    const { target, clientX, clientY } = event
    const pressed = press.current ?? readPress(target, clientX, clientY)
    if (!pressed) return
    event.preventDefault()
    openMenu(conversationOf(pressed.key), clientX, clientY)
  }

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
        onFocus={() =>
          setActive((known) => (known.key === null ? { index: activeIndex, key: activeKey } : known))
        }
        onPointerDownCapture={onPointerDown}
        onPointerUp={onPointerUp}
        onClick={onClick}
        onContextMenu={onContextMenu}
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

/** Where the pointer went down. */
interface Press {
  readonly key: ChannelKey
  /** True on the button that shows the menu. */
  readonly more: boolean
  readonly x: number
  readonly y: number
}

/** A pointer that moved further than this many pixels between down and up was not meant as a click. */
const CLICK_SLOP_PX = 24

function readPress(target: EventTarget, x: number, y: number): Press | null {
  if (!(target instanceof Element)) return null
  const key = target.closest<HTMLElement>('[data-key]')?.dataset.key as ChannelKey | undefined
  return key === undefined ? null : { key, more: target.closest('.row__more') !== null, x, y }
}

function isDragged({ x, y }: Press, clientX: number, clientY: number): boolean {
  return Math.hypot(clientX - x, clientY - y) > CLICK_SLOP_PX
}
