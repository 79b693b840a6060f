import { type Channel, type ConversationHandle, createStore, type Store } from '@parley/core'
import {
  type ConversationManager,
  createConversationManager,
  createReminderManager,
  parseExactJson,
  type ReminderManager,
} from '@parley/wukong'
import * as Y from 'yjs'
import { type Answer, send } from './gateway.js'
import type { Running } from './harness.js'

/** Which server's endpoints an app is written against. */
export type Dialect = 'wukongim' | 'tsdd'

export const CHANNELS: readonly Channel[] = [
  { channelId: 'bob', channelType: 1 },
  { channelId: 'a:b-c@d', channelType: 1 },
  { channelId: 'group', channelType: 2 },
]

/** A device that syncs the document itself: what it does reaches the server when it is online. */
export interface YjsDevice {
  readonly store: Store
  online: boolean
  sync: () => Promise<void>
}

/** A device that knows only HTTP: Parley's managers, with the providers that an app would write. */
export interface HttpDevice {
  readonly store: Store
  readonly manager: ConversationManager
  readonly reminders: ReminderManager
  online: boolean
  /** What an app asks its server for beside the providers: now, or when it is online again. */
  ask: (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => Promise<void>
  sync: () => Promise<void>
  readonly errors: unknown[]
}

/** Opens a {@link YjsDevice} in the room of a user. */
export function openYjsDevice({ server }: Running, uid: string): YjsDevice {
  const store = createStore({ userId: uid, deviceName: 'Phone' })
  const device: YjsDevice = {
    store,
    online: true,
    async sync() {
      if (!device.online) return
      const { room, document, release } = await server.rooms.acquire(uid)
      await room.submit(Y.encodeStateAsUpdate(store.doc, document.encodeStateVector()))
      store.applyUpdate(document.encodeState())
      release()
    },
  }
  return device
}

/** Opens an {@link HttpDevice}. Nothing of it goes out but when it syncs. */
export function openHttpDevice(running: Running, uid: string, dialect: Dialect): HttpDevice {
  const errors: unknown[] = []
  const environment = {
    now: Date.now,
    reportError: (error: unknown) => void errors.push(error),
    // Timers never fire: a history is the same whatever the machine does.
    schedule: () => () => {},
  }
  const store = createStore({ userId: uid, deviceName: 'Old app', environment })
  const options = { environment, maxAttempts: 1 }
  const reminders = createReminderManager(store, options)
  const manager = createConversationManager(store, { ...options, reminders })
  let waiting: Array<() => Promise<Answer>> = []

  const call = async (path: string, body: unknown): Promise<unknown> => {
    if (!device.online) throw new Error('offline')
    const answer = await fetch(running.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', token: uid },
      body: JSON.stringify(body),
    })
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
    return parseExactJson(await answer.text())
  }
  const syncPath = dialect === 'tsdd' ? '/v1/conversation/sync' : '/conversation/sync'
  manager.setSyncConversationProviderAndAck(
    (version, lastMsgSeqs) => call(syncPath, { uid, version, last_msg_seqs: lastMsgSeqs, msg_count: 3 }),
    (cmdVersion, complete) =>
      call('/v1/conversation/syncack', { cmd_version: cmdVersion, device_uuid: 'd' }).then(
        () => complete(),
        complete,
      ),
  )
  manager.setSyncConversationExtraProvider((version) => call('/v1/conversation/extra/sync', { version }))
  manager.setUpdateConversationExtraProvider(
    async ({ channel, browseTo, keepMessageSeq, keepOffsetY, draft }) => {
      const path = `/v1/conversations/${encodeURIComponent(channel.channelId)}/${channel.channelType}/extra`
      const body = {
        browse_to: browseTo,
        keep_message_seq: keepMessageSeq,
        keep_offset_y: keepOffsetY,
        draft,
      }
      const { version } = (await call(path, body)) as { version: number }
      return version
    },
  )
  reminders.setReminderProvider((version) => call('/v1/message/reminder/sync', { version, limit: 2 }))
  reminders.setReminderDoneProvider((ids) => call('/v1/message/reminder/done', ids))

  const flush = async (): Promise<void> => {
    const requests = waiting
    waiting = []
    for (const request of requests) {
      const { status, body } = await request()
      if (status !== 200) throw new Error(`a request was answered ${status}: ${JSON.stringify(body)}`)
    }
  }
  const device: HttpDevice = {
    store,
    manager,
    reminders,
    errors,
    online: true,
    async ask(method, path, body) {
      waiting.push(() => send(running, method, path, body, { token: uid }))
      // What became of it is told by the next answer.
      if (device.online) await device.sync()
    },
    async sync() {
      if (!device.online) return
      await flush()
      await manager.connected()
      // It begins with the end of the sync; done again it takes its turn behind that.
      await reminders.sync()
      await manager.syncExtra()
    },
  }
  return device
}

/** What an answer in a dialect says of a conversation, as somebody who looks at a device sees it. */
export function carried(handle: ConversationHandle, dialect: Dialect): Readonly<Record<string, unknown>> {
  const { lastMessage, hidden, archived, unread, muted, pinned, browseTo, keptPosition, reminders } =
    handle.getSnapshot()
  // One that begins anew is not told of those that are done.
  const open = reminders.flatMap(({ reminderId, done }) => (done ? [] : [reminderId])).sort()
  // There is no such thing as an archive there; and what is in no list is not sent from there.
  if (lastMessage === null || hidden || archived) return { shown: false, open }
  const {
    messageSeq,
    fromUid,
    timestamp,
    payload,
    messageId,
    clientMsgNo,
    removed = false,
    silent = false,
  } = lastMessage
  return {
    shown: true,
    last: {
      messageSeq,
      fromUid,
      timestamp,
      messageId,
      clientMsgNo,
      removed,
      silent,
      payload: removed ? null : payload,
    },
    unread,
    ...(dialect === 'tsdd' ? { muted, pinned } : {}),
    browseTo,
    keptPosition,
    // As the devices agree on it; one of them may still have another in its composer.
    draft: handle.draft.shared()?.text ?? '',
    open,
  }
}
