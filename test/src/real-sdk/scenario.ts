import { createStore } from '@parley/core'
import { installProviders } from '@parley/wukong'
import * as sdk from 'wukongimjssdk/lib/sdk.js'
import * as Y from 'yjs'
import {
  type ConversationJson,
  type ExtraJson,
  type ReminderJson,
  toConversation,
  toExtra,
  toMessage,
  toReminder,
} from './convert.js'

// An app of the npm package wukongimjssdk, to be bundled and run by Node and by a browser. It returns what it sees, as JSON.

/** What somebody sees who looks at the app's list. */
export interface Look {
  /** `id unread "newest message"`. */
  readonly list: readonly string[]
  readonly total: number
}

/** What an app saw. */
export interface Report {
  readonly looks: Readonly<Record<string, Look>>
  /** What its conversation listener heard: `id action unread`. */
  readonly heard: readonly string[]
  /** In the group, and in the conversation with bob. */
  readonly drafts: readonly string[]
  /** The open ones before and after they were done. */
  readonly reminders: readonly (readonly number[])[]
}

const { conversationManager, reminderManager, chatManager, config } = sdk.WKSDK.shared()

/** As apps sort: what is pinned first, then the newest. */
function score({ timestamp, extra }: sdk.Conversation): number {
  return timestamp + (extra?.top === 1 ? 1_000_000_000_000 : 0)
}

function look(): Look {
  const sorted = [...conversationManager.conversations].sort((a, b) => score(b) - score(a))
  return {
    list: sorted.map(
      ({ channel, unread, lastMessage }) =>
        `${channel.channelID} ${unread} "${lastMessage?.content.conversationDigest}"`,
    ),
    total: conversationManager.getAllUnreadCount(),
  }
}

/** Starts with an SDK that has seen nothing; `stop` takes the listener off. */
function listen(uid: string): { heard: string[]; stop: () => void } {
  const heard: string[] = []
  const listener = ({ channel, unread }: sdk.Conversation, action: sdk.ConversationAction): void => {
    heard.push(`${channel.channelID} ${sdk.ConversationAction[action]} ${unread}`)
  }
  config.uid = uid
  conversationManager.conversations = []
  conversationManager.maxExtraVersion = 0
  reminderManager.reminders = []
  conversationManager.addConversationListener(listener)
  return { heard, stop: () => conversationManager.removeConversationListener(listener) }
}

const find = (id: string, type: number): sdk.Conversation => {
  const found = conversationManager.findConversation(new sdk.Channel(id, type))
  if (!found) throw new Error(`${id} is not in the list`)
  return found
}

/** A message as it arrives by the SDK's connection to an IM server. */
const ARRIVING = {
  header: { red_dot: 1 },
  message_idstr: '9007199254740993003',
  client_msg_no: 'c3',
  message_seq: 3,
  from_uid: 'bob',
  channel_id: 'bob',
  channel_type: 1,
  timestamp: 1_700_000_300,
  payload: { type: 1, content: 'are you there?' },
}

/** What is behind the app's providers. */
interface Backend {
  /** The message that arrived at the SDK comes this way, too. */
  deliver: () => Promise<void>
  /** The user cleared the count of bob's messages in the app. */
  clear: () => Promise<void>
  /** A draft is written into the group. */
  draft: (text: string) => Promise<void>
  /** The conversation with bob is deleted. */
  remove: () => Promise<void>
}

