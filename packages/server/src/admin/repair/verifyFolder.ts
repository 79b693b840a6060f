import { ServerError } from '../../errors.js'
import { LEVEL_FOLDER } from '../../log/levelCopies.js'
import { openLevelLog } from '../../log/levelLog.js'
import {
  inspectLevelFiles,
  REPAIRING,
  readSuspects,
  rebuildLevelFiles,
  repairLevelFiles,
} from '../../log/levelRepair.js'
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
  /** Values beside the rooms of which some may be lost: `access` is who was refused, `channel` who is a member of what. */
  readonly values: readonly string[]
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
  // LevelDB would pass over what is damaged, and remove it; and verifying changes nothing.
  if (files.some(({ torn }) => !torn)) return { ...NOT_OPENED, files }
  try {
    const report = await withStore(folder, verifyStore)
    return { ...report, files, sound: report.sound && files.length === 0 }
  } catch (error) {
    if (!(error instanceof ServerError && error.code === 'store-damaged')) throw error
    return {
      ...NOT_OPENED,
      files: [...files, { file: LEVEL_FOLDER, reason: error.message, torn: false, correctable: false }],
    }
  }
}

/**
 * Saves what is sound of the store in a data folder that no server has open. Single bits that were flipped are flipped back. Where more of
 * a file is damaged the store is made anew from all entries that are sound, and rooms of which some may be missing go on above every
 * version that was given.
 *
 * @param now the time in milliseconds since 1970
 * @throws ServerError with code `store-locked`
 */
export async function repairFolder(folder: string, now: number): Promise<RepairReport> {
  const found = await verifyFolder(folder)
  const isInFiles = found.files.length > 0 || found.damage.some(({ part }) => part === 'file')
  let copy = isInFiles ? await repairLevelFiles(folder, found.files, now) : null
  let rooms = await repairRooms(folder, now)
  let after = await verifyFolder(folder)
  if (roomsOf(after).size > rooms.lost.length) {
    copy = await rebuildLevelFiles(folder, now)
    rooms = await repairRooms(folder, now)
    after = await verifyFolder(folder)
  }
  return { found, now: after, copy, ...rooms }
}

/** Repairs the rooms that are damaged, and those of which the files may have lost something. */
async function repairRooms(
  folder: string,
  now: number,
): Promise<Pick<RepairReport, 'repaired' | 'lost' | 'values'>> {
  return withStore(folder, async (store) => {
    const rooms: Record<Repaired, string[]> = { repaired: [], lost: [] }
    const suspects = readSuspects((await store.values.read('store', [REPAIRING])).get(REPAIRING))
    const damaged = roomsOf(await verifyStore(store))
    for await (const room of store.rooms()) {
      if (damaged.has(room) || suspects?.isRoom(room)) rooms[await repairRoom(store, room, now)].push(room)
    }
    if (suspects) await store.values.write('store', new Map([[REPAIRING, null]]))
    return { ...rooms, values: suspects?.scopes ?? [] }
  })
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
