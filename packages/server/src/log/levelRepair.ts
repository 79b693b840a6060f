import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { lockFolder } from './folderLock.js'
import { copyDatabase, LEVEL_FOLDER } from './levelCopies.js'
import { type LevelChange, type LevelDatabase, openLevelDatabase } from './levelDatabase.js'
import { checkLevelFiles, type DamagedFile } from './levelFiles.js'
import { ownedRanges } from './levelNames.js'
import { repairStoreFormat } from './openLevelStore.js'
import { decodeValue } from './rowCodec.js'

/** Where a store is made anew, within a data folder. */
const REBUILT_FOLDER = `${LEVEL_FOLDER}.rebuilt`
const BATCH_BYTES = 4 * 1024 * 1024

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

/**
 * Makes a new store of all entries there are. In a damaged table entries may lie where their keys do not belong: they can be
 * neither deleted nor written over. The files as they were are kept in a copy.
 *
 * @returns the path of the copy
 * @throws ServerError with code `store-locked`
 */
export async function rebuildLevelFiles(folder: string, now: number): Promise<string> {
  return withFolder(folder, async (own) => {
    const [location, rebuilt] = [join(own, LEVEL_FOLDER), join(own, REBUILT_FOLDER)]
    const copy = await copyDatabase(own, now)
    await rm(rebuilt, { recursive: true, force: true })
    const [from, to] = [await openLevelDatabase(location), await openLevelDatabase(rebuilt)]
    try {
      // What is damaged may have got the key of something that is not, which then takes its place.
      await copyEntries(from, to, false)
      await copyEntries(from, to, true)
    } finally {
      await Promise.all([from.close(), to.close()])
    }
    await repairStoreFormat(rebuilt)
    await rm(location, { recursive: true })
    await rename(rebuilt, location)
    return copy
  })
}

/** Copies the entries that are sound, or those that are not. */
async function copyEntries(from: LevelDatabase, to: LevelDatabase, sound: boolean): Promise<void> {
  let batch: LevelChange[] = []
  let bytes = 0
  for await (const range of ownedRanges(from)) {
    for (const [key, value] of await from.read((level) => level.iterator(range).all())) {
      if (decodeValue(key, value) instanceof Uint8Array !== sound) continue
      batch.push({ type: 'put', key, value })
      bytes += value.byteLength
    }
    if (bytes < BATCH_BYTES) continue
    await to.write(batch)
    batch = []
    bytes = 0
  }
  await to.write(batch)
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
