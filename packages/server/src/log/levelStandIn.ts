import { access, copyFile, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { probe } from './levelDatabase.js'
import { isTable } from './levelFiles.js'

/** Where a copy may go: memory, where the system has such a folder, for the disk that is full may be that of the temporary files. */
const PARENTS = ['/dev/shm', tmpdir()]
/** What makes a disk refuse writes for a while. */
const REFUSALS = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG', 'EACCES', 'EPERM'])

/**
 * True if a database is there and its disk takes no writes. LevelDB writes when it opens, so that it cannot even be read then.
 */
export async function isReadOnly(location: string): Promise<boolean> {
  const isThere = await access(join(location, 'CURRENT')).then(
    () => true,
    () => false,
  )
  if (!isThere) return false
  return probe(location).then(
    () => false,
    (error: NodeJS.ErrnoException) => REFUSALS.has(error.code ?? ''),
  )
}

/**
 * Makes a folder in which LevelDB can open a copy of a database to read it: tables are linked, the rest, a few megabytes, is copied.
 *
 * @returns its path, for {@link removeStandIn}
 * @throws the error of the last place that was tried
 */
export async function createStandIn(location: string): Promise<string> {
  let failure: unknown
  for (const parent of PARENTS) {
    const folder = await mkdtemp(join(parent, 'parley-reading-')).catch((error: unknown) => {
      failure = error
      return null
    })
    if (folder === null) continue
    try {
      const copy = join(folder, 'log')
      await mkdir(copy, { mode: 0o700 })
      for (const name of await readdir(location)) {
        const [from, to] = [resolve(location, name), join(copy, name)]
        // Removing a link leaves the table.
        if (isTable(name)) await symlink(from, to)
        else if (/^(\d+\.log|MANIFEST-\d+|CURRENT)$/.test(name)) await copyFile(from, to)
      }
      return copy
    } catch (error) {
      failure = error
      await rm(folder, { recursive: true, force: true })
    }
  }
  throw failure
}

/** Removes what {@link createStandIn} made. */
export async function removeStandIn(copy: string): Promise<void> {
  await rm(resolve(copy, '..'), { recursive: true, force: true })
}
