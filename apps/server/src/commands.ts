import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { canonicalText } from '@parley/server'
import { openAdmin } from './openAdmin.js'
import { readUserSettings } from './settings.js'
import { CommandError } from './usage.js'

/** Where a command prints; a test brings its own. */
export interface Output {
  out: (text: string) => void
  err: (text: string) => void
}

/** A command that does something for one user and ends. */
type Command = (args: readonly string[], env: NodeJS.ProcessEnv, output: Output) => Promise<void>

/** `parley import FILE --user UID` */
export const runImport: Command = async (args, env, { err }) => {
  const { data, user, file } = readUserSettings(args, env, true)
  const content = file === '-' ? await text(process.stdin) : await readInput(file ?? '')
  const { admin, close } = await openAdmin(data)
  try {
    const { conversations, messages, skipped, version } = await admin.import(user, content)
    const left = skipped > 0 ? `, ${skipped} of others or of no conversation left out` : ''
    err(
      `Imported for ${user}: ${conversations} conversations, ${messages} messages${left}. Version ${version}.\n`,
    )
  } finally {
    await close()
  }
}

/** `parley export --user UID` */
export const runExport: Command = async (args, env, { out }) => {
  const { data, user } = readUserSettings(args, env, false)
  const { admin, close } = await openAdmin(data)
  try {
    out(canonicalText(await admin.export(user)))
  } finally {
    await close()
  }
}

/** `parley inspect --user UID` */
export const runInspect: Command = async (args, env, { out }) => {
  const { data, user } = readUserSettings(args, env, false)
  const { admin, close } = await openAdmin(data)
  try {
    const found = await admin.inspect(user)
    if (!found) throw new CommandError(`Nothing is stored of ${user} in ${data}`)
    out(canonicalText(found))
  } finally {
    await close()
  }
}

async function readInput(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
