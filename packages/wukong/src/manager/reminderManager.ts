import {
  type Channel,
  type ChannelKey,
  channelKey,
  createEmitter,
  parseChannelKey,
  type Store,
} from '@parley/core'
import { isFields, member, readArray, readFields, versionNumber } from '../json/fields.js'
import { fromReminder, readReminder, toReminderInput, type WukongReminder } from '../wire/reminder.js'
import { callProvider, ProviderError } from './callProvider.js'
import { hasReminderId, withReminderId } from './localReminder.js'
import { type ManagerOptions, resolveOptions } from './options.js'
import type { ReminderDoneProvider, ReminderProvider } from './providers.js'

/** What an app implements to hear of reminders. */
export interface ReminderDelegate {
  readonly onReminderChange?: (channel: Channel, reminders: readonly WukongReminder[]) => void
}

/** Mentions and requests to join, to and from an app's server. */
export interface ReminderManager {
  /** The provider that {@link ReminderManager.setReminderProvider} set. May be assigned, as the SDK's property. */
  reminderProvider: ReminderProvider | null
  /** The provider that {@link ReminderManager.setReminderDoneProvider} set. May be assigned, as the SDK's property. */
  reminderDoneProvider: ReminderDoneProvider | null
  setReminderProvider: (provider: ReminderProvider | null) => void
  setReminderDoneProvider: (provider: ReminderDoneProvider | null) => void
  /** Fetches new reminders, then tells what was done here. A provider that says nothing has nothing. */
  sync: () => Promise<void>
  /** Marks reminders as done, on all devices at once, and tells the app's server, now or when it can be reached. */
  done: (ids: ReadonlyArray<string | number>) => Promise<void>
  /**
   * Saves reminders that the app fetched or made itself, in any shape of the wire or of the SDKs. One without an id gets one
   * that follows from its channel, message, type and text. One that is done and has `needUpload` is reported to
   * {@link ReminderManager.reminderDoneProvider}.
   *
   * @throws ParleyError with code `invalid-argument` that names the member; nothing is saved then
   */
  saveReminders: (reminders: readonly unknown[]) => void
  /** Calls `listener` with the reminders that are new or changed, until the returned function is called. */
  addRefreshListener: (listener: (reminders: readonly WukongReminder[]) => void) => () => void
  /** The open reminders of a channel that somebody else made. */
  getWaitDoneReminders: (channel: Channel) => readonly WukongReminder[]
  getReminders: (channel: Channel) => readonly WukongReminder[]
  addDelegate: (delegate: ReminderDelegate) => void
  removeDelegate: (delegate: ReminderDelegate) => void
  close: () => void
}

/**
 * Creates the reminder manager of a store, with the API of the iOS SDK.
 *
 * @example
 * ```ts
 * import { createStore } from '@parley/core'
 * import { createReminderManager } from '@parley/wukong'
 *
 * const store = createStore({ userId: 'alice' })
 * const reminders = createReminderManager(store)
 * reminders.setReminderProvider(async (version) => [
 *   { id: 1, channel_id: 'g', channel_type: 2, message_seq: 4, reminder_type: 1, text: '@alice', version: 3, done: 0 },
 * ])
 * await reminders.sync()
 * reminders.getWaitDoneReminders({ channelId: 'g', channelType: 2 }).length // 1
 * ```
 */
