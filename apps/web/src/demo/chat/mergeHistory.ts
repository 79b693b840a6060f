import type { SampleLine } from '../sample/sampleFormat.js'
import type { ChatMessage } from './chatMessage.js'

/** Puts the messages of three sources in order, each once: the sample, the chat server, the head of the conversation. */
export function mergeHistory(
  lines: readonly SampleLine[],
  posted: readonly ChatMessage[],
  newest: ChatMessage | null,
): readonly ChatMessage[] {
  const bySeq = new Map<number, ChatMessage>()
  for (const [messageSeq, fromUid, seconds, content] of lines) {
    bySeq.set(messageSeq, { messageSeq, fromUid, timestamp: seconds * 1000, content })
  }
  for (const message of posted) bySeq.set(message.messageSeq, message)
  if (newest && !bySeq.has(newest.messageSeq)) bySeq.set(newest.messageSeq, newest)
  return [...bySeq.values()].sort((a, b) => a.messageSeq - b.messageSeq)
}
