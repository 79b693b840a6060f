import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { ServerError } from '../errors.js'

/** The build gives these files a name with a hash of what is in them. */
const ASSETS = '/assets/'
const YEAR_SECONDS = 365 * 24 * 60 * 60

/**
 * What a page may load: only what comes from here. `ws:` and `wss:` are named because older browsers do not count
 * WebSockets of the same address as 'self'; `data:` and `blob:` pictures are avatars.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ')

/**
 * Serves a built web app: its files, and its `index.html` for every other address that a person opens.
 *
 * @throws ServerError with code `invalid-argument` if there is no `index.html` in `root`
 */
export async function serveWebFiles(app: FastifyInstance, root: string): Promise<void> {
  const folder = resolve(root)
  const index = await stat(join(folder, 'index.html')).catch(() => null)
  if (!index?.isFile()) throw new ServerError('invalid-argument', `there is no index.html in ${folder}`)
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    setHeaders(response, path) {
      const hashed = path.slice(folder.length).replaceAll('\\', '/').startsWith(ASSETS)
      response.setHeader('cache-control', hashed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache')
      response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY)
    },
  })
  app.setNotFoundHandler((request, reply) => {
    const opened = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
    // A page that asks for a file of an earlier build must not get HTML for it.
    if (opened && !request.url.startsWith(ASSETS)) return reply.sendFile('index.html')
    return reply.code(404).send({ error: 'not-found' })
  })
}
