import { parseArgs } from 'node:util'
import type { Keep, Limits } from '@parley/server'
import { findSimilar } from './findSimilar.js'
import { readLimits } from './readLimits.js'
import {
  type LastingStore,
  readLastingStore,
  readStore,
  STORE_FLAGS,
  type StoreSettings,
} from './storeSettings.js'
import { readTlsFiles, type TlsFiles } from './tlsFiles.js'
import { UsageError } from './usage.js'

/** What `parley serve` was asked for. */
export interface ServeSettings {
  readonly host: string
  readonly port: number
  readonly store: StoreSettings
  readonly auth: 'open' | 'jwt'
  readonly jwtSecret: string | undefined
  /** Tokens that it signed are taken too. */
  readonly jwtSecretPrevious: string | undefined
  readonly jwksUrl: string | undefined
  readonly jwtIssuer: string | undefined
  readonly jwtAudience: string | undefined
  readonly trustProxy: readonly string[]
  readonly limits: Partial<Limits>
  readonly ingestToken: readonly string[] | undefined
  readonly webhookToken: readonly string[] | undefined
  readonly keep: Keep
  readonly wukongUrl: string | undefined
  readonly wukongToken: string | undefined
  readonly metricsToken: string | undefined
  readonly stopDelayMs: number
  readonly drainMs: number
  readonly origins: readonly string[]
  readonly web: string | undefined
  readonly logLevel: LogLevel
  readonly tls: TlsFiles | undefined
}

export type LogLevel = (typeof LOG_LEVELS)[number]

/** What `revoke` was asked for. */
export interface RevokeSettings {
  readonly store: LastingStore
  readonly user: string
  readonly device: string | undefined
  /** In milliseconds since 1970. */
  readonly before: number | undefined
}

/** What the commands that work on one user were asked for. */
export interface UserSettings {
  readonly store: LastingStore
  readonly user: string
}

