import type { ChatMessage } from '../demo/chat/chatMessage.js'
import { isSameDay } from '../time/formatTime.js'

/** A line of a conversation as it is shown. */
export type MessageItem =
  | { readonly type: 'day'; readonly key: string; readonly timestamp: number }
  | { readonly type: 'new'; readonly key: string }
  | { readonly type: 'gap'; readonly key: string; readonly count: number }
  | {
      readonly type: 'message'
      readonly key: string
      readonly message: ChatMessage
      /** True where the one before is by somebody else or long ago: the name is shown. */
      readonly first: boolean
      /** True where the next one is by somebody else or much later: the time is shown. */
      readonly last: boolean
    }

/** Messages further apart than this do not belong together. */
const GROUP_MS = 5 * 60_000

/** Puts days, the line above new messages and notes about missing ones between messages, and groups those of one speaker. */
export function arrangeMessages(
  messages: readonly ChatMessage[],
  newAfter: number,
  userId: string,
): MessageItem[] {
  const items: MessageItem[] = []
  let marked = false
  for (const [place, message] of messages.entries()) {
    const [before, after] = [messages[place - 1], messages[place + 1]]
    const { messageSeq, timestamp, fromUid } = message
    const newDay = !before || !isSameDay(before.timestamp, timestamp)
    if (before && messageSeq > before.messageSeq + 1) {
      items.push({ type: 'gap', key: `gap-${messageSeq}`, count: messageSeq - before.messageSeq - 1 })
    }
    if (newDay) items.push({ type: 'day', key: `day-${messageSeq}`, timestamp })
    const isNew = !marked && messageSeq > newAfter && fromUid !== userId
    if (isNew) {
      marked = true
      items.push({ type: 'new', key: 'new' })
    }
    items.push({
      type: 'message',
      key: String(messageSeq),
      message,
      first: newDay || isNew || !before || !belongs(before, message),
      last: !after || !belongs(message, after) || !isSameDay(timestamp, after.timestamp),
    })
  }
  return items
}

function belongs(a: ChatMessage, b: ChatMessage): boolean {
  return a.fromUid === b.fromUid && b.timestamp - a.timestamp < GROUP_MS && b.messageSeq === a.messageSeq + 1
}
