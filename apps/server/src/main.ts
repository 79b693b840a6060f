#!/usr/bin/env node
import { ParleyError } from '@parley/core'
import { ServerError } from '@parley/server'
import { runExport, runImport, runInspect } from './commands.js'
import { runServe } from './serve.js'
import { CommandError, USAGE, UsageError } from './usage.js'

const COMMANDS = { serve: runServe, import: runImport, export: runExport, inspect: runInspect }
const [name = '', ...args] = process.argv.slice(2)
const output = {
  out: (text: string): void => void process.stdout.write(text),
  err: (text: string): void => void process.stderr.write(text),
}

try {
  if (
    name === '--help' ||
    name === '-h' ||
    name === 'help' ||
    args.includes('--help') ||
    args.includes('-h')
  ) {
    output.out(USAGE)
  } else if (name in COMMANDS) {
    await COMMANDS[name as keyof typeof COMMANDS](args, process.env, output)
  } else {
    throw new UsageError(name === '' ? 'Which command?' : `There is no command ${name}`)
  }
} catch (error) {
  process.exitCode = 1
  if (error instanceof UsageError)
    output.err(`parley: ${error.message}\nparley --help tells what there is.\n`)
  else if (isExpected(error)) output.err(`parley: ${error.message}\n`)
  else throw error
}

/** Errors that say all there is to say; a system's error, such as an address in use, has a code. */
function isExpected(error: unknown): error is Error {
  if (error instanceof CommandError || error instanceof ParleyError || error instanceof ServerError)
    return true
  return error instanceof Error && 'code' in error
}
