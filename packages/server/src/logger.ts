import type { CloseCode } from '@parley/core'

/**
 * What a line of the log may hold beside its message: names, numbers and causes. There is no member for what a client sent,
 * so no token and no text of a message gets into a line; {@link guardLogger} drops whatever else is handed over.
 */
export interface LogFields {
  readonly room?: string | undefined
  /** Of what kind a refusal is, and where it happened. */
  readonly kind?: string
  readonly at?: string
  /** A close code, or a status of HTTP. */
  readonly code?: CloseCode | number
  /** In the server's own words. */
  readonly reason?: string
  readonly remoteAddress?: string | undefined
  /** The pattern of an address, such as `/v1/webhook/:secret`, never the address itself. */
  readonly route?: string | undefined
  /** Rows of a log; of each only its version is written down. */
  readonly rows?: ReadonlyArray<number | { readonly version: number }>
  readonly connections?: number
  /** What another server answered with, how many commands were for it, and how many may wait. */
  readonly status?: number
  readonly commands?: number
  readonly maxWaiting?: number
  readonly host?: string
  readonly port?: number
  readonly url?: string
  /** A file of the store, by its name in the data folder. */
  readonly file?: string
  /** What was thrown. Its message is written down only where the server or the system made it. */
  readonly err?: unknown
}

/** What the server writes its log to. A pino logger is one. */
export interface Logger {
  debug: (fields: LogFields, message: string) => void
  info: (fields: LogFields, message: string) => void
  warn: (fields: LogFields, message: string) => void
  error: (fields: LogFields, message: string) => void
}

/** A logger that keeps quiet, the default of an embedded server. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
}
