import { join } from 'node:path'
import { ServerError } from '../errors.js'
import { damaged } from './damaged.js'
import { drawWriter } from './drawWriter.js'
import { lockFolder } from './folderLock.js'
import { createGroupCommit } from './groupCommit.js'
import type { LevelChange, LevelDatabase } from './levelDatabase.js'
import {
  ALL_META,
  CHECK_KEY,
  type RoomKeys,
  roomKeys,
  roomOfMeta,
  valueKey,
  valueName,
  valuesFrom,
  valuesOf,
  versionOf,
} from './levelKeys.js'
import type {
  Composed,
  DamagedRow,
  LogRow,
  LogStore,
  OwnAppend,
  QuarantinedRow,
  ValueScope,
  WrittenBatch,
} from './logStore.js'
import { isLocked, openLevelStore } from './openLevelStore.js'
import { decodeQuarantined, encodeQuarantined } from './quarantineRecord.js'
import { decodeMeta, encodeMeta, type RoomMeta } from './roomMeta.js'
import { decodeValue, encodeValue } from './rowCodec.js'

export interface LevelLogOptions {
  /** The data folder; it is created if need be. The database lies in `log` within. */
  folder: string
  /** Told of each batch of updates that became durable together. */
  onBatch?: (batch: WrittenBatch) => void
}

/** An update to append, or changes that are found only when it is their turn to be written. */
type Job =
  | { readonly kind: 'append'; readonly keys: RoomKeys; readonly update: Uint8Array }
  | { readonly kind: 'own'; readonly keys: RoomKeys; readonly room: string; readonly own: OwnAppend }
  | { readonly kind: 'values'; readonly changes: readonly LevelChange[] }
  | { readonly kind: 'change'; readonly find: () => Promise<LevelChange[]> }
/** A row, or why there is none: a room whose numbers are damaged must not fail the others of its batch. */
type Outcome = LogRow | null | { readonly error: unknown }

/** What the server itself writes is a message or a few; how much exactly shows only when it is composed. */
const OWN_BYTES = 1024

