import type { Message, Store } from '@parley/core'
import { toPayload } from './chat/chatMessage.js'

const FIRST_NAMES =
  'Amara Anouk Bilal Chiara Dmitri Elif Fatou Goran Hanna Ines Jamal Keiko Lars Mina Noor Oskar Priya Quentin Rosa Sami Tala Uma Viktor Wren Xenia Yusuf Zoë Mateo Leila Tomasz'.split(
    ' ',
  )
const LAST_NAMES =
  'Abara Berg Costa Dahl Eriksen Farouk Grant Haas Ito Jansen Kaya Lopez Moreau Nakamura Okafor Petrov Quinn Rossi Silva Tanaka Ueda Varga Weber Xu Yilmaz Zhang'.split(
    ' ',
  )
const LINES = [
  'See you at eight?',
  'The train is late again.',
  'I sent you the file.',
  'Thanks, that worked!',
  'Can you look at this when you have a minute?',
  'Lunch tomorrow?',
  'Haha, exactly 😄',
  'I will be ten minutes late.',
  'Have a look at the second page.',
  'Happy birthday! 🎉',
]

const MINUTE_MS = 60_000

/** Fills a store with made-up conversations, to see how a long list behaves. The same ones each time. */
export function makeConversations(store: Store, count: number): void {
  // A fixed time, so that making them again, here or on another device, changes nothing.
  const newest = Date.UTC(2026, 0, 1)
  const messages: Message[] = Array.from({ length: count }, (_, place) => {
    const first = FIRST_NAMES[place % FIRST_NAMES.length]
    const last = LAST_NAMES[Math.floor(place / FIRST_NAMES.length) % LAST_NAMES.length]
    const round = Math.floor(place / (FIRST_NAMES.length * LAST_NAMES.length))
    const channelId = `${first} ${last}${round > 0 ? ` ${round + 1}` : ''}`
    return {
      channel: { channelId, channelType: 1 },
      messageSeq: 1 + (place % 5),
      fromUid: channelId,
      timestamp: newest - place * 37 * MINUTE_MS,
      payload: toPayload(LINES[place % LINES.length] as string),
      ...(place % 3 === 0 ? {} : { silent: true }),
    }
  })
  store.receive(messages)
}
