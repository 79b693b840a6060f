import { ServerError } from '../errors.js'
import { damaged } from './damaged.js'
import { type LevelDatabase, openLevelDatabase } from './levelDatabase.js'
import { FORMAT_KEY } from './levelKeys.js'
import { decodeValue, encodeValue } from './rowCodec.js'

/** The format of the whole store; a server that finds another one is older than the data. */
const STORE_FORMAT = '1'

/**
 * Opens a LevelDB and makes sure that it is a store this server can read.
 *
 * @throws LevelDB's own error if it is locked, see {@link isLocked}; else ServerError with code `store-unavailable` or
 * `store-damaged`
 */
export async function openLevelStore(location: string): Promise<LevelDatabase> {
  let database: LevelDatabase
  try {
    database = await openLevelDatabase(location)
  } catch (cause) {
    if (isLocked(cause)) throw cause
    throw new ServerError('store-unavailable', `The store in ${location} could not be opened`, { cause })
  }
  try {
    const value = await database.read((level) => level.get(FORMAT_KEY))
    if (!value) {
      const format = encodeValue(FORMAT_KEY, Buffer.from(STORE_FORMAT))
      await database.write([{ type: 'put', key: FORMAT_KEY, value: format }])
    } else {
      const format = decodeValue(FORMAT_KEY, value)
      if (!(format instanceof Uint8Array)) throw damaged(FORMAT_KEY, format.damage)
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

/** True for the error of a LevelDB that another process has open. */
export function isLocked(error: unknown): boolean {
  // The constructor says that it did not open; why is the cause.
  const cause = error instanceof Error ? error.cause : undefined
  return [error, cause].some((one) => one instanceof Error && 'code' in one && one.code === 'LEVEL_LOCKED')
}
