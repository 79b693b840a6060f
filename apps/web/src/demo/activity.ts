import type { Channel, Store } from '@parley/core'
import type { ChatServer } from './chat/chatServer.js'

const LINES = [
  'did that fix it?',
  'thanks, works now :)',
  'one more question when you have time',
  'try it with sudo',
  'which version are you on?',
  '{me}: could you have a look?',
  'ok, rebooting',
  'found it – it was the driver',
]

const PAUSE_MS = 3500

/** Lets people write now and then, until the returned function is called. */
export function startActivity(store: Store, server: ChatServer): () => void {
  let turn = 0
  const speak = (): void => {
    const list = store.list({}, { offset: 0, limit: 12 })
    const { conversations } = list.getSnapshot()
    list.close()
    const chosen = conversations[Math.floor(Math.random() * conversations.length)]
    if (!chosen) return
    const { channel, lastMessage } = chosen
    server.post({
      channel,
      fromUid: speakerIn(channel, lastMessage?.fromUid, store.userId),
      timestamp: Date.now(),
      content: (LINES[turn++ % LINES.length] as string).replace('{me}', store.userId),
      knownSeq: lastMessage?.messageSeq ?? 0,
    })
  }
  const timer = setInterval(speak, PAUSE_MS)
  speak()
  return () => clearInterval(timer)
}

function speakerIn(channel: Channel, last: string | undefined, userId: string): string {
  if (channel.channelType === 1) return channel.channelId
  return last && last !== userId ? last : 'ubotu'
}
