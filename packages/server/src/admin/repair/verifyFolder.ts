import { ServerError } from '../../errors.js'
import { LEVEL_FOLDER } from '../../log/levelCopies.js'
import { openLevelLog } from '../../log/levelLog.js'
import { inspectLevelFiles, rebuildLevelFiles, repairLevelFiles } from '../../log/levelRepair.js'
import type { LogStore } from '../../log/logStore.js'
import { type Repaired, repairRoom } from './repairRoom.js'
import { type VerifyReport, verifyStore } from './verify.js'

/** What a repair did. */
export interface RepairReport {
  /** What was found before. */
  readonly found: VerifyReport
  /** What is found now. */
  readonly now: VerifyReport
  /** A copy of the store's files as they were, `null` if they were left alone. */
  readonly copy: string | null
  /** Rooms that are served again, with what was sound of them. */
  readonly repaired: readonly string[]
  /** Rooms of which nothing can be read. They are not served: restore a backup, or forget them. */
  readonly lost: readonly string[]
}

const NOT_OPENED: VerifyReport = {
  sound: false,
  rooms: 0,
  rows: 0,
  damage: [],
  files: [],
  waiting: [],
  quarantined: [],
}

/**
 * Looks at the store in a data folder that no server has open: first at its files, then at its rooms.
 *
 * @throws ServerError with code `store-locked`
 */
export async function verifyFolder(folder: string): Promise<VerifyReport> {
  const files = await inspectLevelFiles(folder)
  // LevelDB would pass over what is damaged, and remove it.
  if (files.some(({ torn }) => !torn)) return { ...NOT_OPENED, files }
  try {
    const report = await withStore(folder, verifyStore)
    return { ...report, files, sound: report.sound && files.length === 0 }
  } catch (error) {
    if (!(error instanceof ServerError && error.code === 'store-damaged')) throw error
    return { ...NOT_OPENED, files: [...files, { file: LEVEL_FOLDER, reason: error.message, torn: false }] }
  }
}

/**
 * Saves what is sound of the store in a data folder that no server has open. Where its files are damaged rows may be gone of
 * which nothing tells, so all rooms go on above every version that was given.
 *
 * @param now the time in milliseconds since 1970
 * @throws ServerError with code `store-locked`
 */
export async function repairFolder(folder: string, now: number): Promise<RepairReport> {
  const found = await verifyFolder(folder)
  const isInFiles = found.files.length > 0 || found.damage.some(({ part }) => part === 'file')
  let copy = isInFiles ? await repairLevelFiles(folder, now) : null
  let rooms = await repairRooms(folder, now, isInFiles ? null : roomsOf(found))
  let after = await verifyFolder(folder)
  if (roomsOf(after).size > rooms.lost.length) {
    copy = await rebuildLevelFiles(folder, now)
    rooms = await repairRooms(folder, now, null)
    after = await verifyFolder(folder)
  }
  return { found, now: after, copy, ...rooms }
}

/** Repairs the rooms that are named, or all. */
async function repairRooms(
  folder: string,
  now: number,
  named: ReadonlySet<string> | null,
): Promise<Record<Repaired, string[]>> {
  const rooms: Record<Repaired, string[]> = { repaired: [], lost: [] }
  await withStore(folder, async (store) => {
    for await (const room of store.rooms()) {
      if (!named || named.has(room)) rooms[await repairRoom(store, room, now)].push(room)
    }
  })
  return rooms
}

function roomsOf({ damage }: VerifyReport): Set<string> {
  return new Set(damage.map(({ room }) => room))
}

async function withStore<Result>(folder: string, use: (store: LogStore) => Promise<Result>): Promise<Result> {
  const store = await openLevelLog({ folder })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
