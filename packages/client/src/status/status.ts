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

/**
 * Why the connection is where it is. Those an app's developer or operator can do something about:
 *
 * - `mixed-content`: the page was loaded over HTTPS and `url` begins with `ws:`. Terminal.
 * - `blocked-by-page`: the browser refuses to open the socket, as a Content-Security-Policy without the server in `connect-src`
 *   makes it do. Terminal.
 * - `wrong-address`: something answers HTTP at `url`, but says that there is nothing at that path. Tried again.
 * - `no-upgrade`: something answers HTTP at `url`, but no WebSocket opens: a proxy does not pass WebSockets on, or the address is
 *   that of another server. Tried again.
 * - `unreachable`: nothing answers. Tried again.
 * - `subprotocol-stripped`: connected, through a proxy that removes `Sec-WebSocket-Protocol`.
 * - `origin-refused`: the server does not serve pages of this origin. Terminal.
 * - `token-refused`, `token-missing`: see `needs-auth`.
 * - `not-acknowledged`: the server was connected and did not confirm in time that it stored what was sent. Tried again.
 * - `suspended`: the page is frozen or in the back/forward cache.
 */
export type ConnectionReasonCode =
  | 'no-url'
  | 'no-websocket'
  | 'disconnected'
  | 'suspended'
  | 'closed'
  | 'destroyed-elsewhere'
  | 'no-network'
  | 'mixed-content'
  | 'blocked-by-page'
  | 'wrong-address'
  | 'no-upgrade'
  | 'unreachable'
  | 'subprotocol-stripped'
  | 'origin-refused'
  | 'not-acknowledged'
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

/**
 * What hinders storage.
 *
 * - `chosen`: the option `persistence` is `memory`.
 * - `unavailable`: this runtime has no IndexedDB.
 * - `refused`: the browser has IndexedDB and refuses it to this page: site data is blocked, or the frame is sandboxed.
 * - `blocked`: the database has not opened for 5 s, because another page holds it or the browser does not answer.
 * - `open-failed`: the database cannot be opened or read.
 * - `quota-exceeded`: the disk, or the site's share of it, is full.
 * - `write-failed`: the last write failed for another reason.
 * - `write-blocked`: a write has not finished for 3 s, because a transaction of another page holds the database.
 * - `connection-lost`: the browser closed the database, as when site data is cleared; it is being opened again.
 * - `destroyed-elsewhere`: `destroy()` was called in another tab.
 * - `closed`: `close()` was called.
 */
export type StorageReasonCode =
  | 'chosen'
  | 'unavailable'
  | 'refused'
  | 'blocked'
  | 'open-failed'
  | 'quota-exceeded'
  | 'write-failed'
  | 'write-blocked'
  | 'connection-lost'
  | 'destroyed-elsewhere'
  | 'closed'

/** A capability that the browser has and refuses to this page. What then works differently is in the message. */
export type RefusalCode = 'locks-refused' | 'channel-refused' | 'local-storage-refused'

/** Whether the database is at hand, and what is wrong with it. */
export interface StorageStatus {
  readonly state: StorageState
  readonly reason?: Reason<StorageReasonCode>
  /** Rows that could not be read and were put aside, since this client was created. */
  readonly quarantined: number
  /**
   * Whether the browser keeps the data when the disk gets full. Missing unless the option `persistentStorage` is set, and until
   * the browser has answered.
   */
  readonly persistent?: boolean
}

/** Where the connection stands, and why. */
export interface ConnectionStatus {
  readonly state: ConnectionState
  readonly reason?: Reason<ConnectionReasonCode>
}

/**
 * How this device and the server, or a copy of this device, came to contradict each other.
 *
 * - `server-rolled-back`: the server has acknowledged a later version of its log than it has now.
 * - `diverged`: both had received the same changes and held different states.
 * - `incomplete`: the device was in sync and one side lacked changes.
 * - `copied`: a copy of this page goes on under the same client id, as after a virtual machine was cloned.
 */
export type DivergenceReasonCode = 'server-rolled-back' | 'diverged' | 'incomplete' | 'copied'

/** A divergence that was found, and whether it is repaired. */
export interface DivergenceStatus {
  /**
   * - `repairing`: the whole state is being exchanged.
   * - `repaired`: both sides hold the same, with what either had.
   * - `failed`: the next connection tries again.
   */
  readonly state: 'repairing' | 'repaired' | 'failed'
  readonly reason: Reason<DivergenceReasonCode>
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
  /** The last divergence from the server, or from a copy of this page, that was found since this client was created, `null` if none was. */
  readonly divergence: DivergenceStatus | null
  /** True once what was stored on this device is loaded, or could not be. */
  readonly ready: boolean
  /**
   * What this tab does for the browser's others: `leader` holds the socket, `follower` syncs through the leader, `alone`
   * connects for itself, because the browser cannot elect.
   */
  readonly tab: 'leader' | 'follower' | 'alone'
  /** What the browser has and refuses to this page, empty as a rule. IndexedDB and WebSocket have their own reasons above. */
  readonly refused: ReadonlyArray<Reason<RefusalCode>>
}
