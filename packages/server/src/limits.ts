const KIB = 1024
const MIB = 1024 * KIB

/** How much the server takes from one client or one room, in bytes unless it says otherwise. */
export interface Limits {
  /** The largest document, and the largest single update. Beyond it the connection is closed with 4413. */
  documentBytes: number
  /** The largest token that is taken on an open connection. */
  tokenBytes: number
  /** The largest awareness message. */
  awarenessBytes: number
  /** How many client ids one connection may speak for in awareness; y-websocket tabs relay each other's. */
  awarenessClients: number
  /**
   * How large the documents in memory may be together, counted as updates; in memory they are several times as large. Those
   * that somebody works in stay all the same.
   */
  cachedBytes: number
  /** What may wait for a client that reads slowly, apart from the answer to its own sync, before it is closed with 4508. */
  bufferedBytes: number
  /** What may wait to be stored for one connection before the server stops reading from it. */
  queuedBytes: number
}

/** The {@link Limits} a server has when none are given. */
export const defaultLimits: Limits = {
  // 10,000 conversations are 2 to 3 MB.
  documentBytes: 32 * MIB,
  // As much as Node takes in the head of a request.
  tokenBytes: 16 * KIB,
  awarenessBytes: 64 * KIB,
  awarenessClients: 64,
  cachedBytes: 64 * MIB,
  bufferedBytes: 8 * MIB,
  queuedBytes: 4 * MIB,
}

/** How long things take, in milliseconds. Tests shorten them. */
export interface Timing {
  /** A client that hears nothing for 30 s connects anew, and WebSocket pings do not count; so it hears something sooner. */
  heartbeatMs: number
  /** How long a document that nobody needs stays in memory. */
  roomIdleMs: number
  /** Where several nodes share a store, how often they look for what they were not told. */
  pollMs: number
  /** How often such nodes look whether tokens of their connections were revoked elsewhere. */
  revokedPollMs: number
  /**
   * When the server stops, how long it goes on serving while it counts as not ready, so that a load balancer notices before its
   * connections fail.
   */
  stopDelayMs: number
  /** When the server stops, connections are closed spread over this long, so that clients do not return all at once. */
  drainMs: number
  /** How much longer clients and the store may take to finish. */
  stopTimeoutMs: number
  /** How long `authenticate` may take before the connection is closed with 4503. */
  authenticateMs: number
  /** How long a client may take to send the head of a request: who sends it letter by letter holds a connection for nothing. */
  headersMs: number
  /** How long a client may take to send a whole request. */
  requestMs: number
  /** How long the store may take to show that it can store, before the server counts as not ready. */
  readyTimeoutMs: number
  /** How old an answer may be that whoever asks whether the server is ready gets. */
  readyFreshMs: number
  /** Connections whose tokens expire together are closed spread over this long. */
  expiryJitterMs: number
  /** How long changes are collected before clients that know only HTTP are told: a draft changes with every key. */
  collectMs: number
}

/** The {@link Timing} a server has when none is given. */
export const defaultTiming: Timing = {
  heartbeatMs: 20_000,
  roomIdleMs: 30_000,
  pollMs: 3_000,
  revokedPollMs: 30_000,
  stopDelayMs: 0,
  drainMs: 2_000,
  stopTimeoutMs: 10_000,
  authenticateMs: 10_000,
  headersMs: 10_000,
  requestMs: 120_000,
  readyTimeoutMs: 2_000,
  readyFreshMs: 1_000,
  expiryJitterMs: 5_000,
  collectMs: 1_000,
}
