import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultLimits } from '@parley/server'
import { CommandError } from './usage.js'

/** LevelDB keeps so many tables open at most. */
const LEVEL_FILES = 1_000
/** The log, Node itself, the web app's files, requests by HTTP that are under way. */
const OTHER_FILES = 256
/** With fewer a server is of no use. */
const LEAST_CONNECTIONS = 100

/** How many files a process may open; `null` where the system does not say. */
export function openFilesLimit(): number | null {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits?: { open_files?: { soft?: number | 'unlimited' } }
  }
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : null
}

/** How many files a server's store and the rest of it may have open at once. */
export async function openFilesOf(folder: string | null): Promise<number> {
  const names = folder === null ? [] : await readdir(join(folder, 'log')).catch(() => [])
  // A store grows; LevelDB closes what it has not used for long.
  return OTHER_FILES + (folder === null ? 0 : Math.min(LEVEL_FILES, Math.max(names.length * 2, 100)))
}

/**
 * Finds out how many connections fit beside the store: each needs an open file.
 *
 * @param asked the limit to connections if the settings name one: all of them must fit
 * @returns the limit to connections
 * @throws CommandError that names the number of open files that is needed
 */
export function fitConnections(asked: number | undefined, others: number, limit: number | null): number {
  const connections = asked ?? defaultLimits.connections
  if (limit === null || limit >= connections + others) return connections
  const fitting = limit - others
  if (asked === undefined && fitting >= LEAST_CONNECTIONS) return fitting
  const least = asked ?? LEAST_CONNECTIONS
  const needed = least + others
  throw new CommandError(
    `ulimit -n is ${limit}, and ${needed} open files are needed for ${least} connections and the store: raise it (ulimit -n ${needed}, or LimitNOFILE=${needed} for systemd)${fitting > 0 ? `, or lower the limit (PARLEY_LIMITS=connections=${fitting})` : ''}`,
  )
}
