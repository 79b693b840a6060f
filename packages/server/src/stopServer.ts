import { CLOSE_CODES } from '@parley/core'
import type { FastifyInstance } from 'fastify'
import type { Connection } from './connection/connection.js'
import type { Timing } from './limits.js'
import type { Logger } from './logger.js'

export interface StopOptions {
  readonly timing: Pick<Timing, 'stopDelayMs' | 'drainMs' | 'stopTimeoutMs'>
  readonly logger: Logger
  readonly app: FastifyInstance
  readonly connections: Iterable<Connection>
  /** Called when no more connections are to be taken. */
  readonly refuseConnections: () => void
  /** What is closed when nobody is connected any more, one after the other. */
  readonly closeLast: ReadonlyArray<() => Promise<void>>
}

/**
 * Stops a server in steps: whoever watches whether it is ready is given time to notice; it takes no more connections; each
 * connection's updates are stored and it is closed with 1012, one after the other over a while, for a thousand clients that
 * return at once are a stampede; requests are answered; the rest is closed.
 *
 * It never rejects, and ends in time whatever clients and the store do. What is left unfinished then was not acknowledged.
 */
export async function stopServer(options: StopOptions): Promise<void> {
  const { timing, logger, app, connections, refuseConnections, closeLast } = options
  if (app.server.listening) await delay(timing.stopDelayMs)
  refuseConnections()
  // Stops listening; its callback waits for the connections, which are closed below.
  app.server.close()
  app.server.closeIdleConnections()
  const all = [...connections]
  logger.info({ connections: all.length }, 'stopping')
  const deadline = performance.now() + timing.drainMs + timing.stopTimeoutMs

  /** Waits for a step as long as there is time; then goes on without it. */
  const inTime = async (what: string, step: () => Promise<unknown>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(
        () => {
          logger.error({}, `${what} could not be finished in time`)
          resolve()
        },
        Math.max(0, deadline - performance.now()),
      )
    })
    try {
      await Promise.race([step(), late])
    } catch (error) {
      logger.error({ err: error }, `${what} could not be finished`)
    } finally {
      clearTimeout(timer)
    }
  }

  await inTime('connections', () =>
    Promise.all(
      all.map(async (connection, index) => {
        await delay((timing.drainMs * index) / Math.max(1, all.length - 1))
        await connection.finish(CLOSE_CODES.serviceRestart, 'the server stops')
      }),
    ),
  )
  await inTime('requests', () => app.close())
  app.server.closeAllConnections()
  for (const close of closeLast) await inTime('the store', close)
  logger.info({}, 'stopped')
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
