/** Which document a tab works on. Tabs that name the same one share its database, channel and lock. */
export interface DocumentAddress {
  readonly userId: string
  /** Tells apart several devices that live in one browser, such as two shown side by side. */
  readonly profile?: string | undefined
  /** Which of the user's documents: folding one begins another, in a database of its own. */
  readonly epoch?: number | undefined
}

/**
 * The name of a document's database; channel, lock and stored keys begin with it. Users never share one.
 *
 * @example
 * ```ts
 * import { databaseName } from '@parley/client'
 *
 * databaseName({ userId: 'alice' }) // 'parley/alice//0'
 * ```
 */
export function databaseName({ userId, profile = '', epoch = 0 }: DocumentAddress): string {
  return `parley/${encodeURIComponent(userId)}/${encodeURIComponent(profile)}/${epoch}`
}
