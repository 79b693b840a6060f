import type { Channel } from '@parley/core'
import { useConversation } from '@parley/react'
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
  const history = useHistory(channel, session.server, session.withSample)
  // Where new messages began when this was opened; reading does not move the line.
  const [readSeq] = useState(() =>
    conversation.unread > 0 ? conversation.readSeq : Number.POSITIVE_INFINITY,
  )
  const newestSeq = conversation.lastMessage?.messageSeq ?? 0
  const field = useRef<HTMLTextAreaElement>(null)

  useEffect(() => {
    const handle = store.conversation(channel)
    const read = (): void => {
      if (document.visibilityState === 'visible' && handle.getSnapshot().unread > 0) handle.markRead()
    }
    if (newestSeq > 0) read()
    document.addEventListener('visibilitychange', read)
    return () => document.removeEventListener('visibilitychange', read)
  }, [store, channel, newestSeq])

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
        newAfter={readSeq}
        onReply={reply}
      />
      <ToastList toasts={toasts} />
      <Composer channel={channel} fieldRef={field} />
    </section>
  )
}
