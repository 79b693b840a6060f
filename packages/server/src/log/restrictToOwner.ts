import { chmod, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
/** Permissions of the group and of others. */
const OTHERS = 0o077
/** Set on folders that many users share, such as `/tmp`. */
const STICKY = 0o1000

/**
 * Takes permissions on a data folder and on all in it from everybody but their owner: an existing folder may be older than this
 * rule, or made by hand, and LevelDB creates files that all may read. Leaves alone what is of another owner, and does not follow
 * links.
 *
 * @throws the operating system's error if the folder cannot be read
 */
export async function restrictToOwner(folder: string): Promise<void> {
  const { mode } = await lstat(folder)
  if ((mode & STICKY) !== 0) return
  await restrict(folder, FOLDER_MODE)
  const entries = await readdir(folder, { withFileTypes: true })
  await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return restrictToOwner(path)
      return entry.isFile() || entry.isSocket() ? restrict(path, FILE_MODE) : undefined
    }),
  )
}

async function restrict(path: string, to: number): Promise<void> {
  try {
    const { mode, uid } = await lstat(path)
    if ((mode & OTHERS) !== 0 && uid === process.getuid?.()) await chmod(path, to)
  } catch (error) {
    // LevelDB removes files while it runs.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
