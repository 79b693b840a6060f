import type { Channel, Conversation } from '@parley/core'
import { useConversation, useStatus } from '@parley/react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Composer } from '../composer/Composer.js'
import type { ChatMessage } from '../demo/chat/chatMessage.js'
import { useHistory } from '../demo/chat/useHistory.js'
import { isTyping } from '../focus/typing.js'
import { displayName } from '../list/displayName.js'
import { useMessenger } from '../messenger/messengerContext.js'
import { ToastList } from '../toast/ToastList.js'
import { ConversationHeader } from './ConversationHeader.js'
import { MessageList } from './MessageList.js'
import './conversation.css'

/** One open conversation. Give it the channel as its key: another channel is another pane. */
export function ConversationPane(props: { readonly channel: Channel }) {
  const { session, toasts } = useMessenger()
  const { store } = session.client
  // The same object each time.
  const { channel } = store.conversation(props.channel)
  const conversation = useConversation(channel)
  // Where new messages began when this was opened; reading does not move the line. Not before the conversation is loaded.
  const isReady = useStatus()?.ready ?? true
  const [newAfter, setNewAfter] = useState<number | null>(null)
  if (isReady && newAfter === null) setNewAfter(newestRead(conversation))
  const history = useHistory(channel, session.server, { withSample: session.withSample, from: newAfter })
  const newestSeq = conversation.lastMessage?.messageSeq ?? 0
  const field = useRef<HTMLTextAreaElement>(null)

  const markRead = useCallback(
    (seq: number) => {
      const handle = store.conversation(channel)
      const { unread, markedUnread, readSeq } = handle.getSnapshot()
      if (unread > 0 && (seq > readSeq || (markedUnread && seq >= newestSeq))) handle.markRead(seq)
    },
    [store, channel, newestSeq],
  )

  useEffect(() => {
    // Where there is a keyboard anyway; on a phone it would cover half of what was opened. Not in the middle of a sentence,
    // which belongs to the conversation before: the browser's back button opens another one, too.
    if (matchMedia('(pointer: fine)').matches && !isTyping()) field.current?.focus()
  }, [])

  const reply = useCallback(
    ({ messageSeq, fromUid, content }: ChatMessage) => {
      store.conversation(channel).draft.setReply({ messageSeq, fromUid, content: content.slice(0, 200) })
      field.current?.focus()
    },
    [store, channel],
  )

  return (
    <section className="conversation" aria-label={`Conversation: ${displayName(channel)}`}>
      <ConversationHeader conversation={conversation} />
      <MessageList
        channel={channel}
        history={history}
        sending={conversation.drafts.sending}
        userId={store.userId}
        unread={conversation.unread}
        readSeq={Math.max(newAfter ?? 0, conversation.readSeq)}
        newestSeq={newestSeq}
        newAfter={newAfter}
        onRead={markRead}
        onReply={reply}
      />
      <ToastList toasts={toasts} />
      <Composer channel={channel} fieldRef={field} />
    </section>
  )
}

/**
 * The number of the newest message that does not count as unread. A provider tells a count, and no position: the unread
 * messages then are the newest ones.
 */
function newestRead({ readSeq, unread, lastMessage }: Conversation): number {
  const newest = lastMessage?.messageSeq ?? 0
  return unread === 0 ? newest : Math.max(readSeq, newest - unread)
}
