import { type Channel, createStore, type Store, type StoreOptions } from '@parley/core'
import {
  type ConversationDelegate,
  type ConversationManager,
  createConversationManager,
  createReminderManager,
  type ManagerOptions,
  type ReminderManager,
} from '../../src/index.js'

export const u1: Channel = { channelId: 'u1', channelType: 1 }
export const u9: Channel = { channelId: 'u9', channelType: 1 }
export const g1: Channel = { channelId: 'g1', channelType: 2 }

/** An app with a store, managers, a delegate that writes down what it hears, and a clock moved by hand. */
export interface App {
  readonly store: Store
  readonly manager: ConversationManager
  readonly reminders: ReminderManager
  /** What delegates and providers heard, in order. */
  readonly heard: unknown[]
  readonly errors: unknown[]
  /** Lets everything happen that is under way, and then what is due within some milliseconds. */
  pass: (ms?: number) => Promise<void>
  unread: (channel: Channel) => number
}

/** Starts an {@link App}. */
export function startApp(options: ManagerOptions & Pick<StoreOptions, 'doc'> = {}): App {
  const errors: unknown[] = []
  const heard: unknown[] = []
  let now = 1_700_000_000_000
  let tasks: Array<{ at: number; run: () => void }> = []
  const environment = {
    now: () => now,
    reportError: (error: unknown) => void errors.push(error),
    schedule(run: () => void, delayMs: number) {
      const task = { at: now + delayMs, run }
      tasks.push(task)
      return () => {
        tasks = tasks.filter((other) => other !== task)
      }
    },
  }
  const { doc, ...managerOptions } = options
  const store = createStore({ userId: 'me', environment, ...(doc ? { doc } : {}) })
  const reminders = createReminderManager(store, { environment })
  const manager = createConversationManager(store, { environment, reminders, ...managerOptions })
  const delegate: ConversationDelegate = {
    onConversationUpdate: (conversations) =>
      heard.push(['update', ...conversations.map(({ channel }) => channel.channelId)]),
    onConversationUnreadCountUpdate: ({ channelId }, count) => heard.push(['unread', channelId, count]),
    onConversationDelete: ({ channelId }) => heard.push(['delete', channelId]),
    onConversationAllDelete: () => heard.push(['all deleted']),
  }
  manager.addDelegate(delegate)
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  }
  return {
    store,
    manager,
    reminders,
    heard,
    errors,
    async pass(ms = 0) {
      await settle()
      const until = now + ms
      for (;;) {
        const next = tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        tasks = tasks.filter((other) => other !== next)
        now = Math.max(now, next.at)
        next.run()
        await settle()
      }
      now = until
    },
    unread: (channel) => store.conversation(channel).getSnapshot().unread,
  }
}

/** A message as a server sends it. */
export function wireMessage(channel: Channel, seq: number, more: object = {}): object {
  return {
    header: { no_persist: 0, red_dot: 1, sync_once: 0 },
    message_idstr: `${channel.channelId}${seq}`,
    client_msg_no: `c-${channel.channelId}-${seq}`,
    message_seq: seq,
    from_uid: channel.channelType === 1 ? channel.channelId : 'peer',
    channel_id: channel.channelId,
    channel_type: channel.channelType,
    timestamp: 1000 + seq,
    payload: { type: 1, content: `message ${seq}` },
    ...more,
  }
}

/** A conversation as a server lists it, with its newest message. */
export function wireConversation(channel: Channel, seq: number, more: object = {}): object {
  return {
    channel_id: channel.channelId,
    channel_type: channel.channelType,
    unread: 0,
    timestamp: 1000 + seq,
    last_msg_seq: seq,
    last_client_msg_no: `c-${channel.channelId}-${seq}`,
    version: seq,
    recents: [wireMessage(channel, seq)],
    ...more,
  }
}