/** Does what a user does in the app. */
async function use(uid: string, backend: Backend): Promise<Report> {
  const looks: Record<string, Look> = {}
  const { heard, stop } = listen(uid)
  await conversationManager.sync()
  looks.first = look()

  // It asks for them after the list, and does not wait.
  await reminderManager.sync()
  const open = (): number[] => find('group', 2).simpleReminders.map(({ reminderID }) => reminderID)
  const before = open()
  await reminderManager.done(before)
  await reminderManager.sync()
  const reminders = [before, open()]

  chatManager.notifyMessageListeners(toMessage(ARRIVING))
  looks.arrived = look()
  await backend.deliver()
  await conversationManager.sync()
  looks.synced = look()

  const bob = find('bob', 1)
  bob.unread = 0
  conversationManager.notifyConversationListeners(bob, sdk.ConversationAction.update)
  await backend.clear()
  await conversationManager.sync()
  looks.cleared = look()

  await backend.draft('on my way')
  await conversationManager.syncExtra()
  const drafts = [find('group', 2), find('bob', 1)].map(({ remoteExtra }) => remoteExtra.draft || '')

  await backend.remove()
  await conversationManager.sync()
  looks.deleted = look()
  stop()
  return { looks, heard, drafts, reminders }
}

/** Runs the app with providers that ask a server by HTTP, in the shape of TangSengDaoDao's or of WuKongIM's own. */
export function runByHttp(url: string, uid: string, shape: 'tsdd' | 'wukongim'): Promise<Report> {
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(url + path, {
      method,
      headers: { token: uid, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    return answer.json()
  }
  const { provider } = config
  provider.syncConversationsCallback = async () => {
    if (shape === 'wukongim') {
      const list = (await ask('POST', '/conversation/sync', { uid, msg_count: 1 })) as ConversationJson[]
      return list.map(toConversation)
    }
    const answer = await ask('POST', '/v1/conversation/sync', { msg_count: 1 })
    return (answer as { conversations: ConversationJson[] }).conversations.map(toConversation)
  }
  provider.syncConversationExtrasCallback = async (version) =>
    ((await ask('POST', '/v1/conversation/extra/sync', { version })) as ExtraJson[]).map(toExtra)
  provider.syncRemindersCallback = async (version) =>
    ((await ask('POST', '/v1/message/reminder/sync', { version, limit: 100 })) as ReminderJson[]).map(
      toReminder,
    )
  provider.reminderDoneCallback = async (ids) => void (await ask('POST', '/v1/message/reminder/done', ids))
  return use(uid, {
    // As WuKongIM's webhook has it, for which the channel of a message to somebody is that person.
    deliver: async () =>
      void (await ask('POST', '/v1/webhook/any?event=msg.notify', [{ ...ARRIVING, channel_id: uid }])),
    async clear() {
      const cleared = { channel_id: 'bob', channel_type: 1, unread: 0 }
      if (shape === 'tsdd') await ask('PUT', '/v1/coversation/clearUnread', cleared)
      else await ask('POST', '/conversations/setUnread', { uid, ...cleared })
    },
    async draft(text) {
      const extra = { browse_to: 0, keep_message_seq: 0, keep_offset_y: 0, draft: text }
      await ask('POST', '/v1/conversations/group/2/extra', extra)
    },
    async remove() {
      await ask('DELETE', '/v1/conversations/bob/1')
      conversationManager.removeConversation(new sdk.Channel('bob', 1))
    },
  })
}

/** Runs the app over a store in the page, which another device of the user shares. */
export async function runInPage(state: readonly number[]): Promise<Report> {
  const here = createStore({ userId: 'me' })
  const phone = createStore({ userId: 'me', deviceName: 'Phone' })
  const meet = (): void => {
    phone.applyUpdate(Y.encodeStateAsUpdate(here.doc))
    here.applyUpdate(Y.encodeStateAsUpdate(phone.doc))
  }
  const bob = phone.conversation({ channelId: 'bob', channelType: 1 })
  const group = phone.conversation({ channelId: 'group', channelType: 2 })
  phone.applyUpdate(Uint8Array.from(state))
  meet()
  const installed = installProviders(sdk, here)
  const report = await use('me', {
    async deliver() {
      meet()
      if (bob.getSnapshot().unread !== 3) throw new Error('the phone has not heard of the message')
    },
    async clear() {
      meet()
      if (bob.getSnapshot().unread !== 0) throw new Error('the phone still counts')
    },
    async draft(text) {
      group.draft.set(text)
      meet()
    },
    async remove() {
      bob.delete()
      meet()
    },
  })
  installed.close()
  return report
}
