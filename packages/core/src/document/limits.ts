/**
 * What one update may hold. No person reaches these numbers: an account with 10,000 conversations, thousands of drafts and years
 * behind it has some 50,000 structs from a few thousand clients. They bound what checking, applying and splitting an update costs.
 */
export interface UpdateLimits {
  /** Clients whose insertions or deletions an update lists. */
  readonly clients: number
  /** Structs: insertions of Yjs, each of one or more elements. */
  readonly structs: number
  /** JSON values, those inside of other values too. */
  readonly values: number
  /** Ranges of deleted insertions. */
  readonly deletedRanges: number
}

/** The {@link UpdateLimits} that `decodeUpdate` enforces, on every device and server. */
export const UPDATE_LIMITS: UpdateLimits = {
  clients: 65_536,
  structs: 250_000,
  values: 1_000_000,
  deletedRanges: 250_000,
}

/**
 * How many registers one conversation may have before its app can name no new ones: attributes, reminders, merge bases of providers.
 * Each change of a conversation reads all of them. Documents that have more are shown in full.
 */
export const MAX_REGISTERS = 10_000
