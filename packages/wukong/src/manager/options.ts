import { type Conversation, defaultEnvironment, type Environment } from '@parley/core'
import type { ReminderManager } from './reminderManager.js'
import { scheduleWork } from './scheduleWork.js'

/** How long a provider may take. An app that calls back only where there is something to say is taken to have nothing then. */
export const PROVIDER_TIMEOUT_MS = 30_000
/** The SDKs ask again after this long. */
export const RETRY_DELAY_MS = 3000
/** Five minutes of asking again; then the next connection asks. */
export const MAX_ATTEMPTS = 100
/** A draft goes to the provider this long after the last change of it. */
export const UPLOAD_DELAY_MS = 1000

/** The SDK whose ways are followed where they differ. */
export type Emulation = 'ios' | 'android' | 'flutter'

/** How a manager works. */
export interface ManagerOptions {
  /** Names the app's server in the store; two servers need two names. */
  readonly provider?: string
  /** What counts as held and as unread where the SDKs differ: `ios` by default. */
  readonly emulate?: Emulation
  /** Synced after the conversations. */
  readonly reminders?: ReminderManager
  /** Resolves when what was taken in is durable; the ack waits for it. `flush` of a client. */
  readonly whenStored?: () => Promise<unknown>
  /** The newest message of a conversation that the app has, for one that keeps messages itself; `null` for none. */
  readonly lastMessageSeq?: (conversation: Conversation) => number | null
  readonly timeoutMs?: number
  readonly retryDelayMs?: number
  readonly maxAttempts?: number
  readonly uploadDelayMs?: number
  readonly environment?: Partial<Pick<Environment, 'schedule' | 'reportError' | 'now'>>
}

/** The options with all their defaults. */
export interface ManagerContext
  extends Required<Omit<ManagerOptions, 'reminders' | 'lastMessageSeq' | 'environment'>> {
  readonly reminders: ReminderManager | undefined
  readonly lastMessageSeq: ManagerOptions['lastMessageSeq']
  readonly environment: Pick<Environment, 'schedule' | 'reportError' | 'now'>
}

/** Fills in the defaults. */
export function resolveOptions(options: ManagerOptions): ManagerContext {
  return {
    provider: 'wukong',
    emulate: 'ios',
    whenStored: () => Promise.resolve(),
    timeoutMs: PROVIDER_TIMEOUT_MS,
    retryDelayMs: RETRY_DELAY_MS,
    maxAttempts: MAX_ATTEMPTS,
    uploadDelayMs: UPLOAD_DELAY_MS,
    reminders: undefined,
    lastMessageSeq: undefined,
    ...options,
    environment: { ...defaultEnvironment, schedule: scheduleWork, ...options.environment },
  }
}
