import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { lockFolder } from './folderLock.js'
import { copyDatabase, LEVEL_FOLDER } from './levelCopies.js'
import { checkLevelFiles, type DamagedFile } from './levelFiles.js'
import { repairStoreFormat } from './openLevelStore.js'

/** Looks at the files of a store that nobody has open. */
export async function inspectLevelFiles(folder: string): Promise<DamagedFile[]> {
  return withFolder(folder, (own) => checkLevelFiles(own))
}

/**
 * Makes a store that can be opened of what is sound in its files. What it leaves out is kept in a copy. Rows may be gone of
 * which nothing tells any more, so whatever is read of the store afterwards must not be taken for the newest.
 *
 * @returns the path of the copy
 * @throws ServerError with code `store-locked`
 */
export async function repairLevelFiles(folder: string, now: number): Promise<string> {
  return withFolder(folder, async (own) => {
    const location = join(own, LEVEL_FOLDER)
    const copy = await copyDatabase(own, now)
    await ClassicLevel.repair(location)
    await repairStoreFormat(location)
    return copy
  })
}

async function withFolder<Result>(folder: string, use: (own: string) => Promise<Result>): Promise<Result> {
  const lock = await lockFolder(folder)
  try {
    if (await lock.isClaimed()) throw await lock.conflict()
    return await use(lock.folder)
  } finally {
    await lock.release()
  }
}
