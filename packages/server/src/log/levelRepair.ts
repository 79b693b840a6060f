import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFolder } from './folderLock.js'
import { copyDatabase, LEVEL_FOLDER } from './levelCopies.js'
import { type LevelChange, type LevelDatabase, openLevelDatabase } from './levelDatabase.js'
import { checkLevelFiles, correctLevelFiles, type DamagedFile } from './levelFiles.js'
import { type KeyRange, RoomKeys, rangeOf, valueKey, valuesOf } from './levelKeys.js'
import { mergeEntries } from './levelMerge.js'
import { finishRebuild, REBUILT_FOLDER, REPLACED_FOLDER } from './levelRebuild.js'
import { isLost, type LevelSources, openSources } from './levelSources.js'
import { repairStoreFormat } from './openLevelStore.js'
import { decodeValue, encodeValue } from './rowCodec.js'

const BATCH_BYTES = 4 * 1024 * 1024

/** The name of the value of the store that is there while a repair is not finished: where entries may be missing. */
export const REPAIRING = 'repairing'

/** Which rooms and values may have lost something. */
export interface Suspects {
  /** True if entries of a room may be missing. */
  isRoom: (room: string) => boolean
  /** Kinds of values beside the rooms that may be missing: `access`, `channel`. */
  readonly scopes: readonly string[]
}

/** Looks at the files of a store that nobody has open. */
export async function inspectLevelFiles(folder: string): Promise<DamagedFile[]> {
  return withFolder(folder, (own) => checkLevelFiles(own))
}

/**
 * Makes the files of a store such that it can be opened: single bits are flipped back, and where more is wrong a new store is made of
 * all entries that are sound. The files as they were are kept in a copy.
 *
 * @returns the path of the copy
 * @throws ServerError with code `store-locked`
 */
export async function repairLevelFiles(
  folder: string,
  damaged: readonly DamagedFile[],
  now: number,
): Promise<string> {
  return withFolder(folder, (own) =>
    damaged.length > 0 && damaged.every(({ correctable }) => correctable)
      ? correctLevelFiles(own, damaged, now)
      : rebuild(own, now),
  )
}

/** As {@link repairLevelFiles}, with all files made anew: entries may lie where their keys do not belong. */
export async function rebuildLevelFiles(folder: string, now: number): Promise<string> {
  return withFolder(folder, (own) => rebuild(own, now))
}

/** Reads which rooms a repair that is not finished is to look at; `null` if there is none. */
export function readSuspects(value: Uint8Array | undefined): Suspects | null {
  if (!value) return null
  const lost = JSON.parse(Buffer.from(value).toString()) as LevelSources['lost']
  const mayHold = ({ gte, lt }: KeyRange): boolean =>
    lost === 'all' || lost.some(({ from, through }) => from < lt && through >= gte)
  return {
    isRoom(room) {
      const keys = new RoomKeys(room)
      const itself = { gte: keys.meta, lt: `${keys.meta}\0` }
      const ranges = [itself, keys.allRows, keys.allSnapshots, keys.allQuarantined, valuesOf(`room:${room}`)]
      return ranges.some(mayHold)
    },
    scopes: [
      ...(mayHold(valuesOf('access')) ? ['access'] : []),
      ...(mayHold({
        gte: `value/${encodeURIComponent('channel:')}`,
        lt: `value/${encodeURIComponent('channel;')}`,
      })
        ? ['channel']
        : []),
    ],
  }
}

async function rebuild(folder: string, now: number): Promise<string> {
  const [location, rebuilt] = [join(folder, LEVEL_FOLDER), join(folder, REBUILT_FOLDER)]
  const copy = await copyDatabase(folder, now)
  await rm(rebuilt, { recursive: true, force: true })
  const opened = await openSources(location)
  const to = await openLevelDatabase(rebuilt)
  try {
    await writeAll(to, mergeEntries(opened.sources), readDoubtful(opened))
    const key = valueKey('store', REPAIRING)
    await to.write([{ type: 'put', key, value: encodeValue(key, JSON.stringify(opened.lost)) }])
  } finally {
    await to.close()
  }
  await repairStoreFormat(rebuilt)
  await rename(location, join(folder, REPLACED_FOLDER))
  await finishRebuild(folder)
  return copy
}

/** Writes the entries that are valid, and takes those out of `doubtful` of which it is then known what they are. */
async function writeAll(
  to: LevelDatabase,
  entries: Iterable<{ key: Uint8Array; value: Uint8Array | null }>,
  doubtful: Map<string, Uint8Array>,
): Promise<void> {
  let batch: LevelChange[] = []
  let bytes = 0
  for (const { key: name, value } of entries) {
    const key = Buffer.from(name).toString()
    doubtful.delete(key)
    if (!value) continue
    batch.push({ type: 'put', key, value })
    bytes += value.byteLength
    if (bytes < BATCH_BYTES) continue
    await to.write(batch)
    batch = []
    bytes = 0
  }
  for (const [key, value] of doubtful) batch.push({ type: 'put', key, value })
  await to.write(batch)
}

/** What lies in damaged blocks and is as it was written: the checksum of a value is over its key too. */
function readDoubtful({ doubtful, lost }: LevelSources): Map<string, Uint8Array> {
  const kinds = ['meta', 'row', 'snapshot', 'quarantined', 'value'].map(rangeOf)
  const found = new Map<string, Uint8Array>()
  for (const { key: bytes, value } of doubtful) {
    const key = Buffer.from(bytes).toString()
    if (!value || found.has(key) || !isLost(lost, key)) continue
    if (!kinds.some(({ gte, lt }) => key >= gte && key < lt)) continue
    if (decodeValue(key, value) instanceof Uint8Array) found.set(key, value.slice())
  }
  return found
}

async function withFolder<Result>(folder: string, use: (own: string) => Promise<Result>): Promise<Result> {
  const lock = await lockFolder(folder)
  try {
    if (await lock.isClaimed()) throw await lock.conflict()
    await finishRebuild(lock.folder)
    return await use(lock.folder)
  } finally {
    await lock.release()
  }
}
