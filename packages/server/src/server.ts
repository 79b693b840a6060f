import type { AddressInfo } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { createAudit, type Refusal } from './access/audit.js'
import type { Authenticate } from './access/authenticate.js'
import { createClientAddress, createSecureCheck } from './access/clientAddress.js'
import { createGate } from './access/gate.js'
import { type CheckSource, createSourceCheck, isLoopbackName, normalizeOrigin } from './access/origins.js'
import { createRevocations } from './access/revocations.js'
import { createRevocationWatch } from './access/revocationWatch.js'
import { refuseUnfinished } from './admin/backup/restoreBackup.js'
import { createAdmission } from './admission/admission.js'
import type { Bus } from './bus/bus.js'
import { type Connection, type ConnectionContext, createConnection } from './connection/connection.js'
import { ServerError } from './errors.js'
import { addGateway, type GatewayOptions } from './gateway/gateway.js'
import { createApp, type TlsOptions } from './http/app.js'
import { createUpgradeHandler } from './http/upgrade.js'
import { defaultLimits, defaultTiming, type Limits, type Timing } from './limits.js'
import type { LogStore } from './log/logStore.js'
import { type Logger, silentLogger } from './logger.js'
import { guardLogger } from './observe/guardLogger.js'
import { measureBus } from './observe/measureBus.js'
import { measureLog } from './observe/measureLog.js'
import { createMetrics, type Metrics } from './observe/metrics.js'
import { addMetrics } from './observe/metricsRoute.js'
import { createReadiness } from './observe/readiness.js'
import { createTraffic } from './observe/traffic.js'
import { createPacer } from './pacer.js'
import { repeat } from './repeat.js'
import { createDigests } from './room/digests.js'
import type { DivergenceKind } from './room/roomContext.js'
import { createRooms, type Rooms } from './room/rooms.js'
import { stopServer } from './stopServer.js'

export interface ServerOptions {
  /** Where the rooms are kept. The server closes it when it closes. */
  store: LogStore
  /** What connects the nodes where several serve the same store. The server closes it when it closes. */
  bus?: Bus
  /**
   * Who may use a room. `open` lets everybody in who can reach the server as the machine's own user could: on a loopback
   * address only, under a loopback name, from no other web page.
   */
  auth: 'open' | Authenticate
  /** The address to listen on, `127.0.0.1` if left out. */
  host?: string
  /** The port to listen on, 4300 if left out; 0 takes a free one. */
  port?: number
  /** Origins of web pages that may connect beside the server's own, such as `https://chat.example.org`. */
  origins?: readonly string[]
  /**
   * Addresses and networks of the reverse proxies in front of the server, such as `10.0.0.0/8`: what they say in
   * `X-Forwarded-For` of the client's address is believed, and of nobody else.
   */
  trustProxy?: readonly string[]
  /** A folder with a built web app to serve. */
  webRoot?: string
  /** For clients that speak HTTP as WuKongIM's do. */
  gateway?: GatewayOptions
  limits?: Partial<Limits>
  timing?: Partial<Timing>
  /** Nothing is logged if left out. A pino logger fits. What it gets holds neither tokens nor texts of messages. */
  logger?: Logger
  /** Called for everybody who is refused, after the line in the log. */
  onRefused?: (refusal: Refusal) => void
  /** What the server counts; its own if left out. A store is told of it when it is opened. */
  metrics?: Metrics
  /** What Prometheus shows as a bearer token at `/metrics`. Without it nobody may look; on a server that lets everybody in, everybody. */
  metricsToken?: string
  /** A certificate and its key in PEM: the server then speaks TLS only, `https` and `wss`. */
  tls?: TlsOptions
}

