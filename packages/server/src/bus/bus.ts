/** What one node tells the others of a room; what is of no room it tells under the empty name. */
export type BusMessage =
  /** A row was appended to the room's log; `update` may be left out if it is large, and is then read from the store. */
  | { readonly type: 'row'; readonly version: number; readonly update: Uint8Array | null }
  /** Who is there, as y-protocols encode it. */
  | { readonly type: 'awareness'; readonly update: Uint8Array }
  /** Tokens of a user, or of one device, were taken back that were issued before a moment in milliseconds since 1970. */
  | {
      readonly type: 'revoked'
      readonly uid: string
      readonly device: string | null
      readonly before: number
    }

/**
 * Carries news of rooms between the nodes that serve them. It is a hint and nothing depends on it: a message may be late, come
 * twice, out of order or never. What was missed is read from the store.
 *
 * Every implementation passes `runBusTests` of `@parley/server/testing`.
 */
export interface Bus {
  /** Tells the other nodes; not those who subscribed at this object. Never throws, and waits for nobody. */
  publish: (room: string, message: BusMessage) => void
  /** Calls `listener` for what other nodes tell of a room, until the returned function is called. */
  subscribe: (room: string, listener: (message: BusMessage) => void) => () => void
  /** Ends all subscriptions. May be called twice. */
  close: () => Promise<void>
}
