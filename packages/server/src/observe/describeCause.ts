import { ServerError } from '../errors.js'
import { withoutSecrets } from './withoutSecrets.js'

/** An error as it is logged. */
export interface CauseDescription {
  readonly type: string
  readonly code?: string
  readonly message?: string
  readonly stack?: string
  readonly cause?: CauseDescription
}

/** Causes of causes are followed this far. */
const MAX_CAUSES = 4
const MAX_FRAMES = 12

/** PostgreSQL's errors of connections, resources, operators and itself; those of data may have the data in their message. */
const SQL_STATES_WITHOUT_DATA = /^(08|40|53|55|57|58|XX)[0-9A-Z]{3}$/

/**
 * Describes what was thrown without what a client sent: a message is taken over where the server, the system or the
 * database made it. Others may quote their input, as JavaScript's own about JSON do; of these the kind and the place are told.
 */
export function describeCause(thrown: unknown, depth = MAX_CAUSES): CauseDescription {
  if (!(thrown instanceof Error)) return { type: typeof thrown }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? withoutSecrets(thrown.code) : undefined
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return {
    type: withoutSecrets(thrown.name),
    ...(code === undefined ? {} : { code }),
    ...(isQuotable(thrown, code) ? { message: withoutSecrets(thrown.message) } : {}),
    ...(frames.length === 0 ? {} : { stack: frames.slice(0, MAX_FRAMES).join('\n') }),
    ...(thrown.cause === undefined || depth === 0 ? {} : { cause: describeCause(thrown.cause, depth - 1) }),
  }
}

function isQuotable(error: Error, code: string | undefined): boolean {
  if (error instanceof ServerError) return true
  if (code === undefined) return false
  return 'syscall' in error || code.startsWith('LEVEL_') || SQL_STATES_WITHOUT_DATA.test(code)
}
