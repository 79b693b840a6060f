import type { Channel } from '@parley/core'
import type { Random } from '@parley/core/testing'
import type { Envelope } from '../../src/gateway/wireMessages.js'

/** An IM server: it numbers messages, edits and recalls them, and brings each until it is taken. */
export interface MessageServer {
  /** Some messages: new ones, editions of earlier ones, and some again. */
  next: () => Envelope[]
  /** All that ever was. */
  all: () => Envelope[]
}

export const CHANNELS: readonly Channel[] = [
  { channelId: 'ubuntu', channelType: 2 },
  { channelId: 'debian', channelType: 2 },
  { channelId: 'a:b|c', channelType: 2 },
]

const SECONDS = 1_704_067_200

/** Creates a {@link MessageServer} whose messages go to these users. */
export function createMessageServer(users: readonly string[], random: Random): MessageServer {
  const sent: Envelope[] = []
  const seqs = new Map<Channel, number>()
  let editions = 0

  const write = (channel: Channel, seq: number, more: object): Envelope => ({
    message: {
      header: { red_dot: random.chance(0.8) ? 1 : 0 },
      message_idstr: `${channel.channelId}-${seq}`,
      message_seq: seq,
      from_uid: random.chance(0.15) ? users[0] : 'bob',
      channel_id: channel.channelId,
      channel_type: channel.channelType,
      timestamp: SECONDS + seq,
      payload: { type: 1, content: `message ${seq}`, ...(random.chance(0.1) ? { mention: { all: 1 } } : {}) },
      ...more,
    },
    field: 'messages[0]',
    channel,
    recipients: random.chance(0.7) ? users : [random.pick(users)],
  })
  const sendNew = (): Envelope => {
    const channel = random.pick(CHANNELS)
    const seq = (seqs.get(channel) ?? 0) + 1
    seqs.set(channel, seq)
    return write(channel, seq, {})
  }
  const sendEdition = (original: Envelope): Envelope => {
    const message = original.message as { message_seq: number; payload: object }
    const extra_version = ++editions
    const more = random.chance(0.3)
      ? { extra_version, revoke: 1 }
      : { extra_version, payload: { ...message.payload, content: `edited ${extra_version}` } }
    return { ...original, message: { ...message, ...more } }
  }
  const one = (): Envelope => {
    const known = sent.length > 0 ? random.pick(sent) : null
    if (!known || random.chance(0.7)) return sendNew()
    return random.chance(0.6) ? sendEdition(known) : known
  }

  return {
    next() {
      const count = random.chance(0.95) ? 1 + random.int(3) : 20 + random.int(300)
      const batch = Array.from({ length: count }, one)
      sent.push(...batch)
      return batch
    },
    all: () => sent,
  }
}
