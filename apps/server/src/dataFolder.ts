import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerError } from '@parley/server'
import type { Output } from './commands.js'
import type { Environment } from './storeSettings.js'
import { CommandError, UsageError } from './usage.js'

/** In the data folder: the database, and what it is called while a repair puts another one in its place. */
const STORE_FOLDERS = ['log', 'log.replaced']
/** How long a command waits for another one that has the folder. */
const WAIT_MS = 60_000
const RETRY_MS = 250
const DEFAULT_COMMAND_S = 600
const MAX_COMMAND_S = 86_400

/**
 * Makes sure that there is a store in a data folder: opening one would make it, also where the name is mistyped.
 *
 * @throws CommandError that names the folder
 */
export async function requireStore(folder: string): Promise<void> {
  for (const name of STORE_FOLDERS) {
    const found = await stat(join(folder, name)).catch(() => null)
    if (found?.isDirectory()) return
  }
  throw new CommandError(
    `There is no data folder ${folder}: nothing is stored there. Check --data and PARLEY_DATA`,
  )
}

/**
 * Opens something in a data folder; while another process has the folder, waits for it and says so.
 *
 * @throws ServerError with code `store-locked` if that takes more than a minute
 */
export async function whenFree<Result>(
  { err }: Pick<Output, 'err'>,
  open: () => Promise<Result>,
): Promise<Result> {
  const until = Date.now() + WAIT_MS
  for (let waits = false; ; waits = true) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof ServerError && error.code === 'store-locked') || Date.now() > until) throw error
      if (!waits) err(`parley: ${error.message}; waiting for it, at most ${WAIT_MS / 1000} s\n`)
      await sleep(RETRY_MS)
    }
  }
}

/** How long a command waits for a server, in milliseconds, by `PARLEY_COMMAND_TIMEOUT` in seconds. */
export function readCommandTimeout({ PARLEY_COMMAND_TIMEOUT: text }: Environment): number {
  if (text === undefined || text === '') return DEFAULT_COMMAND_S * 1000
  const seconds = Number(text)
  if (!/^\d{1,5}$/.test(text) || seconds < 1 || seconds > MAX_COMMAND_S) {
    throw new UsageError(
      `PARLEY_COMMAND_TIMEOUT must be a number of seconds from 1 to ${MAX_COMMAND_S}, not ${text}`,
    )
  }
  return seconds * 1000
}
