import { ServerError } from '../errors.js'
import type { DamagedFile } from './levelFiles.js'

/** The error for what is stored and cannot be read. */
export function damaged(key: string, damage: string): ServerError {
  return new ServerError('store-damaged', `What is stored under ${key} cannot be read: ${damage}`)
}

/** The error for a file of the store that is not as it was written. */
export function damagedFile({ file, reason }: Pick<DamagedFile, 'file' | 'reason'>): ServerError {
  return new ServerError(
    'store-damaged',
    `The file ${file} of the store is damaged: ${reason}. Run parley verify --repair, with the server stopped: it saves what is sound`,
  )
}