/** What `import` was asked for. */
export interface ImportSettings {
  readonly store: LastingStore
  /** Left out for the user that an export names. */
  readonly user: string | undefined
  /** `-` for standard input. */
  readonly file: string
  readonly keep: Keep
  /** True to make a data folder where there is none. */
  readonly create: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const MAX_PORT = 65_535
/** The slowest load balancers look once in half a minute. */
const MAX_STOP_DELAY_S = 60
/** A hundred thousand connections, and not too many a second for the other nodes. */
const MAX_DRAIN_S = 300
const MS_PER_S = 1000
/** The first is what is logged if nothing is said. */
const LOG_LEVELS = ['warn', 'silent', 'error', 'info', 'debug'] as const

const SERVE_FLAGS = {
  host: { type: 'string' },
  port: { type: 'string' },
  ...STORE_FLAGS,
  auth: { type: 'string' },
  origin: { type: 'string', multiple: true },
  web: { type: 'string' },
  keep: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
} as const

const IMPORT_FLAGS = {
  ...STORE_FLAGS,
  user: { type: 'string' },
  create: { type: 'boolean' },
} as const

const EXPORT_FLAGS = {
  ...STORE_FLAGS,
  user: { type: 'string' },
  readable: { type: 'boolean' },
} as const

const REVOKE_FLAGS = {
  ...STORE_FLAGS,
  user: { type: 'string' },
  device: { type: 'string' },
  before: { type: 'string' },
} as const

const VERIFY_FLAGS = {
  ...STORE_FLAGS,
  repair: { type: 'boolean' },
} as const

const USER_FLAGS = {
  ...STORE_FLAGS,
  user: { type: 'string' },
} as const

/**
 * Reads the flags of `serve`, and the variables where a flag is left out.
 *
 * @throws UsageError that names the flag
 */
export function readServeSettings(args: readonly string[], env: Environment): ServeSettings {
  const { values } = parse(args, SERVE_FLAGS, 0)
  return {
    host: values.host ?? env.PARLEY_HOST ?? '127.0.0.1',
    port: readPort(values.port ?? env.PARLEY_PORT ?? '4300'),
    store: readStore(values, env),
    auth: readChoice('--auth', values.auth ?? env.PARLEY_AUTH, ['open', 'jwt'] as const),
    jwtSecret: env.PARLEY_JWT_SECRET,
    jwtSecretPrevious: env.PARLEY_JWT_SECRET_PREVIOUS || undefined,
    jwksUrl: env.PARLEY_JWKS_URL,
    jwtIssuer: env.PARLEY_JWT_ISSUER || undefined,
    jwtAudience: env.PARLEY_JWT_AUDIENCE || undefined,
    trustProxy: readList([env.PARLEY_TRUST_PROXY ?? '']),
    limits: readLimits(readList([env.PARLEY_LIMITS ?? ''])),
    ingestToken: readSecrets(env, 'PARLEY_INGEST_TOKEN'),
    webhookToken: readSecrets(env, 'PARLEY_WEBHOOK_TOKEN'),
    keep: readKeep(values.keep, env),
    wukongUrl: env.PARLEY_WUKONG_URL,
    wukongToken: env.PARLEY_WUKONG_TOKEN,
    metricsToken: env.PARLEY_METRICS_TOKEN || undefined,
    stopDelayMs: readSeconds('PARLEY_STOP_DELAY', env.PARLEY_STOP_DELAY || '1', MAX_STOP_DELAY_S),
    drainMs: readSeconds('PARLEY_DRAIN', env.PARLEY_DRAIN || '2', MAX_DRAIN_S),
    origins: readList(values.origin ?? [env.PARLEY_ORIGINS ?? '']),
    web: values.web ?? env.PARLEY_WEB,
    logLevel: readChoice('PARLEY_LOG_LEVEL', env.PARLEY_LOG_LEVEL, LOG_LEVELS),
    tls: readTlsFiles(values['tls-cert'] ?? env.PARLEY_TLS_CERT, values['tls-key'] ?? env.PARLEY_TLS_KEY),
  }
}

/**
 * Reads the flags of a command that works on one user.
 *
 * @throws UsageError that names what is missing or not understood
 */
export function readUserSettings(args: readonly string[], env: Environment): UserSettings {
  const { values } = parse(args, USER_FLAGS, 0)
  return { store: readLastingStore(values, env), user: requireUser(values.user) }
}

/**
 * Reads the flags of `export`.
 *
 * @throws UsageError that names what is missing or not understood
 */
export function readExportSettings(
  args: readonly string[],
  env: Environment,
): UserSettings & { readonly readable: boolean } {
  const { values } = parse(args, EXPORT_FLAGS, 0)
  const { user, readable, ...flags } = values
  return { store: readLastingStore(flags, env), user: requireUser(user), readable: readable === true }
}

/**
 * Reads the flags of `import`, and the file.
 *
 * @throws UsageError that names what is missing or not understood
 */
export function readImportSettings(args: readonly string[], env: Environment): ImportSettings {
  const { values, positionals } = parse(args, IMPORT_FLAGS, 1)
  const [file = '-'] = positionals
  const { user, create, ...flags } = values
  const store = readLastingStore(flags, env)
  return { store, user, file, keep: readKeep(undefined, env), create: create === true }
}

function requireUser(user: string | undefined): string {
  if (!user) throw new UsageError('--user UID is missing: whose conversations are meant?')
  return user
}

/**
 * Reads the flags of `revoke`.
 *
 * @throws UsageError that names what is missing or not understood
 */
export function readRevokeSettings(args: readonly string[], env: Environment): RevokeSettings {
  const { user, device, before, ...flags } = parse(args, REVOKE_FLAGS, 0).values
  if (!user) throw new UsageError('--user UID is missing: whose tokens are meant?')
  const time = before === undefined ? undefined : Date.parse(before)
  if (Number.isNaN(time)) {
    throw new UsageError(`--before must be a time such as 2026-01-31T12:00:00Z, not ${before}`)
  }
  return { store: readLastingStore(flags, env), user, device, before: time }
}

/**
 * Reads the flags of a command that works on a backup, and the folder it is in.
 *
 * @throws UsageError that names what is missing or not understood
 */
export function readBackupSettings(
  args: readonly string[],
  env: Environment,
): { readonly store: LastingStore; readonly folder: string } {
  const { values, positionals } = parse(args, STORE_FLAGS, 1)
  const [folder] = positionals
  if (!folder) throw new UsageError('DIR is missing: in which folder is the backup?')
  return { store: readLastingStore(values, env), folder }
}

/**
 * Reads the flags of `verify`.
 *
 * @throws UsageError that names what is not understood
 */
export function readVerifySettings(
  args: readonly string[],
  env: Environment,
): { readonly store: LastingStore; readonly repair: boolean } {
  const { values } = parse(args, VERIFY_FLAGS, 0)
  return { store: readLastingStore(values, env), repair: values.repair === true }
}

function parse<
  Flags extends
    | typeof SERVE_FLAGS
    | typeof USER_FLAGS
    | typeof EXPORT_FLAGS
    | typeof IMPORT_FLAGS
    | typeof REVOKE_FLAGS
    | typeof STORE_FLAGS
    | typeof VERIFY_FLAGS,
>(args: readonly string[], options: Flags, files: number) {
  try {
    const parsed = parseArgs({ args: [...args], options, strict: true, allowPositionals: true })
    const extra = parsed.positionals[files]
    if (extra !== undefined) throw new UsageError(`${extra} is not understood here`)
    return parsed
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(unknownFlag(args, Object.keys(options)) ?? error.message)
    throw error
  }
}

/** What is wrong with a flag that is not known, and which one may be meant; `null` if all are known. */
function unknownFlag(args: readonly string[], known: readonly string[]): string | null {
  const given = args.flatMap((arg) => /^--([^=]+)/.exec(arg)?.[1] ?? [])
  const name = given.find((one) => !known.includes(one))
  if (name === undefined) return null
  const meant = findSimilar(name, known)
  const list = known.map((one) => `--${one}`).join(', ')
  return `There is no flag --${name} here${meant ? `; is --${meant} meant?` : `, but ${list}`}`
}

function readKeep(flag: string | undefined, env: Environment): Keep {
  return readChoice('--keep', flag ?? env.PARLEY_KEEP, ['payload', 'digest', 'nothing'] as const)
}

function readPort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > MAX_PORT) {
    throw new UsageError(`--port must be a number from 0 to ${MAX_PORT}, not ${text}`)
  }
  return Number(text)
}

function readSeconds(name: string, text: string, max: number): number {
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(text) || Number(text) > max) {
    throw new UsageError(`${name} must be a number of seconds from 0 to ${max}, not ${text}`)
  }
  return Number(text) * MS_PER_S
}

/** A secret and the one it replaces, which is valid until its variable is removed; `undefined` if there is none. */
function readSecrets(env: Environment, name: string): readonly string[] | undefined {
  const secrets = [env[name], env[`${name}_PREVIOUS`]].filter(
    (secret) => secret !== undefined && secret !== '',
  )
  return secrets.length > 0 ? (secrets as string[]) : undefined
}

/** What lists that separate by commas hold. */
function readList(lists: readonly string[]): string[] {
  return lists
    .flatMap((list) => list.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** One of a flag's values; the first if nothing is said. */
function readChoice<Choice extends string>(
  flag: string,
  value: string | undefined,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  if (value === undefined || value === '') return choices[0]
  const choice = choices.find((one) => one === value)
  if (choice === undefined) throw new UsageError(`${flag} must be ${choices.join(' or ')}, not ${value}`)
  return choice
}
