import type { FastifyInstance } from 'fastify'

const NO_CONTENT = 204
/** How long a browser need not ask again, in seconds. */
const MAX_AGE_S = 600

/**
 * Lets web pages of the allowed origins read the answers. Requests of other origins were refused before they came here, so
 * whatever `Origin` is left may.
 */
export function addCors(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    reply.header('vary', 'origin')
    if (origin !== undefined) reply.header('access-control-allow-origin', origin)
    done()
  })
  app.options('*', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .code(NO_CONTENT)
      .header('access-control-allow-methods', 'POST, PUT, DELETE')
      .header('access-control-allow-headers', 'authorization, content-type, token')
      .header('access-control-max-age', String(MAX_AGE_S))
      .send(),
  )
}