export function createReminderManager(
  store: Store,
  options: Omit<ManagerOptions, 'reminders'> = {},
): ReminderManager {
  const { provider, environment, timeoutMs } = resolveOptions(options)
  const cursor = `${provider}/reminders`
  const emitter = createEmitter<(delegate: ReminderDelegate) => void>(environment.reportError)
  const subscriptions = new Map<ReminderDelegate, () => void>()
  /** Ids that were sent to the provider, or are on their way. */
  const reported = new Set<string>()
  let fetch: ReminderProvider | null = null
  let finish: ReminderDoneProvider | null = null

  const remindersOf = (channel: Channel): WukongReminder[] =>
    store
      .conversation(channel)
      .getSnapshot()
      .reminders.map((reminder) => fromReminder(reminder, channel))

  const known = new Map<ChannelKey, unknown>()
  const stop = store.onTouch((keys) => {
    for (const key of keys) {
      const channel = parseChannelKey(key)
      const { reminders } = store.conversation(channel).getSnapshot()
      if (known.get(key) === reminders || (!known.has(key) && reminders.length === 0)) continue
      known.set(key, reminders)
      const models = remindersOf(channel)
      emitter.emit((delegate) => delegate.onReminderChange?.(channel, models))
    }
  })

  /** What each refresh listener has been called with: id, state and version of every reminder. */
  const listenForNew = (listener: (reminders: readonly WukongReminder[]) => void): (() => void) => {
    const seen = new Set<string>()
    const isNew = (key: ChannelKey, { reminderId, done, version }: WukongReminder): boolean => {
      const mark = JSON.stringify([key, reminderId, done, version])
      return !seen.has(mark) && seen.add(mark) !== undefined
    }
    for (const key of store.keys()) {
      for (const reminder of remindersOf(parseChannelKey(key))) isNew(key, reminder)
    }
    return emitter.subscribe((call) =>
      call({
        onReminderChange(channel, reminders) {
          const fresh = reminders.filter((reminder) => isNew(channelKey(channel), reminder))
          if (fresh.length > 0) listener(fresh)
        },
      }),
    )
  }

  const save = (reminder: WukongReminder, doneThere: boolean): void => {
    const { data, ...rest } = toReminderInput(reminder)
    store.conversation(reminder.channel).setReminder({
      ...rest,
      data: { ...(isFields(data) ? data : {}), doneThere } as NonNullable<typeof data>,
    })
  }

  const take = (answer: unknown): void => {
    const reminders = readArray(answer, 'reminders').flatMap((value, index) => {
      try {
        return [readReminder(value, `reminders[${index}]`)]
      } catch (error) {
        environment.reportError(error)
        return []
      }
    })
    store.transact(() => {
      for (const reminder of reminders) {
        // Noted as the server has it, so that what is done here only can be reported to it.
        save(reminder, reminder.done)
        store.cursors.advance(cursor, reminder.version)
      }
    })
  }

  /** The reminders that are done here and, as far as is known, open at the provider's. */
  const unreported = (): string[] =>
    store.keys().flatMap((key) =>
      store
        .conversation(parseChannelKey(key))
        .getSnapshot()
        .reminders.filter(
          ({ reminderId, done, data }) =>
            done && !reported.has(reminderId) && isFields(data) && data.doneThere === false,
        )
        .map(({ reminderId }) => reminderId),
    )

  const reportDone = async (): Promise<void> => {
    const call = finish
    const ids = call ? unreported() : []
    if (!call || ids.length === 0) return
    for (const id of ids) reported.add(id)
    await callProvider<unknown>(call, 1, (callback) => call(ids, (error) => callback(null, error)), {
      name: 'The provider that marks reminders as done',
      timeoutMs,
      environment,
    }).catch((error: unknown) => {
      for (const id of ids) reported.delete(id)
      throw error
    })
  }

  return {
    get reminderProvider() {
      return fetch
    },
    set reminderProvider(next) {
      fetch = next
    },
    get reminderDoneProvider() {
      return finish
    },
    set reminderDoneProvider(next) {
      finish = next
    },
    setReminderProvider(next) {
      fetch = next
    },
    setReminderDoneProvider(next) {
      finish = next
    },
    async sync() {
      const call = fetch
      if (call) {
        const version = versionNumber(store.cursors.get(cursor))
        const answered = await callProvider<unknown>(call, 1, (callback) => call(version, callback), {
          name: 'The reminder provider',
          timeoutMs,
          environment,
        }).catch((error: unknown) => {
          if (!(error instanceof ProviderError) || error.code !== 'timeout') throw error
          // TangSengDaoDao's app calls back only with reminders.
          return null
        })
        take(answered?.result)
        store.cursors.advance(cursor, answered?.version ?? 0)
      }
      await reportDone()
    },
    async done(ids) {
      const wanted = new Set(ids.map(String))
      store.transact(() => {
        for (const key of store.keys()) {
          const handle = store.conversation(parseChannelKey(key))
          for (const { reminderId, done } of handle.getSnapshot().reminders) {
            if (wanted.has(reminderId) && !done) handle.completeReminder(reminderId)
          }
        }
      })
      await reportDone()
    },
    saveReminders(values) {
      const read = values.map((value, index) => {
        const field = `reminders[${index}]`
        const source = readFields(value, field)
        const needsUpload = Number(member(source, 'needUpload', 'need_upload') ?? 0) === 1
        const reminder = readReminder(withReminderId(source, field), field)
        // No server has to be asked to close a reminder that only this user's devices know.
        const doneThere = !needsUpload && (reminder.done || !hasReminderId(source))
        return { reminder, needsUpload, doneThere }
      })
      store.transact(() => {
        for (const { reminder, doneThere } of read) save(reminder, doneThere)
      })
      if (read.some(({ needsUpload }) => needsUpload)) reportDone().catch(environment.reportError)
    },
    addRefreshListener: listenForNew,
    getWaitDoneReminders: (channel) =>
      remindersOf(channel).filter(({ done, publisher }) => !done && publisher !== store.userId),
    getReminders: (channel) => remindersOf(channel),
    addDelegate(delegate) {
      if (!subscriptions.has(delegate))
        subscriptions.set(
          delegate,
          emitter.subscribe((call) => call(delegate)),
        )
    },
    removeDelegate(delegate) {
      subscriptions.get(delegate)?.()
      subscriptions.delete(delegate)
    },
    close: stop,
  }
}
