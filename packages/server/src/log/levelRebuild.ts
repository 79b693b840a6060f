import { access, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LEVEL_FOLDER } from './levelCopies.js'

/** Where a store is made from another one, and where that one is then kept for a moment, within a data folder. */
export const REBUILT_FOLDER = `${LEVEL_FOLDER}.rebuilt`
export const REPLACED_FOLDER = `${LEVEL_FOLDER}.replaced`

/** True if a rebuild was interrupted after the new store was complete. */
export function isRebuilding(folder: string): Promise<boolean> {
  return exists(join(folder, REPLACED_FOLDER))
}

/** Finishes a rebuild that was interrupted: the new store is complete by the time the old one is moved away. */
export async function finishRebuild(folder: string): Promise<void> {
  if (!(await isRebuilding(folder))) return
  const location = join(folder, LEVEL_FOLDER)
  if (!(await exists(location))) await rename(join(folder, REBUILT_FOLDER), location)
  await rm(join(folder, REPLACED_FOLDER), { recursive: true })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
