import type { Conversation } from '@parley/core'
import { contentOf } from '../demo/chat/chatMessage.js'
import { isGroup } from './displayName.js'

/** The second line of a row. */
export interface Digest {
  readonly kind: 'draft' | 'sending' | 'message' | 'none'
  /** What stands before the text: who said it, or "Draft". */
  readonly label: string
  readonly text: string
}

/** As much as any screen shows in one line. */
const MAX_LENGTH = 160

/** Says in one line what matters most about a conversation: a draft, a message on its way, or the last message. */
export function digest({ channel, drafts, lastMessage }: Conversation, userId: string): Digest {
  const draft = [drafts.composer, ...drafts.others, ...drafts.recovered].find(
    (known) => known && known.text.trim() !== '',
  )
  if (draft) return { kind: 'draft', label: 'Draft', text: oneLine(draft.text) }
  const sending = drafts.sending.at(-1)
  if (sending) return { kind: 'sending', label: 'You', text: oneLine(sending.text) }
  if (!lastMessage) return { kind: 'none', label: '', text: 'No messages yet' }
  const own = lastMessage.fromUid === userId
  const label = own ? 'You' : isGroup(channel) ? lastMessage.fromUid : ''
  const text = lastMessage.removed ? 'Message deleted' : oneLine(contentOf(lastMessage.payload))
  return { kind: 'message', label, text: text || 'Attachment' }
}

/** Text without line breaks and the spaces around it, cut to what a row can show. */
export function oneLine(text: string): string {
  const line = text
    .slice(0, MAX_LENGTH * 4)
    .replace(/\s+/gu, ' ')
    .trim()
  const letters = [...line]
  return letters.length > MAX_LENGTH ? `${letters.slice(0, MAX_LENGTH).join('')}…` : line
}
