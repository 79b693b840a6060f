import { type ChannelKey, parseChannelKey, type Store, type Version } from '@parley/core'
import { readArray, readVersion, versionNumber } from '../json/fields.js'
import { type ConversationExtra, readExtra } from '../wire/extra.js'
import { currentState, isPending, readAgreement, writeAgreement } from './agreement.js'
import { callProvider, readVersionArguments } from './callProvider.js'
import type { Delegates } from './delegates.js'
import { isRow } from './model.js'
import type { ManagerContext } from './options.js'
import type { SyncConversationExtraProvider, UpdateConversationExtraProvider } from './providers.js'
import { isNewer, takeExtra } from './takeExtra.js'

/** Drafts, scroll positions and the like, to and from a provider. */
export interface ExtraSync {
  syncProvider: SyncConversationExtraProvider | null
  updateProvider: UpdateConversationExtraProvider | null
  /** Fetches what changed there, then sends what changed here. Rejects where the provider fails. */
  sync: () => Promise<void>
  /** Merges extras that the app fetched. */
  save: (extras: unknown, given?: Version) => void
  /** The greatest version that was merged. */
  readonly version: Version
  /** Takes in an extra that came inside of a conversation. */
  take: (extra: ConversationExtra) => void
  /** Sends what changed here of one conversation, at once. */
  push: (key: ChannelKey) => Promise<void>
  /** Sends what changed here of some conversations, in a while. */
  pushSoon: (keys: Iterable<ChannelKey>) => void
  /** True if the conversation has a change that the provider does not have. */
  hasUnsent: (key: ChannelKey) => boolean
  close: () => void
}

/** The longest time until a failed upload is tried again, in milliseconds. */
const MAX_RETRY_MS = 60_000

/** Creates the {@link ExtraSync} of a manager. */
export function createExtraSync(store: Store, context: ManagerContext, delegates: Delegates): ExtraSync {
  const { provider, environment, timeoutMs } = context
  const cursor = `${provider}/extra`
  const waiting = new Set<ChannelKey>()
  const underWay = new Map<ChannelKey, Promise<void>>()
  let failures = 0
  let stopTimer: (() => void) | null = null
  let isClosed = false

  const wakeUp = (delayMs: number): void => {
    stopTimer?.()
    stopTimer = environment.schedule(() => {
      stopTimer = null
      void pushWaiting()
    }, delayMs)
  }

  const pushWaiting = async (): Promise<void> => {
    try {
      // An upload overwrites what its server has, so that is looked at first.
      if (self.syncProvider) await fetch(self.syncProvider)
    } catch (error) {
      tryAgain(error)
      return
    }
    const keys = [...waiting]
    waiting.clear()
    for (const key of keys) void push(key)
  }

  const tryAgain = (error: unknown): void => {
    if (isClosed) return
    environment.reportError(error)
    wakeUp(Math.min(MAX_RETRY_MS, context.retryDelayMs * 2 ** failures++))
  }

  const upload = async (key: ChannelKey): Promise<void> => {
    const handle = store.conversation(parseChannelKey(key))
    const call = self.updateProvider
    const agreed = readAgreement(handle, provider)
    const mine = currentState(handle)
    // An extra of a conversation in no list waits until it is in one: its server does not know it yet, or any more.
    if (!call || isClosed || !isRow(handle.getSnapshot()) || !isPending(agreed, mine)) return
    const { result: version } = await callProvider<number | string | bigint>(
      call,
      1,
      (callback) => {
        const { channel, draft } = { channel: handle.channel, draft: handle.draft.shared() }
        const extra = {
          channel,
          ...mine,
          draftUpdatedAt: draft?.editedAt ?? 0,
          version: versionNumber(agreed.version),
          extraData: handle.getSnapshot().attributes,
        }
        return call(extra, callback)
      },
      {
        name: 'The provider that updates an extra',
        timeoutMs,
        environment,
        readArguments: readVersionArguments,
      },
    )
    if (isClosed) return
    const given: Version = readVersion(version)
    const latest = readAgreement(handle, provider)
    // What came from there meanwhile is newer than what was sent.
    if (isNewer(latest.version, agreed.version) && !isNewer(given, latest.version)) return
    writeAgreement(handle, provider, {
      version: isNewer(given, latest.version) ? given : latest.version,
      theirs: mine,
      mine,
      draftId: latest.draftId,
    })
  }

  const push = (key: ChannelKey): Promise<void> => {
    const before = underWay.get(key) ?? Promise.resolve()
    const run = before
      .then(
        () => upload(key),
        () => upload(key),
      )
      .then(
        () => {
          failures = 0
        },
        (error) => {
          waiting.add(key)
          tryAgain(error)
          throw error
        },
      )
      .finally(() => {
        if (underWay.get(key) === run) underWay.delete(key)
      })
    underWay.set(key, run)
    // Whoever does not wait for it has had it reported.
    run.catch(() => {})
    return run
  }

  const fetch = async (call: SyncConversationExtraProvider): Promise<void> => {
    const version = versionNumber(store.cursors.get(cursor))
    const { result, version: given } = await callProvider<unknown>(
      call,
      1,
      (callback) => call(version, callback),
      {
        name: 'The provider that syncs extras',
        timeoutMs,
        environment,
      },
    )
    if (!isClosed) save(result, given)
  }

  const save = (result: unknown, given: Version = 0): void => {
    const extras = readArray(result, 'extras').flatMap((value, index) => {
      try {
        const extra = readExtra(value, `extras[${index}]`)
        // One without a version of its own has that of the answer.
        return [extra.version === 0 ? { ...extra, version: given } : extra]
      } catch (error) {
        environment.reportError(error)
        return []
      }
    })
    delegates.together([], () => {
      for (const extra of extras) self.take(extra)
      for (const { version } of extras) store.cursors.advance(cursor, version)
      store.cursors.advance(cursor, given)
    })
  }

  const self: ExtraSync = {
    syncProvider: null,
    updateProvider: null,
    async sync() {
      if (self.syncProvider) await fetch(self.syncProvider)
      if (self.updateProvider) await Promise.allSettled(store.keys().map(push))
    },
    save,
    get version() {
      return store.cursors.get(cursor)
    },
    take(extra) {
      try {
        takeExtra(store, provider, extra)
      } catch (error) {
        environment.reportError(error)
      }
    },
    push,
    hasUnsent(key) {
      const handle = store.conversation(parseChannelKey(key))
      return isPending(readAgreement(handle, provider), currentState(handle))
    },
    pushSoon(keys) {
      if (!self.updateProvider || isClosed) return
      for (const key of keys) waiting.add(key)
      if (waiting.size > 0 && failures === 0) wakeUp(context.uploadDelayMs)
    },
    close() {
      isClosed = true
      stopTimer?.()
      stopTimer = null
    },
  }
  return self
}