/** A Parley server. */
export interface Server {
  /** Starts to take connections. @throws the operating system's error if the address cannot be had; ServerError for a store that is only restored in part */
  listen: () => Promise<ServerAddress>
  /** Where the server listens, `null` before and after. */
  readonly address: ServerAddress | null
  /** How many WebSockets are connected. */
  readonly connections: number
  /** The rooms, for what works on documents beside their connections. */
  readonly rooms: Rooms
  /**
   * Takes another certificate for the connections that begin from now on; those that are open stay.
   *
   * @throws ServerError with code `invalid-argument` for a server without TLS; Node's error for what is no certificate and its key
   */
  reloadTls: (tls: TlsOptions) => void
  /**
   * Takes back the tokens of a user, or of one device, that were issued before a moment: they are refused from then on, and
   * connections that they opened are closed with 4401, spread over a few seconds. It outlives restarts and reaches all nodes.
   *
   * @param before in milliseconds since 1970; now, if left out
   * @throws ServerError with code `invalid-argument`, or `store-unavailable` if it could not be stored: nothing is revoked then
   */
  revoke: (uid: string, device?: string, before?: number) => Promise<void>
  /**
   * Counts as not ready from now on; then takes no more connections, makes durable what it has received, closes the connections
   * with 1012, and closes the store. Resolves in time even if clients or the store do not answer: what could not be finished then
   * is told in the log, and was not acknowledged. May be called twice.
   */
  close: () => Promise<void>
}

export interface ServerAddress {
  readonly host: string
  readonly port: number
  /** Such as `http://127.0.0.1:4300`. */
  readonly url: string
}

const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 4300
/**
 * When a crowd connects, what it causes takes so much of a turn of the event loop, in milliseconds; then those get theirs who
 * are there. Handshakes and documents share it, in the order in which they come: an edit of somebody else takes several turns.
 */
const CROWD_BUDGET_MS = 2

/** What the log says of each kind of divergence, and what is done about it. */
const DIVERGENCES: Record<DivergenceKind, string> = {
  'server-rolled-back':
    'a device has what this server stored and the store lacks: the store was rolled back or copied; devices bring back what they have',
  diverged:
    'a device has received the same changes and holds another state: a copy went on under the same client id; the device rewrites what only it has',
  incomplete:
    'a device that is in sync lacks changes, or has some that are not stored; it exchanges the whole state',
}

