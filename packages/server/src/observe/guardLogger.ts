import type { LogFields, Logger } from '../logger.js'
import { type CauseDescription, describeCause } from './describeCause.js'
import { withoutSecrets } from './withoutSecrets.js'

type Field = string | number | readonly number[] | CauseDescription | undefined
type Writers = { readonly [Name in keyof LogFields]-?: (value: NonNullable<LogFields[Name]>) => Field }

const asIs = <Value extends Field>(value: Value): Value => value

/** How each member is written; what is not listed here is in no line. */
const WRITERS: Writers = {
  room: asIs,
  kind: asIs,
  at: asIs,
  code: asIs,
  reason: withoutSecrets,
  remoteAddress: asIs,
  route: asIs,
  rows: (rows) => rows.map((row) => (typeof row === 'number' ? row : row.version)),
  connections: asIs,
  status: asIs,
  commands: asIs,
  maxWaiting: asIs,
  host: asIs,
  port: asIs,
  url: asIs,
  file: asIs,
  err: describeCause,
}

/** Those who were made here: a second guard would describe descriptions. */
const guards = new WeakSet<Logger>()

/**
 * Puts a guard in front of a logger: what gets through are the members of {@link LogFields}, errors without what a client
 * sent, and no text that looks like a token. Everything the server logs passes it.
 */
export function guardLogger(logger: Logger): Logger {
  if (guards.has(logger)) return logger
  const guarded =
    (level: keyof Logger) =>
    (fields: LogFields, message: string): void =>
      logger[level](guardFields(fields), withoutSecrets(message))
  const guard = {
    debug: guarded('debug'),
    info: guarded('info'),
    warn: guarded('warn'),
    error: guarded('error'),
  }
  guards.add(guard)
  return guard
}

function guardFields(fields: LogFields): LogFields {
  const entries = Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined || !Object.hasOwn(WRITERS, name)) return []
    const write = WRITERS[name as keyof LogFields] as (given: unknown) => Field
    return [[name, write(value)] as const]
  })
  return Object.fromEntries(entries)
}
