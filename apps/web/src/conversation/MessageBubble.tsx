import { memo } from 'react'
import type { ChatMessage } from '../demo/chat/chatMessage.js'
import { formatClock } from '../time/formatTime.js'
import { Avatar } from '../ui/Avatar.js'
import { hueOf } from '../ui/avatar.js'
import { IconButton } from '../ui/IconButton.js'
import { RichText } from './RichText.js'

/** The properties of a {@link MessageBubble}. */
export interface MessageBubbleProps {
  readonly message: ChatMessage
  readonly own: boolean
  readonly showName: boolean
  readonly first: boolean
  readonly last: boolean
  readonly onReply: (message: ChatMessage) => void
}

/** One message. */
export const MessageBubble = memo(function MessageBubble(props: MessageBubbleProps) {
  const { message, own, showName, first, last, onReply } = props
  const { fromUid, content, timestamp, reply } = message
  const shape = `bubble ${own ? 'bubble--own' : ''} ${first ? 'bubble--first' : ''} ${last ? 'bubble--last' : ''}`
  return (
    <article
      className={shape}
      data-seq={message.messageSeq}
      aria-label={`${own ? 'You' : fromUid}, ${formatClock(timestamp)}`}
    >
      {!own && <div className="bubble__avatar">{last && <Avatar name={fromUid} size={32} />}</div>}
      <div className="bubble__body">
        {showName && !own && (
          <p className="bubble__name" style={{ '--hue': hueOf(fromUid) } as React.CSSProperties}>
            {fromUid}
          </p>
        )}
        {reply && (
          <blockquote className="quote">
            <cite>{reply.fromUid}</cite>
            <p>{reply.content}</p>
          </blockquote>
        )}
        <p className="bubble__text">
          <RichText text={content} />
          <time className="bubble__time" dateTime={new Date(timestamp).toISOString()}>
            {formatClock(timestamp)}
          </time>
        </p>
      </div>
      <IconButton icon="reply" label="Reply" className="bubble__reply" onClick={() => onReply(message)} />
    </article>
  )
})
