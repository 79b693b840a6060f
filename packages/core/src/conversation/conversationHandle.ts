import { MAX_REGISTERS } from '../document/limits.js'
import { createDraft, type Draft } from '../drafts/draft.js'
import { editPlace } from '../drafts/place.js'
import { invalidArgument } from '../errors.js'
import { canonicalJson } from '../json/canonicalJson.js'
import type { Json } from '../json/json.js'
import { parseValue } from '../lattice/entry.js'
import { normalizeVersion } from '../lattice/version.js'
import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import { type Channel, type ChannelKey, channelKey, checkId, parseChannelKey } from './channel.js'
import type { Conversation } from './conversation.js'
import { type ChannelFacts, type Floor, readFloorValue } from './facts.js'
import { checkSeq } from './message.js'
import { pinIndexBetween } from './pinIndex.js'
import { putToldMark } from './providerMark.js'
import { readSeqLeaving } from './unread.js'

/** Mutes until somebody unmutes: the end of JavaScript's time. */
export const MUTE_FOREVER = 8.64e15

/** Where to pin a conversation: first, or next to another pinned one. */
export type PinPlace = { readonly before: Channel } | { readonly after: Channel } | 'first' | 'last'

/** One conversation: what it is now, and all that can be done with it. Actions take effect at once and never fail later. */
export interface ConversationHandle {
  readonly key: ChannelKey
  readonly channel: Channel
  readonly draft: Draft
  /**
   * The field in which one of the user's sent messages is changed: a draft of its own next to the composer's, which syncs, is
   * recovered and fails like it. Begin it with the message's text. What `send` returns names the message in `messageSeq`.
   *
   * @throws ParleyError with code `invalid-argument`
   * @example
   * ```ts
   * import { createStore } from '@parley/core'
   *
   * const edit = createStore({ userId: 'alice' }).conversation({ channelId: 'bob', channelType: 1 }).edit(42)
   * edit.set('At noon, in the park')
   * edit.send()?.messageSeq // 42
   * ```
   */
  edit: (messageSeq: number) => Draft
  /**
   * Lists the conversation while nothing was said in it: a new group, a contact that was chosen. A deletion hides it, and
   * creating it again brings it back.
   */
  create: () => void
  getSnapshot: () => Conversation
  /** Calls `listener` after each change of the snapshot until the returned function is called. */
  subscribe: (listener: () => void) => () => void
  /** Marks as read up to a message, the newest by default. Takes off the unread marks this device has seen. */
  markRead: (upToSeq?: number) => void
  /**
   * Reads as far as leaves `count` messages unread, the newest ones. Where fewer are unread a mark is put on: a read
   * position never moves back.
   *
   * @param options `told` if the app tells its provider of it: the mark then goes when the provider says that all is read
   */
  leaveUnread: (count: number, options?: { readonly told?: boolean }) => void
  /** Puts an unread mark on, which stays until somebody who has seen it reads the conversation. */
  markUnread: () => void
  /** Pins, or moves a pin. */
  pin: (place?: PinPlace) => void
  unpin: () => void
  /** Turns notifications off until a time in milliseconds since 1970; {@link MUTE_FOREVER} by default. */
  mute: (until?: number) => void
  unmute: () => void
  /** Archives; a newer message brings it back. */
  archive: () => void
  unarchive: () => void
  /**
   * Deletes; a newer message, or a draft that is typed on, brings it back. Drafts are not touched: they are in the composer
   * when it returns, and in `store.drafts`.
   */
  delete: () => void
  /** Takes the last deletion back, as far as this device knows of it. */
  restore: () => void
  /** Saves where the user was. `null` forgets it. */
  keepPosition: (position: { readonly messageSeq: number; readonly offsetY: number } | null) => void
  /** Notes up to where the user has looked; it only moves forward. */
  browseTo: (seq: number) => void
  /** Notes with which message the user joined: what was before is read. */
  setJoinSeq: (seq: number) => void
  /** Sets one of the app's own attributes; `null` takes it off. Each merges by itself. */
  setAttribute: (name: string, value: Json) => void
  /**
   * What this user's devices and a provider last agreed on, as {@link ConversationHandle.agree} noted it; `null` if nothing.
   */
  agreed: (provider: string) => Json
  /**
   * Notes what a provider last told or was told about this conversation, in whatever shape: the common ancestor from which
   * a later difference shows whose change it is. All devices of the user share the note.
   */
  agree: (provider: string, value: Json) => void
  /** Adds a reminder or brings it up to date. One that is done stays done; opening again needs a new id. */
  setReminder: (reminder: ReminderInput) => void
  /** Marks a reminder as done, on all devices. */
  completeReminder: (reminderId: string) => void
}

