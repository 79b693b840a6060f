import { UsageError } from './usage.js'

/** Where everything is kept. */
export type StoreSettings =
  | { readonly kind: 'level'; readonly folder: string }
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'postgres'
      readonly url: string
      /** Where nodes tell each other of what they wrote; without it they ask the database. */
      readonly redisUrl: string | undefined
    }

/** A store that is there when the process is not. */
export type LastingStore = Exclude<StoreSettings, { kind: 'memory' }>

/** The flags of all commands that open a store. */
export const STORE_FLAGS = {
  data: { type: 'string' },
  store: { type: 'string' },
} as const

interface StoreFlags {
  readonly data?: string | undefined
  readonly store?: string | undefined
}

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads where a server keeps everything.
 *
 * @throws UsageError that names the flag or the variable
 */
export function readStore(flags: StoreFlags, env: Environment): StoreSettings {
  const kind = flags.store ?? env.PARLEY_STORE
  if (kind === undefined || kind === '' || kind === 'level') {
    const folder = flags.data ?? env.PARLEY_DATA ?? '.parley'
    if (folder === '') throw new UsageError('--data must name a folder')
    return { kind: 'level', folder }
  }
  if (kind === 'memory') return { kind }
  if (kind !== 'postgres') throw new UsageError(`--store must be level, memory or postgres, not ${kind}`)
  const url = env.PARLEY_DATABASE_URL ?? ''
  if (url === '') {
    throw new UsageError(
      'PARLEY_DATABASE_URL is missing: where is PostgreSQL? It is like postgres://host/database',
    )
  }
  return { kind, url, redisUrl: env.PARLEY_REDIS_URL || undefined }
}

/**
 * Reads which store a command is to work on.
 *
 * @throws UsageError that names the flag or the variable
 */
export function readLastingStore(flags: StoreFlags, env: Environment): LastingStore {
  const store = readStore(flags, env)
  if (store.kind === 'memory')
    throw new UsageError('--store memory keeps nothing that a command could work on')
  return store
}

/** Where a store is, for whoever reads what a command prints. */
export function placeOf(store: LastingStore): string {
  if (store.kind === 'level') return store.folder
  // Without what is secret in it.
  const { host, pathname } = new URL(store.url)
  return `PostgreSQL at ${host}${pathname}`
}
