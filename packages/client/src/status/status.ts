/** Why something is as it is: a literal to switch on, and a sentence for people. */
export interface Reason<Code extends string> {
  readonly code: Code
  /** One English sentence, for logs and for apps that have no words of their own. */
  readonly message: string
}

/**
 * Where the connection to the server stands.
 *
 * - `local-only`: there is no server to connect to.
 * - `offline`: not connected; the reason says why. It connects by itself, except after `disconnect()`.
 * - `connecting`: the token is being fetched or the socket is opening.
 * - `syncing`: connected, and exchanging what either side lacks.
 * - `online`: both sides have everything.
 * - `needs-auth`: the server takes no token that `getToken` has; call `connect()` after signing in.
 * - `denied`: the server refuses for good; `connect()` tries again.
 */
export type ConnectionState =
  | 'local-only'
  | 'offline'
  | 'connecting'
  | 'syncing'
  | 'online'
  | 'needs-auth'
  | 'denied'

/** Why the connection is where it is. */
export type ConnectionReasonCode =
  | 'no-url'
  | 'no-websocket'
  | 'disconnected'
  | 'closed'
  | 'destroyed-elsewhere'
  | 'no-network'
  | 'unreachable'
  | 'timeout'
  | 'connection-lost'
  | 'server-restart'
  | 'server-busy'
  | 'other-tab'
  | 'token-unavailable'
  | 'token-missing'
  | 'token-refused'
  | 'forbidden'
  | 'malformed'
  | 'not-found'
  | 'too-large'
  | 'refused'
  | 'gap'
  | 'invalid-update'

/**
 * Where edits are kept on this device.
 *
 * - `opening`: the database is being opened and read; edits wait in memory.
 * - `indexeddb`: edits are written to disk; a reason names what hinders it at the moment.
 * - `memory`: edits end with the tab; the reason says why.
 */
export type StorageState = 'opening' | 'indexeddb' | 'memory'

/** What hinders storage. */
export type StorageReasonCode =
  | 'chosen'
  | 'unavailable'
  | 'blocked'
  | 'open-failed'
  | 'quota-exceeded'
  | 'write-failed'
  | 'connection-lost'
  | 'destroyed-elsewhere'
  | 'closed'

/** Whether the database is at hand, and what is wrong with it. */
export interface StorageStatus {
  readonly state: StorageState
  readonly reason?: Reason<StorageReasonCode>
  /** Rows that could not be read and were put aside, since this client was created. */
  readonly quarantined: number
}

/** Where the connection stands, and why. */
export interface ConnectionStatus {
  readonly state: ConnectionState
  readonly reason?: Reason<ConnectionReasonCode>
}

/** Where the edits of this tab are safe, and what stands between them and the next place. Never changed, only replaced. */
export interface ClientStatus {
  readonly connection: ConnectionStatus
  readonly storage: StorageStatus
  readonly unsaved: {
    /** True while an edit of this tab is not in a committed transaction of this tab's own, or nothing is on disk at all. */
    readonly disk: boolean
    /** True while the server has not confirmed that every edit of this tab, and all it loaded, is durable there. */
    readonly server: boolean
  }
  /** The safest place where all edits of this tab are. */
  readonly saved: 'memory' | 'disk' | 'server'
  /** True once what was stored on this device is loaded, or could not be. */
  readonly ready: boolean
  /**
   * What this tab does for the browser's others: `leader` holds the socket, `follower` syncs through the leader, `alone`
   * connects for itself, because the browser cannot elect.
   */
  readonly tab: 'leader' | 'follower' | 'alone'
}
