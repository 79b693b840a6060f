import type { Json } from '@parley/core'
import type { ConversationExtra } from '../wire/extra.js'

// The providers that an app sets, named as in the iOS SDK. Each may call back or return a promise.

/**
 * The callback of a provider that brings a result. Two arguments are (result, error), as in the iOS SDK's header; three are
 * (result, version, error), as in its documentation. `null` and `undefined` are no error.
 */
export interface ResultCallback {
  (result?: unknown, error?: unknown): void
  (result: unknown, version: unknown, error: unknown): void
}

/**
 * The callback of a provider that sends an extra. Two arguments are (version, error), as in the iOS SDK's header; one is the
 * error, as in its documentation, or the version.
 */
export interface VersionCallback {
  (error?: unknown): void
  (version: number | string | bigint | null | undefined, error?: unknown): void
}

/**
 * Requests conversations from the app's server: `POST /conversation/sync`.
 *
 * @param version the greatest version seen, 0 for everything. A number beyond 2^53 is rounded down, so that nothing is missed
 * @param lastMsgSeqs what the store has: `id:type:seq` joined with `|`
 * @param callback takes the answer in any envelope, or an error
 * @param exact the version with all its digits
 */
export type SyncConversationProvider = (
  version: number,
  lastMsgSeqs: string,
  callback: ResultCallback,
  exact: { readonly version: string },
) => unknown

/** Acknowledges a merged answer to the app's server: `POST /conversation/syncack`. `cmdVersion` is 0, as in the SDK. */
export type SyncConversationAck = (cmdVersion: number, complete: (error?: unknown) => void) => unknown

/** Requests extras above a version from the app's server: `POST /conversation/extra/sync`. */
export type SyncConversationExtraProvider = (version: number, callback: ResultCallback) => unknown

/** An extra on its way to the app's server. */
export type OutgoingExtra = Omit<ConversationExtra, 'version'> & {
  readonly version: number
  /** The app's own attributes of the conversation. */
  readonly extraData: Readonly<Record<string, Json>>
}

/** Sends an extra to the app's server, which gives it a version: `POST /conversations/:id/:type/extra`. */
export type UpdateConversationExtraProvider = (extra: OutgoingExtra, callback: VersionCallback) => unknown

/** Requests reminders above a version from the app's server: `POST /message/reminder/sync`. */
export type ReminderProvider = (version: number, callback: ResultCallback) => unknown

/** Reports to the app's server that reminders are done: `POST /message/reminder/done`. */
export type ReminderDoneProvider = (ids: readonly string[], callback: (error?: unknown) => void) => unknown