/** A reminder as its server gives it. */
export interface ReminderInput {
  readonly reminderId: string
  readonly version: number | string | bigint
  readonly done?: boolean
  readonly data?: Json
}

/** Creates the handle of a channel. */
export function createConversationHandle(core: StoreCore, channel: Channel): ConversationHandle {
  const key = channelKey(channel)
  const { clock, conversations, environment } = core
  const edits = new Map<number, Draft>()
  const facts = (): ChannelFacts => core.facts(key)
  const write = (action: (writer: Writer, facts: ChannelFacts) => void): void =>
    core.transact((writer) => action(writer, facts()))

  const clearMarks = (writer: Writer, { marks }: ChannelFacts): void => {
    for (const { register, stamp, value } of marks) {
      writer.putText(key, register, [...stamp.slice(0, -1), 1], value)
    }
  }
  const mark = (writer: Writer, { headSeq, marks }: ChannelFacts): void => {
    const own = `unreadMark.${clock.instance}`
    if (marks.some(({ register }) => register === own)) return
    writer.put(key, own, [...clock.next(), 0], headSeq)
  }
  const hide = (
    writer: Writer,
    family: 'deleted' | 'archived',
    { headSeq }: ChannelFacts,
    floor: Floor,
  ): void => {
    writer.put(key, `${family}.${clock.instance}`, [...clock.next(), 0], {
      toSeq: headSeq,
      before: floorBefore(floor, headSeq),
    })
  }
  const show = (writer: Writer, { seq, acts }: Floor): void => {
    for (const act of acts) {
      const { toSeq, before } = readFloorValue(act)
      if (toSeq === seq) {
        writer.put(key, act.register, [...act.stamp.slice(0, -1), 1], { toSeq: before, before })
      }
    }
  }
  const setMute = (until: number): void => write((writer) => writer.put(key, 'mute', clock.next(), { until }))

  /** @throws ParleyError if a register would be one more than a conversation may have */
  const checkRoom = (register: string, field: string): void => {
    const registers = core.log.index.registers(key)
    if (registers.size < MAX_REGISTERS || registers.get(register)) return
    invalidArgument(
      field,
      `a name in use: the conversation has ${registers.size} attributes, reminders and the like, and may have ${MAX_REGISTERS}`,
    )
  }

  return {
    key,
    channel: parseChannelKey(key),
    draft: createDraft(core, key),
    edit(messageSeq) {
      checkSeq(messageSeq, 'messageSeq', 1)
      const known = edits.get(messageSeq)
      if (known) return known
      const edit = createDraft(core, editPlace(key, messageSeq))
      edits.set(messageSeq, edit)
      return edit
    },
    create: () => write((writer) => writer.put(key, 'created', clock.next(), environment.now())),
    getSnapshot: () => conversations.get(key),
    subscribe: (listener) => conversations.onConversation(key, listener),
    markRead(upToSeq) {
      if (upToSeq !== undefined) checkSeq(upToSeq, 'upToSeq')
      write((writer, now) => {
        const seq = upToSeq ?? now.headSeq
        if (seq > 0) writer.put(key, 'read', [seq])
        clearMarks(writer, now)
      })
    },
    leaveUnread(count, { told = false } = {}) {
      checkSeq(count, 'count')
      write((writer, now) => {
        const { unread, markedUnread } = conversations.get(key)
        if (count > unread && !told) mark(writer, now)
        else if (count > unread && !markedUnread && now.headSeq > 0) putToldMark(core, writer, key)
        else if (count === 0 || count < unread) {
          const seq = readSeqLeaving(now, count)
          if (seq > 0) writer.put(key, 'read', [seq])
          if (markedUnread) clearMarks(writer, now)
        }
      })
    },
    markUnread: () => write(mark),
    pin(place = 'first') {
      const index = placeIndex(core, key, place)
      write((writer) => writer.put(key, 'pin', clock.next(), index))
    },
    unpin: () =>
      write((writer, { pin }) => {
        if (pin !== null) writer.put(key, 'pin', clock.next(), null)
      }),
    mute(until = MUTE_FOREVER) {
      if (!Number.isFinite(until) || until < 0 || until > MUTE_FOREVER) {
        invalidArgument('until', 'milliseconds since 1970, at most MUTE_FOREVER')
      }
      setMute(Math.floor(until))
    },
    unmute() {
      if (facts().muteUntil > environment.now()) setMute(0)
    },
    archive: () => write((writer, now) => hide(writer, 'archived', now, now.archived)),
    unarchive: () => write((writer, { archived }) => show(writer, archived)),
    delete: () =>
      write((writer, now) => {
        hide(writer, 'deleted', now, now.deleted)
        clearMarks(writer, now)
      }),
    restore: () => write((writer, { deleted }) => show(writer, deleted)),
    keepPosition(position) {
      if (position !== null) {
        checkSeq(position.messageSeq, 'position.messageSeq')
        if (!Number.isFinite(position.offsetY))
          invalidArgument('position.offsetY', 'a finite number of pixels')
      }
      const value = position && { messageSeq: position.messageSeq, offsetY: position.offsetY }
      write((writer) => writer.put(key, 'keep', clock.next(), value))
    },
    browseTo(seq) {
      checkSeq(seq, 'seq')
      write((writer) => writer.put(key, 'browseTo', [seq]))
    },
    setJoinSeq(seq) {
      checkSeq(seq, 'seq')
      write((writer) => writer.put(key, 'join', [seq]))
    },
    setAttribute(name, value) {
      checkId(name, 'name')
      checkRoom(`x.${name}`, 'name')
      const text = canonicalJson(value, 'value')
      write((writer) => writer.putText(key, `x.${name}`, clock.next(), text))
    },
    agreed(provider) {
      const note = core.log.index.get(key, `agreed.${provider}`)
      return note ? ((parseValue(note.value) ?? null) as Json) : null
    },
    agree(provider, value) {
      checkId(provider, 'provider')
      const register = `agreed.${provider}`
      checkRoom(register, 'provider')
      write((writer) => {
        if (core.log.index.get(key, register)?.value === canonicalJson(value, 'value')) return
        writer.put(key, register, clock.next(), value)
      })
    },
    setReminder({ reminderId, version, done = false, data = null }) {
      checkId(reminderId, 'reminder.reminderId')
      checkRoom(`reminder.${reminderId}`, 'reminder.reminderId')
      const stamp = [done ? 1 : 0, normalizeVersion(version, 'reminder.version')]
      const text = canonicalJson(data, 'reminder.data')
      write((writer) => writer.putText(key, `reminder.${reminderId}`, stamp, text))
    },
    completeReminder(reminderId) {
      checkId(reminderId, 'reminderId')
      write((writer, { reminders }) => {
        const known = reminders.find(({ register }) => register === `reminder.${reminderId}`)
        if (known?.stamp[0] === 1) return
        writer.putText(key, `reminder.${reminderId}`, [1, known?.stamp[1] ?? 0], known?.value ?? 'null')
      })
    },
  }
}

