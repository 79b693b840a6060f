import type * as Y from 'yjs'
import type { ClientEnvironment } from '../environment.js'
import type { StorageStatus } from '../status/status.js'

/** What a storage needs to know to do its work. */
export interface StorageContext {
  /** The name of the database. */
  readonly name: string
  readonly doc: Y.Doc
  /** Takes what was stored into the document; throws for bytes that are no update. */
  readonly receive: (update: Uint8Array) => 'applied' | 'held'
  readonly environment: ClientEnvironment
  /** Called whenever the status changed. */
  readonly onStatus: (status: StorageStatus) => void
}

/** Where a document is kept on this device. The environment's failures show in the status and are never thrown. */
export interface DocumentStorage {
  /** Settles when what was stored is in the document, or could not be read. It never rejects. */
  readonly ready: Promise<void>
  readonly status: StorageStatus
  /** Stores one update after the others. `committed` is called once it is durable, and never if it cannot be. */
  append: (update: Uint8Array, committed?: () => void) => void
  /** Begins to write everything appended and settles when it is durable, or cannot be at the moment. */
  flush: () => Promise<void>
  /** Rewrites what is stored as one row, if that is worth it or forced. Only one tab should. */
  compact: (force?: boolean) => Promise<void>
  /**
   * Moves rows aside whose predecessor never came, if there are any, once `salvage` has written again what can be read of
   * them and says so.
   */
  giveUpHeld: (salvage: () => Promise<boolean>) => Promise<void>
  /** A small value kept beside the document, or `undefined`. */
  getNote: (key: string) => Promise<unknown>
  /** Keeps a small value beside the document, if it can. */
  setNote: (key: string, value: unknown) => Promise<void>
  /** Flushes and lets go of the database. */
  close: () => Promise<void>
  /** Closes without storing anything more: the data was or is being deleted. */
  abandon: () => void
  /** Closes and deletes what is stored. Rejects with a {@link StorageError} if that cannot be done. */
  destroy: () => Promise<void>
}

/** Creates the storage of one document. */
export type StorageFactory = (context: StorageContext) => DocumentStorage
