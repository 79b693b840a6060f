import { describe, expect, it } from 'vitest'
import type { ChatMessage } from '../demo/chat/chatMessage.js'
import { arrangeMessages } from './arrangeMessages.js'

const NOON = new Date('2026-03-12T12:00:00').getTime()
const say = (messageSeq: number, fromUid: string, minutes: number): ChatMessage => ({
  messageSeq,
  fromUid,
  timestamp: NOON + minutes * 60_000,
  content: `message ${messageSeq}`,
})
const show = (messages: ChatMessage[], newAfter = Number.POSITIVE_INFINITY) =>
  arrangeMessages(messages, newAfter, 'me').map((item) =>
    item.type === 'message'
      ? `${item.first ? '(' : ''}${item.message.messageSeq}${item.last ? ')' : ''}`
      : item.type === 'gap'
        ? `gap ${item.count}`
        : item.type,
  )

describe('arrangeMessages', () => {
  it('groups what one person says within a few minutes', () => {
    expect(show([say(1, 'a', 0), say(2, 'a', 1), say(3, 'b', 2), say(4, 'b', 20)])).toEqual([
      'day',
      '(1',
      '2)',
      '(3)',
      '(4)',
    ])
  })

  it('begins each day anew', () => {
    expect(show([say(1, 'a', 12 * 60 - 1), say(2, 'a', 12 * 60 + 1)])).toEqual(['day', '(1)', 'day', '(2)'])
  })

  it('draws the line above the first new message of somebody else, once', () => {
    expect(show([say(1, 'a', 0), say(2, 'me', 1), say(3, 'a', 2), say(4, 'a', 3)], 1)).toEqual([
      'day',
      '(1)',
      '(2)',
      'new',
      '(3',
      '4)',
    ])
  })

  it('tells how many messages are missing', () => {
    expect(show([say(1, 'a', 0), say(5, 'a', 1)])).toEqual(['day', '(1)', 'gap 3', '(5)'])
  })
})
