import type { Rate } from './admission/bucket.js'

const KIB = 1024
const MIB = 1024 * KIB

/**
 * How much the server takes: in bytes where a name says so. An address is that of a client, and of IPv6 the network its owner
 * has; addresses of this machine have no limits of their own. Each node counts for itself.
 */
export interface Limits {
  /** How many WebSockets there may be. The next one is closed with 4503. */
  connections: number
  /** How many rooms may have connections. The next one is closed with 4503. */
  rooms: number
  /** How many WebSockets there may be from one address. Here, as in all that follows by address, user and connection: 4529, or 429. */
  connectionsPerAddress: number
  connectionsPerUser: number
  /** How many rooms an address may have connections to. */
  roomsPerAddress: number
  /** How often an address may ask for a WebSocket, refused or not. */
  upgradesPerAddress: Rate
  /** How often an address may ask by HTTP. Whoever brings messages with the token for it is not counted. */
  requestsPerAddress: Rate
  /** How often may be asked by HTTP in the name of a user. */
  requestsPerUser: Rate
  /** What may arrive. */
  bytesPerConnection: Rate
  bytesPerUser: Rate
  bytesPerAddress: Rate
  /** How many messages may arrive: updates and all others. */
  messagesPerConnection: Rate
  messagesPerUser: Rate
  messagesPerAddress: Rate
  /**
   * How many bytes of answers to sync requests may be sent. Beyond it the next answer waits; an answer under way is sent as fast as
   * the client reads it.
   */
  answerBytesPerConnection: Rate
  answerBytesPerUser: Rate
  /** How much of messages that are not complete a user may have under way, on all connections. */
  unfinishedBytes: number
  /** With less than this free on the disk of the data folder, or less than a twentieth of a small one, updates are refused: 4503. */
  freeDiskBytes: number
  /** The largest document, and the largest single update. Beyond it the connection is closed with 4413. */
  documentBytes: number
  /**
   * How large the rows of a room's log may be together, where compacting it fails. Beyond it updates are refused with 4503 until it
   * works again.
   */
  logBytes: number
  /** The largest token that is taken on an open connection. */
  tokenBytes: number
  /** How often a connection may say who is there; what comes more often is passed on later, and the newest of it only. */
  awarenessPerConnection: Rate
  /** The largest awareness message that is passed on. */
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
  connections: 100_000,
  rooms: 100_000,
  // A company, or a village, behind one address, whose clients all return after a restart.
  connectionsPerAddress: 5_000,
  // Devices, and tabs of browsers that cannot share a connection.
  connectionsPerUser: 100,
  roomsPerAddress: 5_000,
  upgradesPerAddress: { perSecond: 100, burst: 10_000 },
  requestsPerAddress: { perSecond: 1_000, burst: 20_000 },
  requestsPerUser: { perSecond: 50, burst: 1_000 },
  // After weeks offline a device sends all at once: as much as two documents may have.
  bytesPerConnection: { perSecond: MIB, burst: 64 * MIB },
  bytesPerUser: { perSecond: 4 * MIB, burst: 256 * MIB },
  bytesPerAddress: { perSecond: 64 * MIB, burst: 1024 * MIB },
  // Nobody types 500 letters a second; a program that writes all it has may.
  messagesPerConnection: { perSecond: 500, burst: 20_000 },
  messagesPerUser: { perSecond: 1_000, burst: 50_000 },
  messagesPerAddress: { perSecond: 20_000, burst: 500_000 },
  // Two documents as large as they may be; a user's devices together eight.
  answerBytesPerConnection: { perSecond: 2 * MIB, burst: 64 * MIB },
  answerBytesPerUser: { perSecond: 8 * MIB, burst: 256 * MIB },
  // Two documents as large as they may be.
  unfinishedBytes: 64 * MIB,
  freeDiskBytes: 256 * MIB,
  // 10,000 conversations are 2 to 3 MB.
  documentBytes: 32 * MIB,
  // Compaction is tried long before, at twice the document.
  logBytes: 128 * MIB,
  // As much as Node takes in the head of a request.
  tokenBytes: 16 * KIB,
  awarenessPerConnection: { perSecond: 2, burst: 2 },
  awarenessBytes: 4 * KIB,
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
  /** How long a client without a token in its request may take to send one in its first message, before it is refused. */
  firstMessageMs: number
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
  /**
   * The bytes of what was recalled, cleared or replaced are erased from the store's files so often: where they lie, LevelDB
   * rewrites whole files.
   */
  eraseMs: number
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
  firstMessageMs: 5_000,
  headersMs: 10_000,
  requestMs: 120_000,
  readyTimeoutMs: 2_000,
  readyFreshMs: 1_000,
  expiryJitterMs: 5_000,
  collectMs: 1_000,
  eraseMs: 60 * 60_000,
}
