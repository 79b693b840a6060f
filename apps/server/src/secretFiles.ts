import { readFileSync, statSync } from 'node:fs'
import { UsageError } from './usage.js'

/** The settings that are secret, or hold a secret. Each may be in a file, which the variable with `_FILE` behind its name names. */
export const SECRETS = [
  'PARLEY_JWT_SECRET',
  'PARLEY_JWT_SECRET_PREVIOUS',
  'PARLEY_INGEST_TOKEN',
  'PARLEY_INGEST_TOKEN_PREVIOUS',
  'PARLEY_WEBHOOK_TOKEN',
  'PARLEY_WEBHOOK_TOKEN_PREVIOUS',
  'PARLEY_WUKONG_TOKEN',
  'PARLEY_METRICS_TOKEN',
  'PARLEY_DATABASE_URL',
  'PARLEY_REDIS_URL',
] as const

/** Container runtimes put secrets there, as files that all users of the container may read. */
const RUNTIME_FOLDER = '/run/secrets/'
const WRITABLE_BY_OTHERS = 0o022
const READABLE_BY_OTHERS = 0o044
const MAX_BYTES = 64 * 1024

/**
 * Reads the secrets that are in files, so that they are in no list of processes and in no `docker inspect`.
 *
 * @returns the environment with them in it
 * @throws UsageError that names the variable and what to do
 */
export function withSecretFiles(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const found: NodeJS.ProcessEnv = { ...env }
  for (const name of SECRETS) {
    const variable = `${name}_FILE`
    const path = env[variable]
    if (path === undefined || path === '') continue
    if (env[name] !== undefined && env[name] !== '') {
      throw new UsageError(`${name} and ${variable} are both set: leave out one of them`)
    }
    found[name] = readSecret(variable, path)
  }
  return found
}

function readSecret(variable: string, path: string): string {
  let text: string
  try {
    const { mode, size } = statSync(path)
    checkMode(variable, path, mode)
    if (size > MAX_BYTES)
      throw new UsageError(`${variable}: ${path} is larger than ${MAX_BYTES} bytes; it is no secret`)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof UsageError) throw error
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read'
    throw new UsageError(`${variable}: ${path} cannot be read (${reason})`)
  }
  // Editors and `echo` end a file with a line feed, which is not part of the secret.
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '') throw new UsageError(`${variable}: ${path} is empty`)
  if (/[\r\n]/.test(secret))
    throw new UsageError(`${variable}: ${path} has more than one line; a secret is one`)
  if (secret !== secret.trim()) {
    throw new UsageError(
      `${variable}: ${path} begins or ends with a space, which would be part of the secret; remove it`,
    )
  }
  return secret
}

function checkMode(variable: string, path: string, mode: number): void {
  if (mode & WRITABLE_BY_OTHERS) {
    throw new UsageError(`${variable}: other users may write ${path}; run chmod 600 ${path}`)
  }
  if (mode & READABLE_BY_OTHERS && !path.startsWith(RUNTIME_FOLDER)) {
    throw new UsageError(`${variable}: other users may read ${path}; run chmod 600 ${path}`)
  }
}
