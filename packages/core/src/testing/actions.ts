import type { Channel } from '../conversation/channel.js'
import type { ConversationHandle } from '../conversation/conversationHandle.js'
import type { Message } from '../conversation/message.js'
import type { Device, World } from './world.js'
import { USER_ID } from './world.js'

/** Something a user, a server or time does in a history. */
export type Action = (world: World, device: Device, conversation: ConversationHandle) => void

/** The actions of a history, each with its weight: how often it is drawn. Add to them to try more. */
export const ACTIONS: Readonly<Record<string, { readonly weight: number; readonly run: Action }>> = {
  message: {
    weight: 4,
    run(world, device, { channel }) {
      const place = placeOf(world, channel)
      const seq = (world.lastSeqs[place] ?? 0) + 1
      world.lastSeqs[place] = seq
      const message = messageAt(world, channel, seq)
      for (const other of world.devices)
        if (other === device || world.random.chance(0.5)) deliver(world, other, [message])
    },
  },
  lateMessages: {
    weight: 1,
    run(world, device, { channel }) {
      const last = world.lastSeqs[placeOf(world, channel)] ?? 0
      if (last === 0) return
      const seqs = Array.from({ length: 1 + world.random.int(4) }, () => 1 + world.random.int(last))
      deliver(
        world,
        device,
        seqs.map((seq) => messageAt(world, channel, seq)),
      )
    },
  },
  editOrRecall: {
    weight: 1,
    run(world, device, { channel }) {
      const last = world.lastSeqs[placeOf(world, channel)] ?? 0
      if (last === 0) return
      const seq = Math.max(1, last - world.random.int(2))
      const version = 1 + world.random.int(3)
      const message = {
        ...messageAt(world, channel, seq),
        payload: `edit ${version}`,
        version,
        removed: version === 3,
      }
      for (const other of world.devices)
        if (other === device || world.random.chance(0.4)) deliver(world, other, [message])
    },
  },
  read: {
    weight: 3,
    run(world, device, conversation) {
      const { readSeq, lastMessage } = conversation.getSnapshot()
      const head = lastMessage?.messageSeq ?? 0
      world.act(device, () =>
        conversation.markRead(readSeq + world.random.int(Math.max(1, head - readSeq + 1))),
      )
      if (conversation.getSnapshot().markedUnread)
        throw new Error('A read left an unread mark that it had seen')
    },
  },
  markUnread: {
    weight: 2,
    run(world, device, conversation) {
      world.act(device, () => conversation.markUnread())
      if (conversation.getSnapshot().unread < 1) throw new Error('A marked conversation has no badge')
    },
  },
  delete: {
    weight: 1,
    run: (world, device, conversation) => void world.act(device, () => conversation.delete()),
  },
  restore: {
    weight: 1,
    run: (world, device, conversation) => void world.act(device, () => conversation.restore()),
  },
  archive: {
    weight: 1,
    run: (world, device, conversation) => void world.act(device, () => conversation.archive()),
  },
  unarchive: {
    weight: 1,
    run: (world, device, conversation) => void world.act(device, () => conversation.unarchive()),
  },
  pin: {
    weight: 1,
    run: (world, device, conversation) =>
      void world.act(device, () => {
        if (world.random.chance(0.3)) conversation.unpin()
        else conversation.pin(world.random.pick(['first', 'last']))
      }),
  },
  mute: {
    weight: 1,
    run: (world, device, conversation) =>
      void world.act(device, () => conversation.mute(world.now + world.random.int(100_000))),
  },
  attribute: {
    weight: 1,
    run: (world, device, conversation) =>
      void world.act(device, () =>
        conversation.setAttribute(world.random.pick(['theme', 'note']), world.random.int(9)),
      ),
  },
  position: {
    weight: 1,
    run: (world, device, conversation) =>
      void world.act(device, () => {
        const seq = world.random.int(20)
        conversation.keepPosition({ messageSeq: seq, offsetY: -seq })
        conversation.browseTo(seq)
      }),
  },
  join: {
    weight: 0.2,
    run: (world, device, conversation) =>
      void world.act(device, () => conversation.setJoinSeq(world.random.int(5))),
  },
  provide: {
    weight: 1,
    run(world, device, { channel }) {
      const lastMsgSeq = world.lastSeqs[placeOf(world, channel)] ?? 0
      if (lastMsgSeq === 0) return
      const unread = world.random.int(lastMsgSeq + 1)
      world.act(device, () => device.store.provide([{ channel, lastMsgSeq, version: lastMsgSeq, unread }]))
    },
  },
  reminder: {
    weight: 1,
    run: (world, device, conversation) =>
      void world.act(device, () => {
        const reminderId = String(world.random.int(3))
        if (world.random.chance(0.4)) conversation.completeReminder(reminderId)
        else conversation.setReminder({ reminderId, version: world.random.int(9), data: { text: 'mention' } })
      }),
  },
  type: {
    weight: 5,
    run(world, device, { draft }) {
      const before = draft.getSnapshot().composer?.text ?? ''
      const place = world.random.int(before.length + 1)
      const typed = Array.from({ length: 1 + world.random.int(3) }, () => world.nextCharacter()).join('')
      const written = world.act(device, () => draft.set(before.slice(0, place) + typed + before.slice(place)))
      if (!written) throw new Error('Typing wrote nothing')
      for (const character of typed) world.truth.typed.set(character, { ...written, deleted: false })
    },
  },
  backspace: {
    weight: 1,
    run(world, device, { draft }) {
      const before = draft.getSnapshot().composer?.text ?? ''
      if (before === '') return
      const place = world.random.int(before.length)
      world.act(device, () => draft.set(before.slice(0, place) + before.slice(place + 1)))
      const typed = world.truth.typed.get(before[place] as string)
      if (typed) typed.deleted = true
    },
  },
  decorate: {
    weight: 0.5,
    run: (world, device, { draft }) =>
      void world.act(device, () => {
        if (draft.getSnapshot().composer) draft.setReply({ messageSeq: world.random.int(5) })
      }),
  },
  leave: { weight: 2, run: (world, device, { draft }) => void world.act(device, () => draft.leave()) },
  send: {
    weight: 1.5,
    run(world, device, { draft }) {
      const { text = '', draftId = '' } = draft.getSnapshot().composer ?? {}
      let submissionId = ''
      const written = world.act(device, () => {
        submissionId = draft.send()?.submissionId ?? ''
      })
      const left = draft.getSnapshot().composer
      if (submissionId !== '' && left !== null)
        throw new Error('A draft jumped into the composer after sending')
      if (draft.send() !== null) throw new Error('Pressing Enter twice sent twice')
      if (!written || submissionId === '') return
      world.truth.sends.push({
        ...written,
        detail: { submissionId, draftId, text, outcome: 'pending', reported: null },
      })
    },
  },
  outcome: {
    weight: 1,
    run(world, device) {
      const mine = world.truth.sends.filter(
        ({ device: sender, detail, lost }) => sender === device.name && detail.outcome === 'pending' && !lost,
      )
      if (mine.length === 0) return
      const { detail } = world.random.pick(mine)
      const failed = world.random.chance(0.3)
      // After a crash the sender may have to learn of it from the server first.
      world.syncDown(device)
      // The draft handle of any conversation knows the submissions of all.
      const { draft } = device.store.conversation(world.channels[0] as Channel)
      const written = world.act(device, () =>
        failed ? draft.sendFailed(detail.submissionId) : draft.acknowledged(detail.submissionId),
      )
      detail.outcome = failed ? 'failed' : 'acknowledged'
      detail.reported = written
    },
  },
  clear: {
    weight: 0.7,
    run(world, device, { draft }) {
      const { text = '', draftId = '' } = draft.getSnapshot().composer ?? {}
      const written = world.act(device, () => draft.clear())
      if (written) world.truth.clears.push({ ...written, detail: { draftId, text } })
    },
  },
  choose: {
    weight: 0.5,
    run(world, device, { draft }) {
      const { others } = draft.getSnapshot()
      if (others.length > 0) world.act(device, () => draft.choose(world.random.pick(others).draftId))
    },
  },
  restoreOrDismiss: {
    weight: 0.7,
    run(world, device, { draft }) {
      const { recovered } = draft.getSnapshot()
      if (recovered.length === 0) return
      const { draftId, text } = world.random.pick(recovered)
      if (world.random.chance(0.5)) {
        world.act(device, () => draft.restore(draftId))
        return
      }
      const written = world.act(device, () => draft.dismiss(draftId))
      if (written) world.truth.clears.push({ ...written, detail: { draftId, text } })
    },
  },
  maintain: { weight: 0.5, run: (world, device) => void world.act(device, () => device.store.maintain()) },
  nextDay: {
    weight: 0.05,
    run(world) {
      world.now += 25 * 60 * 60 * 1000
    },
  },
}

function placeOf(world: World, channel: Channel): number {
  return world.channels.findIndex(({ channelId }) => channelId === channel.channelId)
}

/** The message with a number: the same for whoever asks, as a server has it. */
export function messageAt(world: World, channel: Channel, messageSeq: number): Message {
  const kind = (messageSeq * 7 + channel.channelType + world.options.seed) % 10
  return {
    channel,
    messageSeq,
    fromUid: kind === 0 ? USER_ID : 'bob',
    timestamp: 1_600_000_000_000 + messageSeq * 1000,
    payload: { text: `message ${messageSeq}` },
    silent: kind === 1 || kind === 2 || kind === 3,
    mentionsMe: kind === 4,
  }
}

function deliver(world: World, device: Device, messages: readonly Message[]): void {
  const written = world.act(device, () => device.store.receive(messages))
  if (!written) return
  for (const { channel, messageSeq, silent, fromUid } of messages) {
    if (!silent || fromUid === USER_ID) continue
    const key = device.store.conversation(channel).key
    world.truth.silent.push({ ...written, detail: { channel: key, seq: messageSeq } })
  }
}
