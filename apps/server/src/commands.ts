import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { canonicalText } from '@parley/server'
import { audited, auditPath, createAuditLog } from './auditLog.js'
import { openAdmin } from './openAdmin.js'
import { readExportSettings, readImportSettings, readRevokeSettings, readUserSettings } from './settings.js'
import { placeOf } from './storeSettings.js'
import { CommandError, UsageError } from './usage.js'

/** Where a command prints; a test brings its own. */
export interface Output {
  out: (text: string) => void
  err: (text: string) => void
}

/** A command that does something and ends. */
export type Command = (args: readonly string[], env: NodeJS.ProcessEnv, output: Output) => Promise<void>

/** `parley import FILE [--user UID]` */
export const runImport: Command = async (args, env, output) => {
  const { err } = output
  const { store, user, file, keep, create } = readImportSettings(args, env)
  if (file === '-' && process.stdin.isTTY) {
    throw new UsageError('FILE is missing: what is to be imported? - or a pipe gives standard input')
  }
  const content = await readInput(file)
  const { admin, close } = await openAdmin(store, { output, env, keep, create })
  try {
    const { uid, conversations, messages, skipped, version } = await audited(
      createAuditLog(auditPath(store, env)),
      output,
      { action: 'import', ...(user === undefined ? {} : { user }), detail: { file } },
      () => admin.import(user ?? null, content),
      (done) => ({ into: done.uid, conversations: done.conversations, messages: done.messages }),
    )
    const left = skipped > 0 ? `, ${skipped} of others or of no conversation left out` : ''
    err(
      `Imported for ${uid}: ${conversations} conversations, ${messages} messages${left}. Version ${version}.\n`,
    )
  } finally {
    await close()
  }
}

/** `parley export --user UID [--readable]` */
export const runExport: Command = async (args, env, output) => {
  const { out } = output
  const { store, user, readable } = readExportSettings(args, env)
  const { admin, close } = await openAdmin(store, { output, env })
  try {
    const { file, missing } = await audited(
      createAuditLog(auditPath(store, env)),
      output,
      { action: 'export', user },
      () => admin.exportFile(user),
      (done) => ({ conversations: done.file.conversations.length, missing: done.missing.length }),
    )
    const { userId, conversations, cursors } = file
    out(canonicalText(readable ? { userId, conversations, cursors } : file))
    if (missing.length > 0) {
      throw new CommandError(
        `This is not all that was stored of ${user}. Missing: ${missing.join('; ')}. parley verify says more of it`,
      )
    }
  } finally {
    await close()
  }
}

/** `parley inspect --user UID` */
export const runInspect: Command = async (args, env, output) => {
  const { out } = output
  const { store, user } = readUserSettings(args, env)
  const { admin, close } = await openAdmin(store, { output, env })
  try {
    const found = await admin.inspect(user)
    if (!found) throw new CommandError(`Nothing is stored of ${user} in ${placeOf(store)}`)
    out(canonicalText(found))
  } finally {
    await close()
  }
}

/** `parley revoke --user UID` */
export const runRevoke: Command = async (args, env, output) => {
  const { err } = output
  const { store, user, device, before } = readRevokeSettings(args, env)
  const { admin, close } = await openAdmin(store, { output, env })
  try {
    await audited(
      createAuditLog(auditPath(store, env)),
      output,
      {
        action: 'revoke',
        user,
        detail: { device, before: before === undefined ? undefined : new Date(before).toISOString() },
      },
      () => admin.revoke(user, device, before),
    )
    const whose = device === undefined ? user : `${user} on ${device}`
    const when = before === undefined ? 'until now' : `before ${new Date(before).toISOString()}`
    err(`Tokens of ${whose} that were issued ${when} are refused.\n`)
  } finally {
    await close()
  }
}

/** `parley forget --user UID` */
export const runForget: Command = async (args, env, output) => {
  const { err } = output
  const { store, user } = readUserSettings(args, env)
  const { admin, close } = await openAdmin(store, { output, env })
  try {
    const { known, channels } = await audited(
      createAuditLog(auditPath(store, env)),
      output,
      { action: 'forget', user },
      () => admin.forget(user),
      (done) => ({ known: done.known, channels: done.channels }),
    )
    const lists = channels > 0 ? `, and in the members of ${channels} channels` : ''
    err(known || channels > 0 ? `Forgot ${user}${lists}.\n` : `Nothing was stored of ${user}.\n`)
  } finally {
    await close()
  }
}

/** The first bytes of what gzip made. */
const GZIP_MAGIC = [0x1f, 0x8b]

async function readInput(file: string): Promise<string> {
  try {
    const bytes = file === '-' ? await buffer(process.stdin) : await readFile(file)
    const isGzip = GZIP_MAGIC.every((byte, index) => bytes[index] === byte)
    return (isGzip ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw new CommandError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
