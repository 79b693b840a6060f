import { ServerError } from '../../errors.js'
import { REPAIRING } from '../../log/levelRepair.js'
import type { LogStore, ValueScope } from '../../log/logStore.js'
import { restorationOf } from '../repair/restoration.js'
import { checkBackup, readBackup } from './readBackup.js'

/** What was restored. */
export interface RestoreSummary {
  readonly rooms: number
  readonly values: number
  /** When the backup was begun, in ISO 8601: what came later is with the clients, if anywhere. */
  readonly createdAt: string
}

export interface RestoreBackupOptions {
  /** It must be empty, and nobody else may have it open. */
  store: LogStore
  path: string
  /** The time in milliseconds since 1970. */
  now: number
}

/** The name of the value of the store that is there while a restore is not finished. */
const UNFINISHED = 'restoring'

/**
 * Puts what is in a backup into an empty store. Versions go on above every one that was ever given, so that clients which
 * have newer ones are told everything anew; those that speak Yjs send what the backup lacks when they connect.
 *
 * @throws ServerError with code `invalid-argument` that says why nothing was restored
 */
export async function restoreBackup({ store, path, now }: RestoreBackupOptions): Promise<RestoreSummary> {
  const manifest = await checkBackup(path)
  if (Date.parse(manifest.createdAt) > now) {
    throw new ServerError(
      'invalid-argument',
      `The backup was made at ${manifest.createdAt}, which is later than this machine's clock says: set the clock, for versions go on by it`,
    )
  }
  if (!(await isUnfinished(store)) && !(await isEmpty(store))) {
    throw new ServerError(
      'invalid-argument',
      'The store holds something already; a backup is restored into an empty one',
    )
  }
  await store.values.write('store', new Map([[UNFINISHED, new TextEncoder().encode(manifest.createdAt)]]))
  let rooms = 0
  let values = 0
  for await (const piece of readBackup(path)) {
    if (piece.kind === 'room') {
      rooms++
      values += piece.values.size
      await store.restore(piece.room, await restorationOf(piece.room, piece, piece.values, now))
    } else {
      values++
      // A scope as this server wrote it.
      await store.values.write(piece.scope as ValueScope, new Map([[piece.name, piece.value]]))
    }
  }
  if (rooms !== manifest.rooms || values !== manifest.values) {
    throw new ServerError(
      'invalid-argument',
      `The backup holds ${rooms} rooms and ${values} values instead of ${manifest.rooms} and ${manifest.values}`,
    )
  }
  await store.values.write('store', new Map([[UNFINISHED, null]]))
  return { rooms, values, createdAt: manifest.createdAt }
}

/**
 * Refuses a store in which a restore or a repair has not finished: part of it would be served as if it were all.
 *
 * @throws ServerError with code `store-damaged`
 */
export async function refuseUnfinished(store: LogStore): Promise<void> {
  if (await isUnfinished(store)) {
    throw new ServerError(
      'store-damaged',
      'A restore of this store did not finish; run it again, from the same backup',
    )
  }
  if ((await store.values.read('store', [REPAIRING])).has(REPAIRING)) {
    throw new ServerError(
      'store-damaged',
      'A repair of this store did not finish; run parley verify --repair again',
    )
  }
}

async function isUnfinished(store: LogStore): Promise<boolean> {
  return (await store.values.read('store', [UNFINISHED])).has(UNFINISHED)
}

async function isEmpty(store: LogStore): Promise<boolean> {
  for await (const _ of store.rooms()) return false
  for await (const _ of store.values.scopes()) return false
  return true
}
