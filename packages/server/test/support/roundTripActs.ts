import { type Channel, type ConversationHandle, channelKey, MUTE_FOREVER } from '@parley/core'
import type { Random } from '@parley/core/testing'
import { send } from './gateway.js'
import type { Running } from './harness.js'
import { CHANNELS, type HttpDevice, type YjsDevice } from './roundTrip.js'

/** Two devices of a user, a server, and an IM server that brings messages. */
export interface World {
  readonly running: Running
  readonly uid: string
  readonly random: Random
  readonly phone: YjsDevice
  readonly old: HttpDevice
  readonly lastSeqs: Map<Channel, number>
  /** A text that was never typed before. */
  nextText: () => string
}

/** A message as an IM server sends it. The same for whoever asks. */
function wireMessage({ uid }: World, channel: Channel, seq: number, edition = 0): object {
  const kind = (seq * 7 + channel.channelType) % 10
  const other = channel.channelType === 1 ? channel.channelId : 'carol'
  const isOwn = kind === 0
  const to = channel.channelType === 1 && !isOwn ? uid : channel.channelId
  return {
    header: { no_persist: 0, red_dot: kind === 1 || kind === 2 ? 0 : 1, sync_once: 0 },
    message_idstr: `90071992547409${channel.channelType}${1000 + seq}`,
    client_msg_no: `${channel.channelId}-${seq}`,
    message_seq: seq,
    from_uid: isOwn ? uid : other,
    channel_id: to,
    channel_type: channel.channelType,
    timestamp: 1_700_000_000 + seq,
    payload: { type: 1, content: `message ${seq}` },
    ...(edition === 0
      ? {}
      : {
          message_extra: {
            extra_version: edition,
            ...(edition === 3 ? { revoke: 1 } : { content_edit: { type: 1, content: `edition ${edition}` } }),
          },
        }),
  }
}

/** Something a user, a server or the network does. */
export type Act = (world: World, channel: Channel) => Promise<void>

const ingest = ({ running, uid }: World, messages: object[]): Promise<unknown> =>
  send(running, 'POST', '/v1/ingest/messages', { messages, recipients: [uid] })

/** Something happens on the phone, which may be offline. */
const onPhone =
  (act: (world: World, conversation: ConversationHandle) => void): Act =>
  async (world, channel) => {
    act(world, world.phone.store.conversation(channel))
    await world.phone.sync()
  }

const wireOf = ({ channelId, channelType }: Channel) => ({ channel_id: channelId, channel_type: channelType })

