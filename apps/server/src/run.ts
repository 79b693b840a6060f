import { ParleyError } from '@parley/core'
import { ServerError } from '@parley/server'
import { type Output, runExport, runForget, runImport, runInspect, runRevoke } from './commands.js'
import { findSimilar } from './findSimilar.js'
import { withSecretFiles } from './secretFiles.js'
import { runServe } from './serve.js'
import { runBackup, runRestore, runVerify } from './storeCommands.js'
import { CommandError, USAGE, UsageError } from './usage.js'

const COMMANDS = {
  serve: runServe,
  import: runImport,
  export: runExport,
  inspect: runInspect,
  revoke: runRevoke,
  forget: runForget,
  backup: runBackup,
  restore: runRestore,
  verify: runVerify,
}
const HELP = new Set(['--help', '-h'])

/** Runs the command that the arguments name; returns the exit code. What nobody expected is thrown. */
export async function run(
  [name = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  output: Output,
): Promise<number> {
  try {
    if (name === 'help' || HELP.has(name) || args.some((arg) => HELP.has(arg))) output.out(USAGE)
    else if (Object.hasOwn(COMMANDS, name)) {
      await COMMANDS[name as keyof typeof COMMANDS](args, withSecretFiles(env), output)
    } else throw new UsageError(name === '' ? 'Which command?' : unknownCommand(name))
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      output.err(`parley: ${error.message}\nparley --help tells what there is.\n`)
    } else if (isExpected(error)) output.err(`parley: ${error.message}\n`)
    else throw error
    return 1
  }
}

function unknownCommand(name: string): string {
  const meant = findSimilar(name, Object.keys(COMMANDS))
  return `There is no command ${name}${meant ? `; is ${meant} meant?` : ''}`
}

/** Errors that say all there is to say; a system's error, such as an address in use, has a code. */
function isExpected(error: unknown): error is Error {
  if (error instanceof CommandError || error instanceof ParleyError || error instanceof ServerError)
    return true
  return error instanceof Error && 'code' in error
}