/**
 * Creates a server that keeps Yjs documents, one for each user, and that y-websocket's `WebsocketProvider` connects to at
 * `/sync/<uid>`.
 *
 * @throws ServerError with code `invalid-argument`
 * @example
 * ```ts
 * import { createMemoryLog, createServer } from '@parley/server'
 *
 * const server = await createServer({ store: createMemoryLog(), auth: 'open', port: 0 })
 * const { url } = await server.listen()
 * console.log(url) // http://127.0.0.1:…
 * await server.close()
 * ```
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { auth, host = DEFAULT_HOST, port = DEFAULT_PORT, webRoot } = options
  const logger = guardLogger(options.logger ?? silentLogger)
  const metrics = options.metrics ?? createMetrics()
  const store = measureLog(options.store, metrics)
  const bus = options.bus && measureBus(options.bus, metrics)
  const limits: Limits = { ...defaultLimits, ...options.limits }
  const timing: Timing = { ...defaultTiming, ...options.timing }
  const origins = (options.origins ?? []).map(normalizeOrigin)
  if (auth === 'open' && !isLoopbackName(host)) {
    throw new ServerError(
      'invalid-argument',
      `Without authentication the host must be a loopback address, not ${host}`,
    )
  }

  const clientAddress = createClientAddress(options.trustProxy ?? [])
  const admission = createAdmission(limits)
  const audit = createAudit(logger, (refusal) => {
    metrics.refused(refusal)
    options.onRefused?.(refusal)
  })
  const revocations = createRevocations({ values: store.values, ...(bus ? { bus } : {}), logger })
  const connections = new Set<Connection>()
  const revocationWatch = createRevocationWatch({
    revocations,
    connections,
    logger,
    jitterMs: timing.expiryJitterMs,
    ...(bus ? { pollMs: timing.revokedPollMs } : {}),
  })
  const gate =
    auth === 'open'
      ? null
      : createGate({ authenticate: auth, timeoutMs: timing.authenticateMs, revocations, logger })
  let onAppend: (room: string, version: number) => void = () => {}
  const onDivergence = (room: string, kind: DivergenceKind): void => {
    metrics.diverged(kind)
    logger.warn({ room, kind }, DIVERGENCES[kind])
  }
  const pace = createPacer({ budgetMs: CROWD_BUDGET_MS })
  const rooms = createRooms({
    store,
    ...(bus ? { bus } : {}),
    limits,
    timing,
    logger,
    pace,
    onAppend: (room, version) => onAppend(room, version),
    onDivergence,
  })
  const digests = createDigests({ rooms, logger, onDivergence, onCompared: metrics.digestCompared })
  let address: ServerAddress | null = null
  let stopping = false
  let closing: Promise<void> | null = null
  // The port may be the system's choice, so what is allowed is known when there is one.
  let checkSource: CheckSource = () => 'the server does not listen yet'

  const readiness = createReadiness({
    tryStore: store.check,
    timeoutMs: timing.readyTimeoutMs,
    freshMs: timing.readyFreshMs,
  })

  const app = await createApp({
    checkSource: (source) => checkSource(source),
    clientAddress,
    isSecure: createSecureCheck(options.trustProxy ?? []),
    audit,
    admission,
    timing,
    webRoot,
    logger,
    checkReady: readiness.check,
    tls: options.tls,
    addRoutes(routes) {
      addMetrics(routes, metrics, options.metricsToken ?? (auth === 'open' ? null : undefined))
      addGateway(routes, options.gateway ?? {}, {
        rooms,
        log: store,
        logger,
        gate,
        clientAddress,
        admission,
        audit,
        metrics,
        collectMs: timing.collectMs,
        onAppend(listener) {
          onAppend = listener
        },
      })
    },
  })
  const traffic = createTraffic(app.server)
  const context: ConnectionContext = {
    ...{ gate, rooms, digests, limits, timing, logger, audit },
    onClosed: (connection) => void connections.delete(connection),
  }
  metrics.watch({
    connections: () => connections.size,
    rooms: () => rooms.all().length,
    documents: () => rooms.documents,
    traffic: traffic.total,
  })
  app.server.on(
    'upgrade',
    createUpgradeHandler({
      gate,
      checkSource: (source) => checkSource(source),
      clientAddress,
      admission,
      limits,
      timing,
      logger,
      audit,
      pace,
      isStopping: () => stopping,
      admit(admitted) {
        const connection = createConnection(admitted, context)
        connections.add(connection)
        revocationWatch.check(connection)
        metrics.connectionAccepted()
      },
    }),
  )

  const stopErasing = repeat(store.erase, timing.eraseMs, (error) =>
    logger.warn({ err: error }, 'what was deleted could not be erased yet'),
  )
  const stopRevocations = async (): Promise<void> => {
    stopErasing()
    revocationWatch.stop()
    revocations.close()
  }

  return {
    async listen() {
      await refuseUnfinished(store)
      await app.listen({ host, port })
      const bound = app.server.address() as AddressInfo
      checkSource = createSourceCheck({
        open: auth === 'open',
        port: bound.port,
        secure: options.tls !== undefined,
        origins,
      })
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
      address = {
        host: bound.address,
        port: bound.port,
        url: `${options.tls ? 'https' : 'http'}://${name}:${bound.port}`,
      }
      logger.info(address, 'listening')
      return address
    },
    get address() {
      return address
    },
    get connections() {
      return connections.size
    },
    rooms,
    reloadTls(tls) {
      if (!(app.server instanceof TlsServer)) {
        throw new ServerError('invalid-argument', 'tls was not given when the server was created')
      }
      app.server.setSecureContext({ ...tls })
    },
    async revoke(uid, device, before) {
      await revocations.revoke(uid, device, before)
    },
    close() {
      if (closing) return closing
      readiness.stop()
      closing = stopServer({
        timing,
        logger,
        app,
        connections,
        refuseConnections() {
          stopping = true
          address = null
        },
        closeLast: [stopRevocations, rooms.close, async () => bus?.close(), store.close],
      })
      return closing
    },
  }
}
