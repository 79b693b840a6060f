import type { DocumentStorage, StorageContext, StorageFactory } from './documentStorage.js'
import { createIndexeddbStorage } from './indexeddbStorage.js'
import { createMemoryStorage } from './memoryStorage.js'

/** Where to keep a document: in IndexedDB, in memory, or in a storage of the app's own. */
export type Persistence = 'indexeddb' | 'memory' | StorageFactory

/** Creates the storage that was asked for, or one in memory that says why it is none better. */
export function chooseStorage(persistence: Persistence, context: StorageContext): DocumentStorage {
  if (typeof persistence === 'function') return persistence(context)
  if (persistence === 'memory') {
    return createMemoryStorage({ code: 'chosen', message: 'Storing on this device is turned off.' })
  }
  const { indexedDB } = context.environment
  if (indexedDB) return createIndexeddbStorage(context, indexedDB)
  return createMemoryStorage({ code: 'unavailable', message: 'This browser or page has no IndexedDB.' })
}
