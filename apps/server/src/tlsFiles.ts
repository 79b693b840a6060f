import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Logger, TlsOptions } from '@parley/server'
import { CommandError, UsageError } from './usage.js'

/** Where a server's certificate and its key are. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

/** How often the files are looked at: tools that renew certificates replace them. */
const WATCH_INTERVAL_MS = 10_000

/**
 * Reads which files the settings name.
 *
 * @throws UsageError if one of the two is missing
 */
export function readTlsFiles(cert: string | undefined, key: string | undefined): TlsFiles | undefined {
  if (!cert && !key) return undefined
  if (!cert) throw new UsageError('--tls-cert is missing beside --tls-key: where is the certificate?')
  if (!key) throw new UsageError('--tls-key is missing beside --tls-cert: where is the key?')
  return { cert, key }
}

/**
 * Reads a certificate, with those between it and the authority, and its key, and makes sure that they fit together.
 *
 * @throws CommandError that names the file, or says that the two do not fit
 */
export function loadTls({ cert, key }: TlsFiles): TlsOptions {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw new CommandError(
        `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  const options = { cert: read(cert), key: read(key) }
  try {
    createSecureContext(options)
  } catch (error) {
    throw new CommandError(
      `${cert} and ${key} are no certificate and its key: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  return options
}

/** Loads the files again when they change and on SIGHUP, until the returned function is called. Those that cannot be used change nothing. */
export function followTls(
  files: TlsFiles,
  use: (options: TlsOptions) => void,
  logger: Pick<Logger, 'info' | 'error'>,
): () => void {
  const reload = (): void => {
    try {
      use(loadTls(files))
      logger.info({ file: files.cert }, 'the certificate was loaded again')
    } catch (error) {
      logger.error(
        { err: error, file: files.cert },
        'the new certificate cannot be used; the server goes on with the earlier one',
      )
    }
  }
  process.on('SIGHUP', reload)
  for (const path of [files.cert, files.key]) {
    watchFile(path, { interval: WATCH_INTERVAL_MS, persistent: false }, reload)
  }
  return () => {
    process.off('SIGHUP', reload)
    for (const path of [files.cert, files.key]) unwatchFile(path, reload)
  }
}
