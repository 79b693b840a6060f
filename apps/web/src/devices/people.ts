import type { Channel } from '@parley/core'
import type { ChatServer } from '../demo/chat/chatServer.js'

const person = (channelId: string): Channel => ({ channelId, channelType: 1 })
const group = (channelId: string): Channel => ({ channelId, channelType: 2 })

const MINUTE_MS = 60_000

/** Who is in the list of a new pair of devices, and what they said, the oldest first. */
const BEGINNING: ReadonlyArray<readonly [Channel, fromUid: string, minutesAgo: number, content: string]> = [
  [person('Tomasz Weber'), 'Tomasz Weber', 3000, 'The invoice is on its way.'],
  [person('Priya Nakamura'), 'Priya Nakamura', 1500, 'Did you find a hotel?'],
  [person('Priya Nakamura'), 'Priya Nakamura', 1498, 'The one by the station is full.'],
  [group('weekend'), 'Oskar', 190, 'Who brings the tent?'],
  [group('weekend'), 'Leila', 185, 'I can. Somebody else the stove, please'],
  [person('Mina Costa'), 'Mina Costa', 42, 'Are you free on Thursday?'],
  [person('Mina Costa'), 'Mina Costa', 41, 'There is a concert at the harbour 🎷'],
]

const LINES = [
  'Any news?',
  'Call me when you can.',
  'I found it, it was in the kitchen all along.',
  'See you there!',
]

/** Lets the first messages be said. */
export function begin(server: ChatServer, now: number): void {
  for (const [channel, fromUid, minutesAgo, content] of BEGINNING) {
    server.post({ channel, fromUid, content, timestamp: now - minutesAgo * MINUTE_MS, knownSeq: 0 })
  }
}

/** Lets one of them say something more. */
export function saySomething(server: ChatServer, turn: number, now: number): void {
  const channels = [person('Mina Costa'), person('Priya Nakamura'), person('Tomasz Weber')]
  const channel = channels[turn % channels.length] as Channel
  const content = LINES[turn % LINES.length] as string
  server.post({ channel, fromUid: channel.channelId, content, timestamp: now, knownSeq: 0 })
}
