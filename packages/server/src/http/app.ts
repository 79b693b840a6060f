import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { type Audit, kindOfStatus } from '../access/audit.js'
import type { ClientAddress, IsSecure } from '../access/clientAddress.js'
import type { CheckSource } from '../access/origins.js'
import type { Admission } from '../admission/admission.js'
import type { Timing } from '../limits.js'
import type { Logger } from '../logger.js'
import { announcedBytes, countBody, discardBody, meterChunked, sentBytes } from './requestBody.js'
import { toSeconds } from './retryAfter.js'
import { serveWebFiles } from './webFiles.js'

/** An id of 200 characters, each of them percent-encoded. */
const MAX_PARAM_LENGTH = 200 * 12
const UNAUTHENTICATED = 401
const FORBIDDEN = 403
const NOT_FOUND = 404
const TOO_MANY = 429
const NOTHING = { requests: 0, bytes: 0 } as const
const TOO_MANY_REASON = 'too many requests from one address'

/** A year, in seconds: browsers then ask this host over TLS only. Its subdomains are for their own servers to say. */
const HSTS = 'max-age=31536000'

/** What every answer tells browsers: to take it for what it says it is, and to keep it from other origins. */
const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
} as const

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for what only a service that knows a secret may: its requests are not counted, but those with a wrong secret are. */
    isService?: boolean
    /** What a user's token has to allow, which is decided before the body is read; left out where no user is asked for. */
    needs?: 'reading' | 'writing'
  }
}

/** A certificate in PEM, with those between it and the authority behind it, and its key. */
export interface TlsOptions {
  readonly cert: string
  readonly key: string
}

export interface AppOptions {
  /** Asked for every request; the port is known only when the server listens. */
  checkSource: CheckSource
  clientAddress: ClientAddress
  isSecure: IsSecure
  audit: Audit
  admission: Pick<Admission, 'request'>
  timing: Pick<Timing, 'headersMs' | 'requestMs'>
  webRoot: string | undefined
  logger: Logger
  /** Adds endpoints of its own. */
  addRoutes?: (app: FastifyInstance) => void
  /** Resolves if the server takes connections and can store what they bring. */
  checkReady: () => Promise<void>
  /** The server speaks TLS with these; plain HTTP if left out. */
  tls?: TlsOptions | undefined
}

/** Creates what answers plain HTTP. */
export async function createApp({
  checkSource,
  clientAddress,
  isSecure,
  audit,
  admission,
  timing,
  webRoot,
  logger,
  addRoutes,
  checkReady,
  tls,
}: AppOptions): Promise<FastifyInstance> {
  // Fastify's own log would have addresses in it, and addresses may have tokens in them.
  const app = Fastify({
    ...(tls ? { https: tls } : {}),
    logger: false,
    // Requests that are under way when the server stops are answered.
    forceCloseConnections: 'idle',
    requestTimeout: timing.requestMs,
    // Nor may the response wait longer for a client that does not read it.
    connectionTimeout: timing.requestMs,
    http: {
      headersTimeout: timing.headersMs,
      connectionsCheckingInterval: Math.ceil(timing.headersMs / 2),
    },
    // What a client sends is taken as it is, or refused.
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allowUnionTypes: true,
      },
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  })

  // A web page can post a form or plain text to any address without being asked; JSON it cannot.
  app.removeContentTypeParser('text/plain')

  const note = (request: FastifyRequest, code: number, reason: string): void => {
    const kind = kindOfStatus(code)
    if (kind !== null) audit({ kind, at: 'http', code, reason, remoteAddress: clientAddress(request.raw) })
  }
  // Hooks with a callback: each of those that are `async` costs every request a turn of the microtask queue.
  app.addHook('onRequest', (request, reply, done) => {
    const { host, origin } = request.headers
    const wrong = checkSource({ host, origin })
    if (wrong !== null) {
      note(request, FORBIDDEN, wrong)
      reply.code(FORBIDDEN).send({ error: 'forbidden', message: wrong })
      return
    }
    const { isService } = request.routeOptions.config
    const address = clientAddress(request.raw)
    const amount = isService ? NOTHING : { requests: 1, bytes: announcedBytes(request) }
    const waitMs = admission.request(address, amount)
    if (!isService) meterChunked(request, (bytes) => void admission.request(address, { requests: 0, bytes }))
    if (waitMs > 0) {
      note(request, TOO_MANY, TOO_MANY_REASON)
      const answer = {
        error: 'rate-limited',
        message: TOO_MANY_REASON,
        msg: TOO_MANY_REASON,
        status: TOO_MANY,
      }
      reply.code(TOO_MANY).header('retry-after', toSeconds(waitMs)).send(answer)
    } else if (request.is404 && request.method !== 'GET' && request.method !== 'HEAD') {
      // Without reading the body, which the handler of unknown paths would do.
      reply.code(NOT_FOUND).send({ error: 'not-found' })
    } else done()
  })
  app.addHook('preParsing', countBody)
  app.addHook('onResponse', (request, reply, done) => {
    const isRefused = reply.statusCode === UNAUTHENTICATED || reply.statusCode === FORBIDDEN
    if (isRefused && request.routeOptions.config.isService)
      admission.request(clientAddress(request.raw), { requests: 1, bytes: announcedBytes(request) })
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.headers(SAFE_HEADERS)
    if (isSecure(request.raw)) reply.header('strict-transport-security', HSTS)
    // Whoever is refused by the head of the request may still be sending its body.
    discardBody(request)
    const sent = sentBytes(payload)
    if (sent > 0 && !request.routeOptions.config.isService)
      admission.request(clientAddress(request.raw), { requests: 0, bytes: sent })
    done(null, payload)
  })
  app.setErrorHandler<Error & { statusCode?: number; code?: string }>((error, request, reply) => {
    const status = error.statusCode ?? 500
    note(request, status, error.message)
    if (status < 500)
      return reply.code(status).send({ error: error.code ?? 'bad-request', message: error.message })
    logger.error({ err: error, route: request.routeOptions.url }, 'a request failed')
    return reply.code(500).send({ error: 'internal' })
  })

  app.get('/healthz', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return { status: 'ok' }
  })
  app.get('/readyz', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    try {
      await checkReady()
      return { status: 'ready' }
    } catch (error) {
      logger.warn({ err: error }, 'the server is not ready')
      return reply.code(503).send({ status: 'unavailable' })
    }
  })
  app.get('/sync/*', async (_request, reply) =>
    reply
      .code(426)
      .header('upgrade', 'websocket')
      .send({ error: 'upgrade-required', message: 'Connect by WebSocket' }),
  )
  addRoutes?.(app)
  if (webRoot === undefined)
    app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not-found' }))
  else await serveWebFiles(app, webRoot)
  return app
}
