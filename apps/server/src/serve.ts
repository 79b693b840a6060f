import {
  type Authenticate,
  createAdmin,
  createJwtAuthenticate,
  createMemoryLog,
  createMetrics,
  createServer,
  createWukongNotifier,
  guardLogger,
  type Logger,
  openControlServer,
  openLevelLog,
  ServerError,
  type WukongNotifier,
} from '@parley/server'
import { pino } from 'pino'
import type { Output } from './commands.js'
import { readServeSettings, type ServeSettings } from './settings.js'
import { UsageError } from './usage.js'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** `parley serve`: runs until it is told to stop, then resolves when everything is stored and closed. */
export async function runServe(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { out }: Output,
): Promise<void> {
  const settings = readServeSettings(args, env)
  const {
    host,
    port,
    data,
    store: kind,
    origins,
    trustProxy,
    web,
    logLevel,
    ingestToken,
    metricsToken,
  } = settings
  const auth = authOf(settings)
  // To standard error: what a person is told stays readable in between.
  const logger = guardLogger(pino({ level: logLevel }, pino.destination({ dest: 2, sync: true })))
  const stopAsked = new Promise<void>((resolve) => {
    // Once: whoever asks twice does not want to wait, and gets what the system does by default.
    for (const signal of SIGNALS) process.once(signal, () => resolve())
  })
  const metrics = createMetrics()
  const store =
    kind === 'memory'
      ? createMemoryLog()
      : await openLevelLog({ folder: data, onBatch: metrics.batchWritten })
  const opened: Array<{ close: () => Promise<void> }> = [store]
  try {
    const wukong = wukongOf(settings, logger)
    if (wukong) opened.push(wukong)
    const gateway = {
      ...(ingestToken === undefined ? {} : { ingestToken }),
      ...(wukong ? { notify: wukong.notify } : {}),
    }
    const server = await createServer({
      store,
      auth,
      host,
      port,
      origins,
      trustProxy,
      logger,
      metrics,
      gateway,
      ...(metricsToken === undefined ? {} : { metricsToken }),
      ...(web === undefined ? {} : { webRoot: web }),
    })
    opened.push(server)
    const { url } = await server.listen()
    if (kind === 'level') {
      const admin = createAdmin({ store, rooms: server.rooms })
      opened.push(await openControlServer({ admin, folder: data, logger }))
    }
    out(`Parley is at ${url}\n`)
    out(kind === 'memory' ? 'Everything is forgotten when it stops.\n' : `What it keeps is in ${data}\n`)
    if (web !== undefined) out(whatToTry(url))
    await stopAsked
  } finally {
    for (const { close } of opened.reverse()) await close()
  }
}

function authOf({ auth, jwtSecret, jwksUrl, jwtIssuer, jwtAudience }: ServeSettings): 'open' | Authenticate {
  if (auth === 'open') return auth
  return createJwtAuthenticate({
    ...(jwtSecret === undefined ? {} : { secret: jwtSecret }),
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
    ...(jwtIssuer === undefined ? {} : { issuer: jwtIssuer }),
    ...(jwtAudience === undefined ? {} : { audience: jwtAudience }),
  })
}

function wukongOf({ wukongUrl, wukongToken }: ServeSettings, logger: Logger): WukongNotifier | null {
  if (wukongUrl === undefined || wukongUrl === '') return null
  try {
    const token = wukongToken === undefined ? {} : { token: wukongToken }
    return createWukongNotifier({ url: wukongUrl, ...token, logger })
  } catch (error) {
    if (error instanceof ServerError) throw new UsageError(`PARLEY_WUKONG_URL: ${error.message}`)
    throw error
  }
}

function whatToTry(url: string): string {
  return `
Try this:
  ${url}/             take the sample conversations, pin one, write a draft, open a second window
  ${url}/#/devices    two devices side by side: take both off the network, write into
                                   the same draft on each, and switch them on again
`
}
