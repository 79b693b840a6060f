import type { FastifyInstance } from 'fastify'
import { bearerOf, isSecret } from '../access/secret.js'
import type { Metrics } from './metrics.js'

const UNAUTHENTICATED = 401
const NOT_FOUND = 404

/**
 * Adds `/metrics`, and counts the requests that the app answers.
 *
 * @param token what Prometheus has to show; `null` if everybody may look who reaches the server, `undefined` if nobody may
 */
export function addMetrics(app: FastifyInstance, metrics: Metrics, token: string | null | undefined): void {
  // With a callback: a promise for every request is more for the garbage collector.
  app.addHook('onResponse', (request, reply, done) => {
    metrics.requestFinished({
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    })
    done()
  })
  app.get('/metrics', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    if (token === undefined) return reply.code(NOT_FOUND).send({ error: 'not-found' })
    const given = bearerOf(request.headers)
    if (token !== null && (given === undefined || !isSecret(given, token))) {
      reply.header('www-authenticate', 'Bearer')
      throw Object.assign(new Error('the token is missing or wrong'), { statusCode: UNAUTHENTICATED })
    }
    return reply.type(metrics.contentType).send(await metrics.render())
  })
}
