import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { ServerError } from '../errors.js'
import { damaged, damagedFile } from './damaged.js'
import { type FolderLock, lockFolder } from './folderLock.js'
import { createGroupCommit } from './groupCommit.js'
import { type AppendJob, type AppendOutcome, planAppends } from './levelAppend.js'
import { LEVEL_FOLDER, removeCopies } from './levelCopies.js'
import type { Level, LevelChange, LevelDatabase } from './levelDatabase.js'
import { createLevelEraser } from './levelErase.js'
import { checkLevelFiles, correctLevelFiles, type DamagedFile } from './levelFiles.js'
import { CHECK_KEY, RoomKeys, valuesOf } from './levelKeys.js'
import { levelScopes, roomNames } from './levelNames.js'
import { createRecentNumbers } from './levelNumbers.js'
import { finishRebuild, isRebuilding } from './levelRebuild.js'
import { restorationChanges } from './levelRestore.js'
import { readNumbers, readRemains, readRoom, readSize } from './levelRoom.js'
import { createStandIn, isReadOnly as isDiskReadOnly, removeStandIn } from './levelStandIn.js'
import { listValues, readValue, readValues, valueChanges } from './levelValues.js'
import type { LogRow, LogStore, WrittenBatch } from './logStore.js'
import { isLocked, openLevelStore } from './openLevelStore.js'
import { encodeQuarantined } from './quarantineRecord.js'
import { encodeMeta, NEW_ROOM, type RoomMeta } from './roomMeta.js'
import { encodeValue } from './rowCodec.js'

export interface LevelLogOptions {
  /** The data folder; it is created if need be. The database lies in `log` within. */
  folder: string
  /** Told of each batch of updates that became durable together. */
  onBatch?: (batch: WrittenBatch) => void
  /** Called with the files in which single bits were flipped back before they were opened, and the path of a copy as they were. */
  onCorrected?: (files: readonly DamagedFile[], copy: string) => void
  /** Called if the disk takes no writes: the store is read, refuses updates, and writes again as soon as the disk does. */
  onReadOnly?: () => void
}

type Job =
  | AppendJob
  /** Changes that are found only when it is their turn to be written. */
  | { readonly kind: 'change'; readonly find: () => Promise<LevelChange[]> }
  /** As a change, of something that is not worth erasing. */
  | { readonly kind: 'upkeep'; readonly find: () => Promise<LevelChange[]> }

/** What the server itself writes is a message or a few; how much exactly shows only when it is composed. */
const OWN_BYTES = 1024

/** One batch is one write to the disk; beyond this LevelDB gains nothing from more. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

/**
 * Opens the embedded {@link LogStore}: LevelDB, with one group commit over all rooms.
 *
 * All files are read first. A single bit that was flipped is flipped back; where more is damaged the store is not opened, and the
 * error names the command that saves the rest.
 *
 * @throws ServerError with code `store-locked` if the folder is in use, `store-damaged` or `store-unavailable` if LevelDB
 * cannot open it
 * @example
 * ```ts
 * import { openLevelLog } from '@parley/server'
 *
 * const store = await openLevelLog({ folder: '.parley' })
 * const { version } = await store.load('alice')
 * await store.close()
 * ```
 */
