import { type Channel, channelKey, type PendingSend } from '@parley/core'
import { memo, useEffect, useMemo, useRef } from 'react'
import type { ChatMessage } from '../demo/chat/chatMessage.js'
import type { History } from '../demo/chat/useHistory.js'
import { isGroup } from '../list/displayName.js'
import { formatDay } from '../time/formatTime.js'
import { useNow } from '../time/useNow.js'
import { arrangeMessages, type MessageItem } from './arrangeMessages.js'
import { MessageBubble } from './MessageBubble.js'
import './messages.css'
import { PendingBubble } from './PendingBubble.js'

/** The properties of a {@link MessageList}. */
export interface MessageListProps {
  readonly channel: Channel
  readonly history: History
  readonly sending: readonly PendingSend[]
  readonly userId: string
  /** Messages after this number are new. */
  readonly newAfter: number
  readonly onReply: (message: ChatMessage) => void
}

/** What was said, the newest at the bottom, with what is on its way below it. */
export function MessageList({ channel, history, sending, userId, newAfter, onReply }: MessageListProps) {
  const { messages, hasOlder, loading, loadOlder } = history
  const scroller = useRef<HTMLDivElement>(null)
  const items = useMemo(() => arrangeMessages(messages, newAfter, userId), [messages, newAfter, userId])
  const key = channelKey(channel)
  const newestOwn = sending.length
  // What one sends oneself is always brought into sight.
  useEffect(() => {
    if (newestOwn > 0) scroller.current?.scrollTo({ top: 0 })
  }, [newestOwn])

  return (
    // The column is reversed, so that it rests at its end and older messages that load above do not move what is read.
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
  )
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
