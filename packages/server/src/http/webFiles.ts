import { realpathSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { ServerError } from '../errors.js'

/** A host name or address with a port, and nothing that would end a directive. */
const HOST = /^[\w.:[\]-]{1,255}$/

/** What a path is that there is not; the second, below a file. */
const MISSING = new Set(['ENOENT', 'ENOTDIR'])

/** The build gives these files a name with a hash of what is in them. */
const ASSETS = '/assets/'
const YEAR_SECONDS = 365 * 24 * 60 * 60

/**
 * What a page may load: only what comes from here; `data:` and `blob:` pictures are avatars. `host` is the address under which
 * the page was asked for: older browsers do not count WebSockets of the same address as 'self'.
 */
const contentSecurityPolicy = (host: string | undefined): string =>
  [
    "default-src 'self'",
    HOST.test(host ?? '') ? `connect-src 'self' ws://${host} wss://${host}` : "connect-src 'self'",
    "img-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; ')

/** Features of browsers that the web app does not use. */
const PERMISSIONS_POLICY = 'camera=(), geolocation=(), microphone=(), payment=(), usb=()'

/**
 * Serves a built web app: its files, and its `index.html` for every other address that a person opens.
 *
 * @throws ServerError with code `invalid-argument` if there is no `index.html` in `root`
 */
export async function serveWebFiles(app: FastifyInstance, root: string): Promise<void> {
  const folder = resolve(root)
  const index = await stat(join(folder, 'index.html')).catch(() => null)
  if (!index?.isFile()) throw new ServerError('invalid-argument', `there is no index.html in ${folder}`)
  const real = await realpath(folder)
  /** False for what a link leads out of the folder. What does not exist is refused as not found later. */
  const isInside = (path: string): boolean => {
    const isBelow = (file: string): boolean => {
      try {
        const target = realpathSync(join(real, file))
        return target === real || target.startsWith(real + sep)
      } catch (error) {
        return MISSING.has((error as NodeJS.ErrnoException).code ?? '')
      }
    }
    try {
      const decoded = decodeURIComponent(path)
      return isBelow(decoded) && isBelow(join(decoded, 'index.html'))
    } catch {
      return false
    }
  }
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    dotfiles: 'deny',
    allowedPath: (path) => isInside(path),
    setHeaders(response, path) {
      const hashed = path.slice(folder.length).replaceAll('\\', '/').startsWith(ASSETS)
      response.setHeader('cache-control', hashed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache')
    },
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    // Whatever a browser may show by itself, pictures with scripts included; JSON it does not.
    if (!String(reply.getHeader('content-type') ?? '').startsWith('application/json')) {
      reply.header('content-security-policy', contentSecurityPolicy(request.headers.host))
      reply.header('permissions-policy', PERMISSIONS_POLICY)
    }
    done(null, payload)
  })
  app.setNotFoundHandler((request, reply) => {
    const opened = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
    // A page that asks for a file of an earlier build must not get HTML for it.
    if (opened && !request.url.startsWith(ASSETS)) return reply.sendFile('index.html')
    return reply.code(404).send({ error: 'not-found' })
  })
}