/** One batch is one write to the disk; beyond this LevelDB gains nothing from more. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

/**
 * Opens the embedded {@link LogStore}: LevelDB, with one group commit over all rooms.
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
export async function openLevelLog({ folder, onBatch }: LevelLogOptions): Promise<LogStore> {
  const lock = await lockFolder(folder)
  try {
    const database = await openLevelStore(join(lock.folder, 'log')).catch(async (error) => {
      throw isLocked(error) ? await lock.conflict(error) : error
    })
    await lock.claim()
    return createLevelLog(database, lock.release, onBatch)
  } catch (error) {
    await lock.release()
    throw error
  }
}

function createLevelLog(
  database: LevelDatabase,
  release: () => Promise<void>,
  onBatch?: (batch: WrittenBatch) => void,
): LogStore {
  let closing: Promise<void> | null = null

  const append = async (jobs: ReadonlyArray<Exclude<Job, { kind: 'change' }>>): Promise<Outcome[]> => {
    const metaKeys = [...new Set(jobs.flatMap((job) => ('keys' in job ? [job.keys.meta] : [])))]
    const wanted = jobs.flatMap((job) =>
      job.kind === 'own' ? (job.own.reads ?? []).map((name) => valueKey(`room:${job.room}`, name)) : [],
    )
    const stored = await database.read((level) => level.getMany([...metaKeys, ...wanted]))
    const metas = new Map<string, RoomMeta | ServerError>()
    for (const [index, key] of metaKeys.entries()) metas.set(key, decodeMeta(key, stored[index]))
    // As of the job whose turn it is: those before it in the batch have written theirs.
    const values = new Map<string, Uint8Array | null>()
    for (const [index, key] of wanted.entries()) {
      const found = stored[metaKeys.length + index]
      const value = found && decodeValue(key, found)
      values.set(key, value instanceof Uint8Array ? value : null)
    }
    const touched = new Map<string, RoomMeta>()
    const changes: LevelChange[] = []
    const outcomes = jobs.map((job): Outcome => {
      if (job.kind === 'values') {
        changes.push(...job.changes)
        return null
      }
      const { keys } = job
      const meta = metas.get(keys.meta)
      if (!meta || meta instanceof ServerError) return { error: meta ?? damaged(keys.meta, 'is missing') }
      let update: Uint8Array
      if (job.kind === 'own') {
        const { client, clock } = meta.writer ?? drawWriter()
        const scope = `room:${job.room}` as const
        const seen = new Map<string, Uint8Array>()
        for (const name of job.own.reads ?? []) {
          const value = values.get(valueKey(scope, name))
          if (value) seen.set(name, value)
        }
        let composed: Composed | null
        try {
          composed = job.own.compose({ client, clock }, seen)
        } catch (error) {
          return { error }
        }
        if (!composed) return null
        update = composed.update
        meta.writer = { client, clock: clock + composed.clocks }
        for (const [name, value] of composed.values ?? []) values.set(valueKey(scope, name), value)
        changes.push(...valueChanges(scope, composed.values ?? new Map()))
      } else update = job.update
      meta.version++
      const key = keys.row(meta.version)
      changes.push({ type: 'put', key, value: encodeValue(key, update) })
      touched.set(keys.meta, meta)
      return { version: meta.version, update }
    })
    for (const [key, meta] of touched) changes.push({ type: 'put', key, value: encodeMeta(key, meta) })
    if (changes.length > 0) await database.write(changes)
    const updates = outcomes.filter((outcome) => outcome && 'version' in outcome).length
    if (updates > 0) onBatch?.({ updates })
    return outcomes
  }

  const commits = createGroupCommit<Job, Outcome>({
    async write(jobs) {
      const [first] = jobs
      if (first?.kind === 'change') {
        const changes = await first.find()
        if (changes.length > 0) await database.write(changes)
        return [null]
      }
      return append(jobs.filter((job) => job.kind !== 'change'))
    },
    joins: (first, next) => first.kind !== 'change' && next.kind !== 'change',
    sizeOf: (job) => (job.kind === 'append' ? job.update.byteLength : job.kind === 'own' ? OWN_BYTES : 0),
    maxBatchSize: MAX_BATCH_BYTES,
  })

  const add = async (job: Job): Promise<LogRow | null> => {
    if (closing) throw new ServerError('closed', 'The log store is closed')
    const outcome = await commits.add(job)
    if (outcome && 'error' in outcome) throw outcome.error
    return outcome
  }
  const change = async (find: () => Promise<LevelChange[]>): Promise<void> => {
    await add({ kind: 'change', find })
  }
  const readMeta = async (keys: RoomKeys): Promise<RoomMeta> =>
    orThrow(decodeMeta(keys.meta, await database.read((level) => level.get(keys.meta))))

  return {
    append: async (room, update) =>
      (await add({ kind: 'append', keys: roomKeys(room), update }))?.version ?? 0,
    appendOwn: (room, own) => add({ kind: 'own', keys: roomKeys(room), room, own }),

    async load(room, { after = 0 } = {}) {
      const keys = roomKeys(room)
      return database.read(async (level) => {
        const view = level.snapshot()
        try {
          const meta = orThrow(decodeMeta(keys.meta, await level.get(keys.meta, { snapshot: view })))
          const isBehind = meta.snapshotVersion > after
          const rows: LogRow[] = []
          const bad: DamagedRow[] = []
          const range = isBehind || after === 0 ? keys.allRows : keys.rowsAfter(after)
          for await (const [key, value] of level.iterator({ ...range, snapshot: view })) {
            const version = versionOf(key)
            const update = decodeValue(key, value)
            if (update instanceof Uint8Array) rows.push({ version, update })
            else bad.push({ version, reason: update.damage })
          }
          const { epoch, version, snapshotVersion } = meta
          const base = { epoch, version, rows, damaged: bad }
          if (!isBehind) return { ...base, snapshot: null }
          const value = await level.get(keys.snapshot, { snapshot: view })
          const update = value ? decodeValue(keys.snapshot, value) : { damage: 'is missing' }
          // Without it the rows are not the document. Nothing is served until somebody has looked.
          if (!(update instanceof Uint8Array)) throw damaged(keys.snapshot, update.damage)
          return { ...base, snapshot: { version: snapshotVersion, update } }
        } finally {
          await view.close()
        }
      })
    },

    async heads(rooms) {
      const keys = rooms.map((room) => roomKeys(room).meta)
      const stored = await database.read((level) => level.getMany(keys))
      return new Map(
        rooms.map((room, index) => [room, orThrow(decodeMeta(keys[index] as string, stored[index])).version]),
      )
    },

    async compact(room, { through, snapshot, keep = [] }) {
      const keys = roomKeys(room)
      await change(async () => {
        const meta = await readMeta(keys)
        if (meta.version < through || meta.snapshotVersion >= through) return []
        const kept = new Set(keep.map(keys.row))
        const replaced = await database.read((level) => level.keys(keys.rowsThrough(through)).all())
        meta.snapshotVersion = through
        return [
          ...replaced.filter((key) => !kept.has(key)).map((key): LevelChange => ({ type: 'del', key })),
          { type: 'put', key: keys.snapshot, value: encodeValue(keys.snapshot, snapshot) },
          { type: 'put', key: keys.meta, value: encodeMeta(keys.meta, meta) },
        ]
      })
    },

    async quarantine(room, rows) {
      const keys = roomKeys(room)
      await change(async () => {
        const changes: LevelChange[] = []
        for (const { version, reason } of rows) {
          const value = await database.read((level) => level.get(keys.row(version)))
          if (!value) continue
          const key = keys.quarantined(version)
          changes.push({ type: 'put', key, value: encodeQuarantined(key, value, reason) })
          changes.push({ type: 'del', key: keys.row(version) })
        }
        return changes
      })
    },

    async size(room) {
      const keys = roomKeys(room)
      return database.read(async (level) => {
        const value = await level.get(keys.meta)
        if (!value) return null
        const { epoch, version, snapshotVersion } = orThrow(decodeMeta(keys.meta, value))
        let rowCount = 0
        let rowBytes = 0
        for await (const row of level.values(keys.allRows)) {
          rowCount++
          rowBytes += row.byteLength
        }
        const quarantined: QuarantinedRow[] = []
        for await (const [key, record] of level.iterator(keys.allQuarantined)) {
          quarantined.push({ version: versionOf(key), ...decodeQuarantined(key, record) })
        }
        const snapshotBytes = (await level.get(keys.snapshot))?.byteLength ?? 0
        return { epoch, version, snapshotVersion, snapshotBytes, rowCount, rowBytes, quarantined }
      })
    },

    values: {
      async read(scope, names) {
        const keys = names.map((name) => valueKey(scope, name))
        const stored = await database.read((level) => level.getMany(keys))
        const values = new Map<string, Uint8Array>()
        for (const [index, name] of names.entries()) {
          const value = stored[index] && decodeValue(keys[index] as string, stored[index])
          if (value instanceof Uint8Array) values.set(name, value)
        }
        return values
      },
      async list(scope, { prefix, limit = Number.POSITIVE_INFINITY, reverse = false }) {
        const found = await database.read((level) =>
          level.iterator({ ...valuesFrom(scope, prefix), limit, reverse }).all(),
        )
        return new Map(
          found.flatMap(([key, stored]) => {
            const value = decodeValue(key, stored)
            return value instanceof Uint8Array ? [[valueName(key), value]] : []
          }),
        )
      },
      async write(scope, values) {
        await add({ kind: 'values', changes: valueChanges(scope, values) })
      },
    },

    async delete(room) {
      const keys = roomKeys(room)
      await change(async () =>
        database.read(async (level) => {
          const rows = await level.keys(keys.allRows).all()
          const quarantined = await level.keys(keys.allQuarantined).all()
          const values = await level.keys(valuesOf(`room:${room}`)).all()
          return [keys.meta, keys.snapshot, ...rows, ...quarantined, ...values].map((key) => ({
            type: 'del',
            key,
          }))
        }),
      )
    },

    async *rooms() {
      const keys = await database.read((level) => level.keys(ALL_META).all())
      for (const key of keys) yield roomOfMeta(key)
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

function valueChanges(scope: ValueScope, values: ReadonlyMap<string, Uint8Array | null>): LevelChange[] {
  return [...values].map(([name, value]) => {
    const key = valueKey(scope, name)
    return value ? { type: 'put', key, value: encodeValue(key, value) } : { type: 'del', key }
  })
}

function orThrow(meta: RoomMeta | ServerError): RoomMeta {
  if (meta instanceof ServerError) throw meta
  return meta
}
