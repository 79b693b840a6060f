import { type Channel, channelKey, type PendingSend } from '@parley/core'
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { ChatMessage } from '../demo/chat/chatMessage.js'
import type { History } from '../demo/chat/useHistory.js'
import { isGroup } from '../list/displayName.js'
import { formatDay } from '../time/formatTime.js'
import { useNow } from '../time/useNow.js'
import { arrangeMessages, type MessageItem } from './arrangeMessages.js'
import { MessageBubble } from './MessageBubble.js'
import './messages.css'
import { PendingBubble } from './PendingBubble.js'
import type { RowsInSight } from './readPosition.js'
import { useReadPosition } from './useReadPosition.js'

/** The properties of a {@link MessageList}. */
export interface MessageListProps {
  readonly channel: Channel
  readonly history: History
  readonly sending: readonly PendingSend[]
  readonly userId: string
  /** How many messages are unread now. */
  readonly unread: number
  /** The number of the newest message that was read by now. */
  readonly readSeq: number
  /** The number of the newest message, which may be one that was recalled and has no row. */
  readonly newestSeq: number
  /** Messages after this number were unread when the conversation was opened; `null` until that is known. */
  readonly newAfter: number | null
  /** Called with the number of the last message that was displayed. */
  readonly onRead: (seq: number) => void
  readonly onReply: (message: ChatMessage) => void
}

/** What was said, the newest at the bottom, with what is on its way below it. */
export function MessageList(props: MessageListProps) {
  const { channel, history, sending, userId, unread, readSeq, newestSeq, newAfter, onRead, onReply } = props
  const { messages, hasOlder, loading, complete, loadOlder } = history
  const scroller = useRef<HTMLDivElement>(null)
  const items = useMemo(
    () => arrangeMessages(messages, newAfter ?? Number.POSITIVE_INFINITY, userId),
    [messages, newAfter, userId],
  )
  const key = channelKey(channel)
  const newestOwn = sending.length
  // What one sends oneself is always brought into sight.
  useEffect(() => {
    if (newestOwn > 0) scroller.current?.scrollTo({ top: 0 })
  }, [newestOwn])

  const isLoaded = complete && newAfter !== null
  const isPlaced = useOpeningPosition(scroller, isLoaded)
  const [unreadAt, setUnreadAt] = useState<'above' | 'below' | null>(null)
  useReadPosition(scroller, {
    messages,
    readSeq,
    complete: isLoaded && isPlaced,
    onRead: (place) =>
      onRead(place === messages.length - 1 ? newestSeq : (messages[place]?.messageSeq ?? newestSeq)),
    onSight: (firstUnread, { first, last }: RowsInSight) =>
      setUnreadAt(firstUnread < first ? 'above' : firstUnread > last ? 'below' : null),
  })
  const goToUnread = useCallback(() => {
    const element = scroller.current
    if (!element) return
    if (unreadAt === 'below') element.scrollTo({ top: 0 })
    else {
      const rows = [...element.querySelectorAll<HTMLElement>('[data-seq]')]
      const row = rows.find(({ dataset }) => Number(dataset.seq) > readSeq)
      if (row) scrollToTop(element, row)
    }
  }, [unreadAt, readSeq])

  return (
    <div className="messages__frame">
      {/* The column is reversed, so that it rests at its end and older messages that load above do not move what is read. */}
      <div ref={scroller} className="messages" data-testid="messages">
        <div className="messages__column">
          {hasOlder && (
            <button
              type="button"
              className="button button--small messages__older"
              disabled={loading}
              onClick={loadOlder}
            >
              {loading ? 'Loading …' : 'Show older messages'}
            </button>
          )}
          {messages.length === 0 && sending.length === 0 && !loading && (
            <p className="messages__empty">No messages yet. Say something!</p>
          )}
          <MessageItems items={items} userId={userId} group={isGroup(channel)} onReply={onReply} />
          {sending.map((pending) => (
            <PendingBubble key={`${key} ${pending.submissionId}`} channel={channel} pending={pending} />
          ))}
        </div>
      </div>
      {unread > 0 && unreadAt !== null && (
        <button
          type="button"
          className={`button button--small messages__unread messages__unread--${unreadAt}`}
          aria-label={`Go to the ${unreadAt === 'above' ? 'first unread' : 'newest'} message, ${unread} unread`}
          onClick={goToUnread}
        >
          {unreadAt === 'above' ? '↑' : '↓'} {unread.toLocaleString()} unread
        </button>
      )}
    </div>
  )
}

/** Room between the top of the view and the line that is scrolled to it, in pixels. */
const LINE_MARGIN_PX = 8
/** Rows that come into sight get their real height, which moves the line: it is placed again for as many frames at most. */
const PLACING_FRAMES = 10

/** Scrolls to where new messages begin, once, when they are loaded. Returns true when that is done. */
function useOpeningPosition(scroller: React.RefObject<HTMLElement | null>, isLoaded: boolean): boolean {
  const [isPlaced, setPlaced] = useState(false)
  useLayoutEffect(() => {
    if (!isLoaded || isPlaced) return
    let frames = 0
    let frame = 0
    const place = (): void => {
      const element = scroller.current
      const line = element?.querySelector<HTMLElement>('.messages__new')
      const moved = element && line ? scrollToTop(element, line) : 0
      if (moved === 0 || ++frames >= PLACING_FRAMES) setPlaced(true)
      else frame = requestAnimationFrame(place)
    }
    place()
    return () => cancelAnimationFrame(frame)
  }, [scroller, isLoaded, isPlaced])
  return isPlaced
}

/** Scrolls until `line` is at the top of the view; returns by how much that moved. */
function scrollToTop(scroller: HTMLElement, line: HTMLElement): number {
  const before = scroller.scrollTop
  const distance = line.getBoundingClientRect().top - scroller.getBoundingClientRect().top
  scroller.scrollTop = before + distance - LINE_MARGIN_PX
  return Math.round(scroller.scrollTop - before)
}

interface MessageItemsProps {
  readonly items: readonly MessageItem[]
  readonly userId: string
  readonly group: boolean
  readonly onReply: (message: ChatMessage) => void
}

/** The settled part: hundreds of rows that typing must not render again. */
const MessageItems = memo(function MessageItems({ items, ...rest }: MessageItemsProps) {
  const now = useNow()
  return items.map((item) => <MessageLine key={item.key} item={item} now={now} {...rest} />)
})

interface MessageLineProps extends Omit<MessageItemsProps, 'items'> {
  readonly item: MessageItem
  readonly now: number
}

function MessageLine({ item, now, userId, group, onReply }: MessageLineProps) {
  if (item.type === 'message') {
    const { message, first, last } = item
    const own = message.fromUid === userId
    return (
      <MessageBubble
        message={message}
        own={own}
        showName={group && first}
        first={first}
        last={last}
        onReply={onReply}
      />
    )
  }
  return (
    <p className={item.type === 'new' ? 'messages__new' : 'messages__day'}>
      <span>
        {item.type === 'day' && formatDay(item.timestamp, now)}
        {item.type === 'new' && 'New messages'}
        {item.type === 'gap' && describeGap(item.count)}
      </span>
    </p>
  )
}

function describeGap(count: number): string {
  return `${count === 1 ? 'One message is' : `${count} messages are`} not on this device, but on the one that sent it`
}