export async function openLevelLog({
  folder,
  onBatch,
  onCorrected,
  onReadOnly,
}: LevelLogOptions): Promise<LogStore> {
  const lock = await lockFolder(folder)
  try {
    const found = (await checkLevelFiles(lock.folder)).filter(({ torn }) => !torn)
    if (found.length > 0 || (await isRebuilding(lock.folder))) {
      // While another process writes them the files of a sound store do not fit together either.
      if (await lock.isClaimed()) throw await lock.conflict()
      const lasting = found.find(({ correctable }) => !correctable)
      if (lasting) throw damagedFile(lasting)
      await finishRebuild(lock.folder)
      if (found.length > 0) {
        const copy = await correctLevelFiles(lock.folder, found, Date.now())
        onCorrected?.(found, copy)
      }
    }
    const { database, isReadOnly } = await openWhereItCan(lock)
    try {
      // With a full disk nothing can be claimed, and the next process to open the folder can only read it, too.
      await lock.claim().catch((error: unknown) => {
        if (!isReadOnly) throw error
      })
      if (isReadOnly) onReadOnly?.()
      return await createLevelLog(database, lock, onBatch)
    } catch (error) {
      await database.close()
      throw error
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Opens the database, or, while its disk takes no writes, a copy to be read. */
async function openWhereItCan(lock: FolderLock): Promise<{ database: LevelDatabase; isReadOnly: boolean }> {
  const location = join(lock.folder, LEVEL_FOLDER)
  const explain = async (error: unknown): Promise<unknown> =>
    isLocked(error) ? await lock.conflict(error) : error
  try {
    return { database: await openLevelStore(location), isReadOnly: false }
  } catch (error) {
    const isUnavailable = error instanceof ServerError && error.code === 'store-unavailable'
    if (!isUnavailable || (await lock.isClaimed()) || !(await isDiskReadOnly(location)))
      throw await explain(error)
    const copy = await createStandIn(location).catch(() => null)
    if (copy === null) throw error
    try {
      const database = await openLevelStore(location, {
        location: copy,
        onOpened: () => removeAndClaim(copy, lock),
      })
      const close = async (): Promise<void> => {
        await database.close()
        await removeStandIn(copy)
      }
      return { database: { ...database, close }, isReadOnly: true }
    } catch (cause) {
      await removeStandIn(copy)
      throw cause
    }
  }
}

async function removeAndClaim(copy: string, lock: FolderLock): Promise<void> {
  await removeStandIn(copy)
  await lock.claim()
}

async function createLevelLog(
  database: LevelDatabase,
  { folder, release }: FolderLock,
  onBatch?: (batch: WrittenBatch) => void,
): Promise<LogStore> {
  let closing: Promise<void> | null = null
  const opening = randomUUID()
  const recent = createRecentNumbers(database)

  const write = async (changes: readonly LevelChange[]): Promise<void> => {
    if (changes.length === 0) return
    try {
      await database.write(changes)
    } catch (error) {
      recent.clear()
      throw error
    }
  }
  const append = async (jobs: readonly AppendJob[]): Promise<readonly AppendOutcome[]> => {
    const { changes, outcomes, numbers } = await planAppends(database, recent, jobs, opening)
    await write(eraser.note(changes))
    recent.keep(numbers)
    const updates = outcomes.filter((outcome) => outcome && 'version' in outcome).length
    if (updates > 0) onBatch?.({ updates })
    return outcomes
  }

  const commits = createGroupCommit<Job, LogRow | null>({
    async write(jobs) {
      const [first] = jobs
      if (first && 'find' in first) {
        const changes = await first.find()
        await write(first.kind === 'change' ? eraser.note(changes) : changes)
        recent.forget(changes)
        return [null]
      }
      return append(jobs.flatMap((job) => ('find' in job ? [] : [job])))
    },
    joins: (first, next) => !('find' in first) && !('find' in next),
    sizeOf: (job) => (job.kind === 'append' ? job.update.byteLength : job.kind === 'own' ? OWN_BYTES : 0),
    maxBatchSize: MAX_BATCH_BYTES,
  })

  const add = (job: Job): Promise<LogRow | null> =>
    closing ? Promise.reject(new ServerError('closed', 'The log store is closed')) : commits.add(job)
  const change = async (find: () => Promise<LevelChange[]>): Promise<void> => {
    await add({ kind: 'change', find })
  }
  const readHeads = async (rooms: readonly string[]): Promise<Map<string, number>> => {
    const keys = rooms.map((room) => new RoomKeys(room))
    const metas = await recent.read(keys)
    const heads = new Map<string, number>()
    for (let index = 0; index < rooms.length; index++) {
      const room = rooms[index] as string
      const meta = metas.get((keys[index] as RoomKeys).meta)
      if (!meta || 'code' in meta) throw meta ?? damaged(room, 'is missing')
      heads.set(room, meta.version)
    }
    return heads
  }
  const eraser = await createLevelEraser({
    database,
    async alone(find) {
      await add({ kind: 'upkeep', find })
    },
  })

  return {
    async append(room, update) {
      return (await add({ kind: 'append', keys: new RoomKeys(room), update }))?.version ?? 0
    },
    appendOwn(room, own) {
      const keys = new RoomKeys(room)
      return add({ kind: 'own', keys, own, valueKeys: (own.reads ?? []).map((name) => keys.value(name)) })
    },
    async load(room, { after = 0 } = {}) {
      const keys = new RoomKeys(room)
      const { writes } = recent
      if (recent.find(keys) === NEW_ROOM)
        return { epoch: 0, version: 0, snapshot: null, rows: [], damaged: [] }
      const stored = await database.read((level) => readRoom(level, keys, after))
      if (stored.epoch === 0 && stored.version === 0) recent.noteAbsent(keys, writes)
      return stored
    },

    heads: readHeads,

    async readWithHead(room, name) {
      const keys = new RoomKeys(room)
      const key = keys.value(name)
      const reading = database.read((level) => readValue(level, key))
      const known = recent.find(keys)
      if (known) return { head: known.version, value: await reading }
      const [heads, value] = await Promise.all([readHeads([room]), reading])
      return { head: heads.get(room) ?? 0, value }
    },

    async compact(room, { through, snapshot, keep = [] }) {
      const keys = new RoomKeys(room)
      await change(async () => {
        const meta = await database.read((level) => readNumbers(level, keys))
        if (meta.version < through || meta.snapshotVersion >= through) return []
        const kept = new Set(keep.map((version) => keys.row(version)))
        const replaced = await database.read((level) => level.keys(keys.rowsThrough(through)).all())
        const before = await database.read((level) => level.keys(keys.allSnapshots).all())
        meta.snapshotVersion = through
        const key = keys.snapshot(through)
        return [
          ...[...before, ...replaced.filter((row) => !kept.has(row))].map(deletion),
          { type: 'put', key, value: encodeValue(key, snapshot) },
          { type: 'put', key: keys.meta, value: encodeMeta(keys.meta, meta) },
        ]
      })
    },

    async quarantine(room, rows) {
      const keys = new RoomKeys(room)
      await change(async () => {
        const changes: LevelChange[] = []
        for (const { version, reason } of rows) {
          const value = await database.read((level) => level.get(keys.row(version)))
          if (!value) continue
          const key = keys.quarantined(version)
          changes.push({ type: 'put', key, value: encodeQuarantined(key, value, reason) })
          changes.push({ type: 'del', key: keys.row(version) })
        }
        if (changes.length === 0) return []
        const { writer: _, ...meta } = await database.read((level) => readNumbers(level, keys))
        return [...changes, { type: 'put', key: keys.meta, value: encodeMeta(keys.meta, meta) }]
      })
    },

    async retireWriter(room, clients) {
      const keys = new RoomKeys(room)
      const isWriter = ({ writer }: RoomMeta): boolean => !!writer && clients.includes(writer.client)
      // Most callers bring what devices wrote: these need not wait for the disk.
      const known = (await recent.read([keys])).get(keys.meta)
      if (!known || 'code' in known || !isWriter(known)) return false
      let isRetired = false
      await change(async () => {
        const stored = await database.read((level) => readNumbers(level, keys))
        isRetired = isWriter(stored)
        if (!isRetired) return []
        const { writer: _, ...meta } = stored
        return [{ type: 'put', key: keys.meta, value: encodeMeta(keys.meta, meta) }]
      })
      return isRetired
    },

    size: (room) => database.read((level) => readSize(level, new RoomKeys(room))),

    values: {
      read: (scope, names) => database.read((level) => readValues(level, scope, names)),
      list: (scope, range) => database.read((level) => listValues(level, scope, range)),
      async write(scope, values) {
        await add({ kind: 'values', changes: valueChanges(scope, values) })
      },
      scopes: () => levelScopes(database),
    },

    delete: (room) =>
      change(() => database.read(async (level) => (await keysOfRoom(level, room)).map(deletion))),
    rooms: () => roomNames(database),
    examine: (room) => database.read((level) => readRemains(level, new RoomKeys(room))),
    restore: (room, restoration) =>
      change(() => database.read((level) => restorationChanges(level, room, restoration))),
    async erase({ copies = false } = {}) {
      if (closing) throw new ServerError('closed', 'The log store is closed')
      await eraser.run()
      if (copies) await removeCopies(folder)
    },

    check: () =>
      change(async () => [{ type: 'put', key: CHECK_KEY, value: encodeValue(CHECK_KEY, new Uint8Array()) }]),

    close() {
      closing ??= (async () => {
        await commits.idle()
        try {
          await database.close()
        } finally {
          await release()
        }
      })()
      return closing
    },
  }
}

async function keysOfRoom(level: Level, room: string): Promise<string[]> {
  const keys = new RoomKeys(room)
  const ranges = [keys.allRows, keys.allSnapshots, keys.allQuarantined, valuesOf(`room:${room}`)]
  const found = await Promise.all(ranges.map((range) => level.keys(range).all()))
  return [keys.meta, ...found.flat()]
}

function deletion(key: string): LevelChange {
  return { type: 'del', key }
}
