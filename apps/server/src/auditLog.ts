import { open } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Logger, LogStore } from '@parley/server'
import type { Output } from './commands.js'
import type { Environment, StoreSettings } from './storeSettings.js'

/** What an operator did, or the server on its own with what is stored. */
export type AuditedAction =
  | 'import'
  | 'export'
  | 'revoke'
  | 'forget'
  | 'backup'
  | 'restore'
  | 'repair'
  | 'quarantine'
  | 'correct-files'

/** Names, numbers and settings of an action. */
export type AuditDetail = Readonly<
  Record<string, string | number | boolean | readonly (string | number)[] | undefined>
>

/** A line of the audit log. It holds names and numbers, and nothing of what people wrote. */
export interface AuditLine {
  readonly action: AuditedAction
  /** Whose data it was about; left out where it was about all. */
  readonly user?: string
  readonly result: 'ok' | 'failed'
  /** Counts, paths and settings of the action. */
  readonly detail?: AuditDetail | undefined
  /** Why it failed: the code of the error, and the message if it is the server's own. */
  readonly error?: string
}

/** Appends to the audit log. */
export type WriteAudit = (line: AuditLine) => Promise<void>

const FILE_NAME = 'audit.jsonl'

/** Where the audit log is: what `PARLEY_AUDIT_LOG` says, or in the data folder; `null` for a store without one. */
export function auditPath(store: StoreSettings, env: Environment): string | null {
  if (env.PARLEY_AUDIT_LOG) return env.PARLEY_AUDIT_LOG
  return store.kind === 'level' ? join(store.folder, FILE_NAME) : null
}

/**
 * Creates what appends to an audit log, a JSON object a line, durable when the promise resolves. The file is made for its owner only;
 * several processes may append to it.
 */
export function createAuditLog(path: string | null): WriteAudit {
  return async (line) => {
    if (path === null) return
    const { username } = userInfo()
    const by = { user: process.env.SUDO_USER ?? username, host: hostname(), pid: process.pid }
    const text = `${JSON.stringify({ time: new Date().toISOString(), by, ...line })}\n`
    const file = await open(path, 'a', 0o600)
    try {
      // One write, so that lines of several processes do not mix.
      await file.write(text)
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

/**
 * Does something and writes down what became of it. Where that cannot be written down it says so: the action took place all the same.
 *
 * @param detailOf what of the result is written down
 */
export async function audited<Result>(
  write: WriteAudit,
  { err }: Pick<Output, 'err'>,
  line: Pick<AuditLine, 'action' | 'user' | 'detail'>,
  run: () => Promise<Result>,
  detailOf: (result: Result) => AuditDetail = () => ({}),
): Promise<Result> {
  const note = async (rest: Pick<AuditLine, 'result' | 'error' | 'detail'>): Promise<void> => {
    const { detail, ...more } = rest
    await write({ ...line, ...more, detail: { ...line.detail, ...detail } }).catch((error: unknown) => {
      err(
        `parley: the audit log cannot be written: ${error instanceof Error ? error.message : String(error)}\n`,
      )
    })
  }
  let result: Result
  try {
    result = await run()
  } catch (error) {
    await note({ result: 'failed', error: describe(error) })
    throw error
  }
  await note({ result: 'ok', detail: detailOf(result) })
  return result
}

/** The code of an error. A message may quote what a file holds. */
function describe(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  return error instanceof Error ? error.name : 'unknown'
}

/** A store that writes down what it puts into quarantine, which the server decides when it loads a room. */
export function withAuditedQuarantine(
  store: LogStore,
  write: WriteAudit,
  logger: Pick<Logger, 'error'>,
): LogStore {
  return {
    ...store,
    async quarantine(room, rows) {
      await store.quarantine(room, rows)
      const versions = rows.map(({ version }) => version)
      const reasons = [...new Set(rows.map(({ reason }) => reason))]
      await write({ action: 'quarantine', user: room, result: 'ok', detail: { versions, reasons } }).catch(
        (error: unknown) => logger.error({ err: error }, 'the audit log cannot be written'),
      )
    },
  }
}
