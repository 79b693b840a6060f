import type { ConversationExtra } from '../wire/extra.js'

// The providers that an app sets, named as in the iOS SDK. Each may call back or return a promise.

/**
 * Asks the app's server for conversations: `POST /conversation/sync`.
 *
 * @param version the greatest version seen, 0 for everything. A number beyond 2^53 is rounded down, so that nothing is missed
 * @param lastMsgSeqs what the store has: `id:type:seq` joined with `|`
 * @param callback takes the answer in any envelope, or an error
 * @param exact the version with all its digits
 */
export type SyncConversationProvider = (
  version: number,
  lastMsgSeqs: string,
  callback: (answer?: unknown, error?: unknown) => void,
  exact: { readonly version: string },
) => unknown

/** Tells the app's server that an answer was taken in: `POST /conversation/syncack`. `cmdVersion` is 0, as in the SDK. */
export type SyncConversationAck = (cmdVersion: number, complete: (error?: unknown) => void) => unknown

/** Asks the app's server for extras above a version: `POST /conversation/extra/sync`. */
export type SyncConversationExtraProvider = (
  version: number,
  callback: (extras?: unknown, error?: unknown) => void,
) => unknown

/** An extra on its way to the app's server. */
export type OutgoingExtra = Omit<ConversationExtra, 'version'> & { readonly version: number }

/** Sends an extra to the app's server, which gives it a version: `POST /conversations/:id/:type/extra`. */
export type UpdateConversationExtraProvider = (
  extra: OutgoingExtra,
  callback: (version?: number | string | bigint | null, error?: unknown) => void,
) => unknown

/** Asks the app's server for reminders above a version: `POST /message/reminder/sync`. */
export type ReminderProvider = (
  version: number,
  callback: (reminders?: unknown, error?: unknown) => void,
) => unknown

/** Tells the app's server that reminders are done: `POST /message/reminder/done`. */
export type ReminderDoneProvider = (ids: readonly string[], callback: (error?: unknown) => void) => unknown
