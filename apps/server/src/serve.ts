import {
  type Authenticate,
  type Bus,
  createAdmin,
  createJwtAuthenticate,
  createMemoryLog,
  createMetrics,
  createServer,
  createWukongNotifier,
  defaultLimits,
  guardLogger,
  type Logger,
  type LogStore,
  type Metrics,
  openControlServer,
  openLevelLog,
  ServerError,
  type ServerOptions,
  tuneGarbageCollection,
  type WukongNotifier,
  withDiskFloor,
} from '@parley/server'
import { pino } from 'pino'
import { auditPath, createAuditLog, type WriteAudit, withAuditedQuarantine } from './auditLog.js'
import type { Output } from './commands.js'
import { fitConnections, openFilesLimit, openFilesOf } from './openFiles.js'
import { openShared } from './openShared.js'
import { readServeSettings, type ServeSettings } from './settings.js'
import { placeOf } from './storeSettings.js'
import { followTls, loadTls } from './tlsFiles.js'
import { UsageError } from './usage.js'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** How long after all is closed the process may take to end by itself. */
const LEAVE_TIMEOUT_MS = 2_000

/** `parley serve`: runs until it is told to stop, then resolves when everything is stored and closed. */
export async function runServe(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { out }: Output,
): Promise<void> {
  const asked = readServeSettings(args, env)
  const folder = asked.store.kind === 'level' ? asked.store.folder : null
  const connections = fitConnections(asked.limits.connections, await openFilesOf(folder), openFilesLimit())
  const settings = { ...asked, limits: { ...asked.limits, connections } }
  tuneGarbageCollection()
  const { store: kept, web } = settings
  const auth = authOf(settings)
  // To standard error: what a person is told stays readable in between.
  const destination = pino.destination({ dest: 2, sync: true })
  const logger = guardLogger(pino({ level: settings.logLevel }, destination))
  if (connections < (asked.limits.connections ?? defaultLimits.connections)) {
    logger.info({ connections }, 'the limit to connections is lower than its default, for ulimit -n is low')
  }
  const stopAsked = whenAskedToStop()
  const wukong = wukongOf(settings, logger)
  const metrics = createMetrics()
  const { store, bus } = await openStore(
    settings,
    logger,
    metrics,
    createAuditLog(auditPath(settings.store, env)),
  )
  const opened: Array<{ close: () => Promise<void> }> = []
  try {
    const options = { ...serverOptions(settings, wukong), ...(bus ? { bus } : {}) }
    const server = await createServer({ ...options, store, auth, logger, metrics })
    opened.push(server)
    if (settings.tls) {
      const stop = followTls(settings.tls, server.reloadTls, logger)
      opened.push({ close: async () => stop() })
    }
    const { url } = await server.listen()
    // A command that finds a database opens it beside this server.
    if (kept.kind === 'level') {
      const admin = createAdmin({ store, rooms: server.rooms, revoke: server.revoke, keep: settings.keep })
      opened.push(await openControlServer({ admin, folder: kept.folder, logger }))
    }
    out(`Parley is at ${url}\n`)
    out(
      kept.kind === 'memory'
        ? 'Everything is forgotten when it stops.\n'
        : `What it keeps is in ${placeOf(kept)}\n`,
    )
    if (web !== undefined) out(whatToTry(url))
    await stopAsked
  } finally {
    await Promise.all(opened.map(({ close }) => close()))
    await wukong?.close()
    // A server closes its store itself, and does not wait for it without end.
    if (opened.length === 0) {
      await bus?.close()
      await store.close()
    }
    leaveInTime(kept, logger)
  }
}

/** Opens what everything is kept in, and the way to the other servers that do the same. */
async function openStore(
  { store: kept, limits }: ServeSettings,
  logger: Logger,
  { batchWritten }: Metrics,
  writeAudit: WriteAudit,
): Promise<{ store: LogStore; bus?: Bus }> {
  if (kept.kind === 'memory') return { store: createMemoryLog() }
  if (kept.kind === 'postgres') {
    const shared = await openShared(kept, { logger, onBatch: batchWritten })
    return { ...shared, store: withAuditedQuarantine(shared.store, writeAudit, logger) }
  }
  const store = await openLevelLog({
    folder: kept.folder,
    onBatch: batchWritten,
    onCorrected(files, copy) {
      for (const { file, reason } of files)
        logger.error({ file, reason }, `a damaged file was corrected; a copy as it was is in ${copy}`)
      const detail = { files: files.map(({ file, reason }) => `${file}: ${reason}`), copy }
      void writeAudit({ action: 'correct-files', result: 'ok', detail }).catch((error: unknown) =>
        logger.error({ err: error }, 'the audit log cannot be written'),
      )
    },
    onReadOnly() {
      logger.error(
        {},
        'the disk takes no writes: what is stored is served, updates are refused until it does',
      )
    },
  })
  const { freeDiskBytes } = { ...defaultLimits, ...limits }
  const audited = withAuditedQuarantine(store, writeAudit, logger)
  return { store: await withDiskFloor(audited, { folder: kept.folder, minFreeBytes: freeDiskBytes }) }
}

/** Resolves when somebody wants the process to end. */
function whenAskedToStop(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = (): void => {
      // Whoever asks again, in whichever way, does not want to wait, and gets what the system does by default.
      for (const signal of SIGNALS) process.off(signal, onSignal)
      resolve()
    }
    for (const signal of SIGNALS) process.on(signal, onSignal)
  })
}

/**
 * Ends the process if it does not end by itself. A disk that does not answer holds the threads that asked it, and
 * `process.exit` waits for threads: only the system gets past them. A database elsewhere holds none.
 */
function leaveInTime(store: ServeSettings['store'], logger: Logger): void {
  const leave = (): void => {
    logger.error({}, 'the store does not answer: the process ends without it')
    if (store.kind === 'level') process.kill(process.pid, 'SIGKILL')
    else process.exit()
  }
  setTimeout(leave, LEAVE_TIMEOUT_MS).unref()
}

function serverOptions(
  settings: ServeSettings,
  wukong: WukongNotifier | null,
): Omit<ServerOptions, 'store' | 'auth'> {
  const {
    host,
    port,
    origins,
    trustProxy,
    limits,
    web,
    ingestToken,
    webhookToken,
    keep,
    metricsToken,
    stopDelayMs,
    drainMs,
    tls,
  } = settings
  return {
    host,
    port,
    origins,
    trustProxy,
    limits,
    timing: { stopDelayMs, drainMs },
    gateway: {
      keep,
      ...(ingestToken === undefined ? {} : { ingestToken }),
      ...(webhookToken === undefined ? {} : { webhookToken }),
      ...(wukong ? { notify: wukong.notify } : {}),
    },
    ...(metricsToken === undefined ? {} : { metricsToken }),
    ...(web === undefined ? {} : { webRoot: web }),
    ...(tls === undefined ? {} : { tls: loadTls(tls) }),
  }
}

function authOf({
  auth,
  jwtSecret,
  jwtSecretPrevious,
  jwksUrl,
  jwtIssuer,
  jwtAudience,
}: ServeSettings): 'open' | Authenticate {
  if (auth === 'open') return auth
  return createJwtAuthenticate({
    ...(jwtSecret === undefined
      ? {}
      : { secret: jwtSecretPrevious === undefined ? jwtSecret : [jwtSecret, jwtSecretPrevious] }),
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
