import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createMemoryLog, createServer } from '@parley/server'

/** The only part of a fastify instance that is used here. */
interface WithRoutes {
  addHook: (
    name: 'onRoute',
    hook: (route: { readonly method: string | readonly string[]; readonly url: string }) => void,
  ) => void
}

/**
 * The route table of a server, as `METHOD path`: fastify announces each instance on a diagnostics channel when it is created, and
 * that instance reports each route that is added. HEAD is left out, which fastify adds for every GET.
 */
export async function listRoutes(webRoot: string): Promise<string[]> {
  const routes = new Set<string>()
  const onInstance = (message: unknown): void => {
    const { fastify } = message as { readonly fastify: WithRoutes }
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) if (one !== 'HEAD') routes.add(`${one} ${url}`)
    })
  }
  subscribe('fastify.initialization', onInstance)
  try {
    const server = await createServer({ store: createMemoryLog(), auth: 'open', port: 0, webRoot })
    await server.listen()
    await server.close()
  } finally {
    unsubscribe('fastify.initialization', onInstance)
  }
  return [...routes].sort()
}
