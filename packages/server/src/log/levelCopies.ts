import { access, copyFile, link, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The folder of the database within a data folder. */
export const LEVEL_FOLDER = 'log'
/** What copies of a damaged database are called within a data folder; a time follows. */
const COPY_PREFIX = `${LEVEL_FOLDER}.damaged-`
/** Where LevelDB itself keeps what a repair could not use. */
const LOST_FOLDER = 'lost'

/**
 * Keeps a database as it is beside itself: a repair leaves out what it cannot use.
 *
 * @returns the path of the copy
 */
export async function copyDatabase(folder: string, now: number): Promise<string> {
  const [from, to] = [join(folder, LEVEL_FOLDER), join(folder, COPY_PREFIX + timeName(now))]
  // A second one of the same repair: the first is what there was.
  if (
    await access(to).then(
      () => true,
      () => false,
    )
  )
    return to
  await mkdir(to, { mode: 0o700 })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const [source, copy] = [join(from, entry.name), join(to, entry.name)]
    // Tables are never written again once they are there, so that their bytes may be shared.
    if (entry.name.endsWith('.ldb')) await link(source, copy).catch(() => copyFile(source, copy))
    else await copyFile(source, copy)
  }
  return to
}

/** Removes what repairs kept. */
export async function removeCopies(folder: string): Promise<void> {
  const copies = (await readdir(folder)).filter((name) => name.startsWith(COPY_PREFIX))
  const paths = [...copies, join(LEVEL_FOLDER, LOST_FOLDER)].map((name) => join(folder, name))
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })))
}

/** A time as part of a file's name, such as `2026-03-01T12-00-00-000Z`. */
function timeName(now: number): string {
  return new Date(now).toISOString().replaceAll(/[:.]/g, '-')
}