/**
 * The floor that is left when all acts that hide the message `headSeq` are undone. Lower acts count too: a device has one
 * register for its acts, so that hiding more, or hiding again what another device hid, replaces its own lower act.
 */
function floorBefore({ acts, undone }: Floor, headSeq: number): number {
  let before = -1
  for (const act of acts) {
    const value = readFloorValue(act)
    before = Math.max(before, value.toSeq < headSeq ? value.toSeq : value.before)
  }
  for (const left of undone) before = Math.max(before, readFloorValue(left).toSeq)
  return Math.min(before, headSeq)
}

/** The fractional index for a place among the pinned conversations. */
function placeIndex({ conversations, environment }: StoreCore, key: ChannelKey, place: PinPlace): string {
  const pinned = conversations.rows().filter((row) => row.pin !== null && row.key !== key)
  const at = (index: number): string | null => pinned[index]?.pin ?? null
  let position = place === 'last' ? pinned.length : 0
  if (typeof place === 'object') {
    const [neighbour, offset] = 'before' in place ? [place.before, 0] : [place.after, 1]
    const neighbourKey = channelKey(neighbour, 'before' in place ? 'place.before' : 'place.after')
    const found = pinned.findIndex((row) => row.key === neighbourKey)
    if (found < 0)
      invalidArgument('before' in place ? 'place.before' : 'place.after', 'a pinned conversation')
    position = found + offset
  }
  const [before, after] = [at(position - 1), at(position)]
  // Two that were pinned at once may share an index; what is put between them goes behind both.
  if (before !== null && before === after) {
    const next = pinned.find(({ pin }) => pin !== null && pin > before)?.pin ?? null
    return pinIndexBetween(before, next, environment.random)
  }
  return pinIndexBetween(before, after, environment.random)
}
