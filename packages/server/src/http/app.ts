import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { type Audit, kindOfStatus } from '../access/audit.js'
import type { ClientAddress } from '../access/clientAddress.js'
import type { CheckSource } from '../access/origins.js'
import type { Timing } from '../limits.js'
import type { Logger } from '../logger.js'
import { serveWebFiles } from './webFiles.js'

/** An id of 200 characters, each of them percent-encoded. */
const MAX_PARAM_LENGTH = 200 * 12
const FORBIDDEN = 403

/** What every answer tells browsers: to take it for what it says it is, and to keep it from other origins. */
const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
} as const

export interface AppOptions {
  /** Asked for every request; the port is known only when the server listens. */
  checkSource: CheckSource
  clientAddress: ClientAddress
  audit: Audit
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
    if (wrong === null) {
      done()
      return
    }
    note(request, FORBIDDEN, wrong)
    reply.code(FORBIDDEN).send({ error: 'forbidden', message: wrong })
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
