import type { Channel } from '../conversation/channel.js'
import type { ConversationHandle } from '../conversation/conversationHandle.js'
import type { Message } from '../conversation/message.js'
import type { Draft, Submission } from '../drafts/draft.js'
import { charactersOf } from './truth.js'
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
    run(world, device, conversation) {
      const draft = fieldOf(world, conversation)
      const before = draft.getSnapshot().composer?.text ?? ''
      const index = world.random.int(before.length + 1)
      const insert = Array.from({ length: 1 + world.random.int(3) }, () => world.nextCharacter()).join('')
      const typeDirectly = (): void => {
        const text = draft.text()
        text.insert(world.random.int(text.length + 1), insert, world.random.chance(0.3) ? { bold: true } : {})
      }
      const type = world.random.pick([
        () => draft.set(before.slice(0, index) + insert + before.slice(index)),
        () => draft.edit({ index, remove: 0, insert }),
        typeDirectly,
        () => device.store.transact(typeDirectly),
      ])
      note(world, device, insert, type)
      checkListed(conversation)
    },
  },
  embed: {
    weight: 0.7,
    run(world, device, conversation) {
      const character = world.nextCharacter()
      const text = (): ReturnType<Draft['text']> => draft.text()
      const draft = fieldOf(world, conversation)
      note(world, device, character, () =>
        text().insertEmbed(world.random.int(text().length + 1), { character }),
      )
      checkListed(conversation)
    },
  },
  format: {
    weight: 0.5,
    run(world, device, conversation) {
      const draft = fieldOf(world, conversation)
      if (!draft.getSnapshot().composer) return
      const text = draft.text()
      const from = world.random.int(text.length + 1)
      world.act(device, () =>
        text.format(from, world.random.int(text.length - from + 1), {
          italic: world.random.pick([true, null]),
        }),
      )
    },
  },
  attach: {
    weight: 1,
    run(world, device, conversation) {
      const character = world.nextCharacter()
      const draft = fieldOf(world, conversation)
      if (world.random.chance(0.5))
        note(world, device, character, () => draft.setAttachment(character, { character }))
      else note(world, device, character, () => draft.setMention(character, 1))
      checkListed(conversation)
    },
  },
  detach: {
    weight: 0.4,
    run(world, device, conversation) {
      const draft = fieldOf(world, conversation)
      const { attachments = {}, mentions = {} } = draft.getSnapshot().composer ?? {}
      const ids = [...Object.keys(attachments), ...Object.keys(mentions)]
      if (ids.length === 0) return
      const id = world.random.pick(ids)
      world.act(device, () =>
        id in attachments ? draft.setAttachment(id, null) : draft.setMention(id, null),
      )
      const typed = world.truth.typed.get(id)
      if (typed) typed.deleted = true
    },
  },
  reply: {
    weight: 0.7,
    run(world, device, conversation) {
      const character = world.nextCharacter()
      const draft = fieldOf(world, conversation)
      for (const before of charactersOf({ reply: draft.getSnapshot().composer?.reply ?? null })) {
        const typed = world.truth.typed.get(before)
        if (typed) typed.deleted = true
      }
      const written = world.act(device, () => draft.setReply({ character }))
      const replyOf = draft.getSnapshot().composer?.draftId ?? ''
      if (written) world.truth.typed.set(character, { ...written, deleted: false, replyOf })
      checkListed(conversation)
    },
  },
  backspace: {
    weight: 1,
    run(world, device, conversation) {
      const draft = fieldOf(world, conversation)
      const before = draft.getSnapshot().composer?.text ?? ''
      if (before === '') return
      const index = world.random.int(before.length)
      world.act(device, () => {
        if (world.random.chance(0.5)) draft.edit({ index, remove: 1, insert: '' })
        else draft.set(before.slice(0, index) + before.slice(index + 1))
      })
      const typed = world.truth.typed.get(before[index] as string)
      if (typed) typed.deleted = true
    },
  },
  leave: {
    weight: 2,
    run: (world, device, conversation) => void world.act(device, () => fieldOf(world, conversation).leave()),
  },
  create: {
    weight: 0.3,
    run(world, device, conversation) {
      world.act(device, () => conversation.create())
      checkListed(conversation)
    },
  },
  send: {
    weight: 1.5,
    run: (world, device, conversation) => send(world, device, fieldOf(world, conversation)),
  },
  sendTogether: {
    weight: 0.5,
    run(world, _device, { channel, draft }) {
      // Before either hears of the other.
      const id = draft.getSnapshot().composer?.draftId
      const others = world.devices.filter(
        ({ store }) =>
          id !== undefined && store.conversation(channel).draft.getSnapshot().composer?.draftId === id,
      )
      for (const other of others) send(world, other, other.store.conversation(channel).draft)
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
  ownMessage: {
    weight: 0.7,
    run(world, device, { channel }) {
      const pending = world.truth.sends.filter(({ detail, lost }) => detail.outcome === 'pending' && !lost)
      if (pending.length === 0) return
      const { detail } = world.random.pick(pending)
      const place = placeOf(world, channel)
      const seq = (world.lastSeqs[place] ?? 0) + 1
      world.lastSeqs[place] = seq
      world.ownMessages.set(`${place}:${seq}`, detail.submissionId)
      // It may come before the draft it was made of, and to other devices first.
      const written = world.act(device, () => device.store.receive(messageAt(world, channel, seq)))
      for (const send of world.truth.sends) {
        if (send.detail.submissionId !== detail.submissionId || send.detail.outcome !== 'pending') continue
        send.detail.outcome = 'acknowledged'
        send.detail.reported = written
      }
    },
  },
  clear: {
    weight: 0.7,
    run(world, device, conversation) {
      const draft = fieldOf(world, conversation)
      const { composer } = draft.getSnapshot()
      const written = world.act(device, () => draft.clear())
      if (!written || !composer) return
      world.truth.clears.push({
        ...written,
        detail: { draftId: composer.draftId, text: charactersOf(composer) },
      })
    },
  },
  choose: {
    weight: 0.5,
    run(world, device, conversation) {
      const draft = fieldOf(world, conversation)
      const { others } = draft.getSnapshot()
      if (others.length > 0) world.act(device, () => draft.choose(world.random.pick(others).draftId))
    },
  },
  setAside: {
    weight: 0.3,
    run(world, device, conversation) {
      const draft = fieldOf(world, conversation)
      const { composer } = draft.getSnapshot()
      if (composer) world.act(device, () => draft.setAside(composer.draftId))
    },
  },
  import: {
    weight: 0.3,
    run(world, device, conversation) {
      // Each device that imports it imports the same.
      const draftId = `imported-${world.random.int(3)}`
      const draft = fieldOf(world, conversation)
      world.act(device, () => {
        draft.import({
          draftId,
          text: 'imported',
          delta: [{ insert: 'imported', attributes: { bold: true } }],
          reply: 1,
        })
      })
    },
  },
  restoreOrDismiss: {
    weight: 0.7,
    run(world, device, conversation) {
      const draft = fieldOf(world, conversation)
      const { recovered } = draft.getSnapshot()
      if (recovered.length === 0) return
      const one = world.random.pick(recovered)
      if (world.random.chance(0.5)) {
        world.act(device, () => draft.restore(one.draftId))
        return
      }
      const written = world.act(device, () => draft.dismiss(one.draftId))
      const detail = { draftId: one.draftId, text: charactersOf(one) }
      if (written) world.truth.clears.push({ ...written, detail })
    },
  },
  throwing: {
    weight: 1,
    run(world, device, conversation) {
      const { store } = device
      const draft = fieldOf(world, conversation)
      const text = world.nextCharacter()
      const possible: ReadonlyArray<() => void> = [
        () => draft.set(text),
        () => draft.text().insert(0, text),
        () => draft.text().delete(0, world.random.int(draft.text().length + 1)),
        () => void draft.send(),
        () => draft.clear(),
        () => draft.leave(),
        () => draft.setAttachment(text, 1),
        () => conversation.delete(),
        () => conversation.markRead(),
      ]
      const before = everythingShown(device)
      const chosen = Array.from({ length: 1 + world.random.int(4) }, () => world.random.pick(possible))
      const failure = new Error('The app failed')
      world.act(device, () => {
        try {
          store.transact(() => {
            for (const act of chosen) act()
            throw failure
          })
        } catch (error) {
          if (error !== failure) throw error
        }
      })
      if (everythingShown(device) !== before) throw new Error('A transaction that threw was not rolled back')
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

/** One of the fields of a conversation: its composer, or now and then the edit of a message. */
function fieldOf(world: World, conversation: ConversationHandle): Draft {
  return world.random.chance(0.8) ? conversation.draft : conversation.edit(1 + world.random.int(2))
}

/** Does what adds characters to a draft, and notes them. */
function note(world: World, device: Device, characters: string, act: () => void): void {
  const written = world.act(device, act)
  if (!written) throw new Error('Typing wrote nothing')
  for (const character of characters) world.truth.typed.set(character, { ...written, deleted: false })
}

function checkListed(conversation: ConversationHandle): void {
  if (conversation.getSnapshot().hidden) throw new Error('What the user works on is not listed')
}

function send(world: World, device: Device, draft: Draft): void {
  let submission: Submission | null = null
  const draftId = draft.getSnapshot().composer?.draftId ?? ''
  const written = world.act(device, () => {
    submission = draft.send()
  })
  const sent = submission as Submission | null
  if (!written || !sent) return
  if (draft.getSnapshot().composer !== null) throw new Error('A draft jumped into the composer after sending')
  if (draft.send() !== null) throw new Error('Pressing Enter twice sent twice')
  world.truth.sends.push({
    ...written,
    detail: {
      submissionId: sent.submissionId,
      draftId,
      text: charactersOf(sent),
      outcome: 'pending',
      reported: null,
    },
  })
}

/** What a device shows, but for mutes that time ended since it was last derived. */
function everythingShown({ store }: Device): string {
  const { conversations } = store.list({ archived: 'any' }).getSnapshot()
  const listed = conversations.map(({ key, unread, activeAt, drafts }) => [key, unread, activeAt, drafts])
  return JSON.stringify([store.export(), listed, store.drafts.getSnapshot()])
}

function placeOf(world: World, channel: Channel): number {
  return world.channels.findIndex(({ channelId }) => channelId === channel.channelId)
}

/** The message with a number: the same for whoever asks, as a server has it. */
export function messageAt(world: World, channel: Channel, messageSeq: number): Message {
  const clientMsgNo = world.ownMessages.get(`${placeOf(world, channel)}:${messageSeq}`)
  const kind = (messageSeq * 7 + channel.channelType + world.options.seed) % 10
  return {
    channel,
    messageSeq,
    fromUid: kind === 0 || clientMsgNo !== undefined ? USER_ID : 'bob',
    ...(clientMsgNo !== undefined && { clientMsgNo }),
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