const ACTS: Readonly<Record<string, readonly [weight: number, act: Act]>> = {
  message: [
    6,
    async (world, channel) => {
      const seq = (world.lastSeqs.get(channel) ?? 0) + 1
      world.lastSeqs.set(channel, seq)
      const message = wireMessage(world, channel, seq)
      // The old app has a connection to the IM server, and hears of a message by itself.
      if (world.random.chance(0.4)) world.old.manager.receive(message)
      await ingest(world, [message])
    },
  ],
  lateMessages: [
    1,
    async (world, channel) => {
      const last = world.lastSeqs.get(channel) ?? 0
      if (last === 0) return
      const seqs = Array.from({ length: 3 }, () => 1 + world.random.int(last))
      await ingest(
        world,
        seqs.map((seq) => wireMessage(world, channel, seq)),
      )
    },
  ],
  edit: [
    1,
    async (world, channel) => {
      const last = world.lastSeqs.get(channel) ?? 0
      if (last > 0) await ingest(world, [wireMessage(world, channel, last, 1 + world.random.int(3))])
    },
  ],
  phoneReads: [
    3,
    onPhone(({ random }, conversation) => {
      const { lastMessage, readSeq } = conversation.getSnapshot()
      const head = lastMessage?.messageSeq ?? 0
      conversation.markRead(readSeq + random.int(Math.max(1, head - readSeq + 1)))
    }),
  ],
  phoneMarks: [1.5, onPhone((_, conversation) => conversation.markUnread())],
  phoneDeletes: [1, onPhone((_, conversation) => conversation.delete())],
  phoneRecovers: [
    1,
    onPhone((_, conversation) => {
      // What shows again by a newer message was told by that.
      if (conversation.getSnapshot().hidden) conversation.restore()
    }),
  ],
  phoneArchives: [
    0.7,
    onPhone(({ random }, conversation) => {
      if (random.chance(0.5)) return conversation.unarchive()
      // Who is told that it was deleted counts from there.
      conversation.markRead()
      conversation.archive()
    }),
  ],
  phonePins: [
    1,
    onPhone(({ random }, conversation) => (random.chance(0.6) ? conversation.pin() : conversation.unpin())),
  ],
  phoneMutes: [
    1,
    onPhone(({ random }, conversation) =>
      random.chance(0.6) ? conversation.mute(MUTE_FOREVER) : conversation.unmute(),
    ),
  ],
  phoneTypes: [
    2,
    onPhone((world, conversation) => {
      const { draft } = conversation
      // Who is told that it was deleted would see it again by its draft.
      conversation.unarchive()
      const { text = '' } = draft.getSnapshot().composer ?? {}
      draft.set(text + world.nextText())
      draft.leave()
    }),
  ],
  phoneSends: [0.7, onPhone((_, { draft }) => void draft.send())],
  phoneClears: [0.7, onPhone((_, { draft }) => draft.clear())],
  phoneScrolls: [
    1,
    onPhone(({ random }, conversation) => {
      const { lastMessage } = conversation.getSnapshot()
      const seq = random.int(1 + (lastMessage?.messageSeq ?? 0))
      conversation.keepPosition(seq === 0 ? null : { messageSeq: seq, offsetY: -seq })
      conversation.browseTo(seq)
    }),
  ],
  phoneReminder: [
    1,
    onPhone(({ random }, conversation) => {
      // An id is a number there, and one of all channels.
      const reminderId = String(
        CHANNELS.findIndex((one) => channelKey(one) === conversation.key) * 10 + 1 + random.int(3),
      )
      if (random.chance(0.4)) conversation.completeReminder(reminderId)
      else conversation.setReminder({ reminderId, version: random.int(9), data: { reminderType: 1 } })
    }),
  ],
  oldReads: [
    2,
    async ({ old, uid }, channel) => {
      old.manager.clearConversationUnreadCount(channel)
      await old.ask('POST', '/conversations/clearUnread', { uid, ...wireOf(channel) })
    },
  ],
  oldSetsUnread: [
    1,
    async ({ old, uid, random }, channel) => {
      const unread = random.int(4)
      old.manager.setConversationUnreadCount(channel, unread)
      await old.ask('POST', '/conversations/setUnread', { uid, ...wireOf(channel), unread })
    },
  ],
  oldDeletes: [
    1,
    async ({ old }, channel) => {
      old.manager.deleteConversation(channel)
      const path = `/v1/conversations/${encodeURIComponent(channel.channelId)}/${channel.channelType}`
      await old.ask('DELETE', path)
    },
  ],
  oldSavesExtra: [
    2,
    async (world, channel) => {
      const { old, random } = world
      // What is archived on the phone would stay so, and show here by its draft.
      if (old.store.conversation(channel).getSnapshot().hidden) return
      const seq = random.int(1 + (world.lastSeqs.get(channel) ?? 0))
      old.manager.updateOrAddExtra({
        channel,
        ...(random.chance(0.5) ? { browseTo: seq, keepMessageSeq: seq, keepOffsetY: -seq } : {}),
        ...(random.chance(0.7) ? { draft: random.chance(0.25) ? '' : world.nextText() } : {}),
      })
    },
  ],
  oldDoesReminder: [
    0.7,
    async ({ old, random }, channel) => {
      const { reminders } = old.store.conversation(channel).getSnapshot()
      if (reminders.length === 0) return
      await old.reminders.done([random.pick(reminders).reminderId]).catch(() => {})
    },
  ],
  phoneGoesOffline: [
    1,
    async ({ phone }) => {
      phone.online = false
    },
  ],
  phoneSyncs: [
    2,
    async ({ phone }) => {
      phone.online = true
      await phone.sync()
    },
  ],
  oldGoesOffline: [
    1,
    async ({ old }) => {
      old.online = false
    },
  ],
  oldSyncs: [
    4,
    async ({ old }) => {
      old.online = true
      await old.sync()
    },
  ],
}

const WEIGHT = Object.values(ACTS).reduce((sum, [weight]) => sum + weight, 0)

/** Draws one of the acts, by how often each happens. */
export function draw(random: Random): [string, Act] {
  let left = random() * WEIGHT
  for (const [name, [weight, act]] of Object.entries(ACTS)) {
    left -= weight
    if (left < 0) return [name, act]
  }
  return ['message', ACTS.message?.[1] as Act]
}
