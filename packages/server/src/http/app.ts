import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { type Audit, kindOfStatus } from '../access/audit.js'
import type { ClientAddress } from '../access/clientAddress.js'
import type { CheckSource } from '../access/origins.js'
import type { Admission } from '../admission/admission.js'
import type { Timing } from '../limits.js'
import type { Logger } from '../logger.js'
import { toSeconds } from './retryAfter.js'
import { serveWebFiles } from './webFiles.js'

/** An id of 200 characters, each of them percent-encoded. */
const MAX_PARAM_LENGTH = 200 * 12
const UNAUTHENTICATED = 401
const FORBIDDEN = 403
const TOO_MANY = 429
const TOO_MANY_REASON = 'too many requests from one address'

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
  }
}

export interface AppOptions {
  /** Asked for every request; the port is known only when the server listens. */
  checkSource: CheckSource
  clientAddress: ClientAddress
  audit: Audit
  admission: Pick<Admission, 'request'>
  timing: Pick<Timing, 'headersMs' | 'requestMs'>
  webRoot: string | undefined
  logger: Logger
  /** Adds endpoints of its own. */
  addRoutes?: (app: FastifyInstance) => void
  /** Resolves if the server takes connections and can store what they bring. */
  checkReady: () => Promise<void>
}

/** Creates what answers plain HTTP. */
export async function createApp({
  checkSource,
  clientAddress,
  audit,
  admission,
  timing,
  webRoot,
  logger,
  addRoutes,
  checkReady,
}: AppOptions): Promise<FastifyInstance> {
  // Fastify's own log would have addresses in it, and addresses may have tokens in them.
  const app = Fastify({
    logger: false,
    // Requests that are under way when the server stops are answered.
    forceCloseConnections: 'idle',
    requestTimeout: timing.requestMs,
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
    const bytes = isService ? 0 : Number(request.headers['content-length'] ?? 0)
    const waitMs = admission.request(clientAddress(request.raw), { requests: isService ? 0 : 1, bytes })
    if (waitMs > 0) {
      note(request, TOO_MANY, TOO_MANY_REASON)
      const answer = {
        error: 'rate-limited',
        message: TOO_MANY_REASON,
        msg: TOO_MANY_REASON,
        status: TOO_MANY,
      }
      reply.code(TOO_MANY).header('retry-after', toSeconds(waitMs)).send(answer)
    } else done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const isWrongSecret = reply.statusCode === UNAUTHENTICATED && request.routeOptions.config.isService
    if (isWrongSecret) admission.request(clientAddress(request.raw), { requests: 1, bytes: 0 })
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    reply.headers(SAFE_HEADERS)
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
