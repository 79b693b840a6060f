import { ServerError } from '../errors.js'
import { damagedFile } from './damaged.js'
import {
  isCorruption,
  type LevelChange,
  type LevelDatabase,
  type LevelStandIn,
  messageOf,
  openLevelDatabase,
} from './levelDatabase.js'
import { FORMAT_KEY } from './levelKeys.js'
import { decodeValue, encodeValue } from './rowCodec.js'

/** The format of the whole store; a server that finds another one is older than the data. */
const STORE_FORMAT = '2'

/** What makes a LevelDB a store of this format. */
const FORMAT: LevelChange = {
  type: 'put',
  key: FORMAT_KEY,
  value: encodeValue(FORMAT_KEY, Buffer.from(STORE_FORMAT)),
}

/**
 * Opens a LevelDB and makes sure that it is a store this server can read.
 *
 * @throws LevelDB's own error if it is locked, see {@link isLocked}; else ServerError with code `store-unavailable` or
 * `store-damaged`
 */
export async function openLevelStore(location: string, standIn?: LevelStandIn): Promise<LevelDatabase> {
  let database: LevelDatabase
  try {
    database = await openLevelDatabase(location, standIn)
  } catch (cause) {
    if (isLocked(cause)) throw cause
    if (isCorruption(cause)) throw damagedFile({ file: location, reason: messageOf(cause) })
    throw new ServerError('store-unavailable', `The store in ${location} could not be opened`, { cause })
  }
  try {
    const value = await database.read((level) => level.get(FORMAT_KEY))
    if (!value) await database.write([FORMAT])
    else {
      const format = decodeValue(FORMAT_KEY, value)
      if (!(format instanceof Uint8Array))
        throw damagedFile({ file: location, reason: `its format ${format.damage}` })
      const found = Buffer.from(format).toString()
      if (found !== STORE_FORMAT) {
        throw new ServerError(
          'store-damaged',
          `The store in ${location} has format ${found}; this server reads ${STORE_FORMAT}`,
        )
      }
    }
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Writes the format again where it cannot be read, in a database that nobody has open. */
export async function repairStoreFormat(location: string): Promise<void> {
  const database = await openLevelDatabase(location)
  try {
    const value = await database.read((level) => level.get(FORMAT_KEY))
    if (!value || !(decodeValue(FORMAT_KEY, value) instanceof Uint8Array)) await database.write([FORMAT])
  } finally {
    await database.close()
  }
}

/** True for the error of a LevelDB that another process has open. */
export function isLocked(error: unknown): boolean {
  // The constructor says that it did not open; why is the cause.
  const cause = error instanceof Error ? error.cause : undefined
  return [error, cause].some((one) => one instanceof Error && 'code' in one && one.code === 'LEVEL_LOCKED')
}
