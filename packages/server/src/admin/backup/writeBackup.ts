import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { ServerError } from '../../errors.js'
import { COPY_NAME } from '../../log/copies.js'
import type { LogStore, ValueScope } from '../../log/logStore.js'
import { canonicalText } from '../canonicalText.js'
import {
  BACKUP_FORMAT,
  BACKUP_FORMAT_VERSION,
  type BackupLine,
  type BackupManifest,
  type DamagedPart,
  LINES_FILE,
  MANIFEST_FILE,
  toText,
} from './format.js'

export interface WriteBackupOptions {
  store: LogStore
  /** Where the backup is to be: a folder that does not exist, or is empty. */
  path: string
  /** The time in milliseconds since 1970. */
  now: number
}

/**
 * Writes all that is stored into a folder, room by room, while the store is in use: each room is as of one moment. The folder
 * appears when everything is in it and on disk.
 *
 * @throws ServerError with code `invalid-argument` if the folder cannot be had; `store-unavailable`
 */
export async function writeBackup({ store, path, now }: WriteBackupOptions): Promise<BackupManifest> {
  const target = resolve(path)
  await checkVacant(target)
  const partial = join(dirname(target), `.${basename(target)}.partial-${process.pid}`)
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { mode: 0o700 }).catch((cause) => {
    throw new ServerError('invalid-argument', `No folder can be made beside ${target}`, { cause })
  })
  try {
    const counts = { rooms: 0, rows: 0, values: 0 }
    const damaged: DamagedPart[] = []
    const hash = createHash('sha256')
    let bytes = 0
    await pipeline(
      Readable.from(toLines(readStore(store, counts, damaged))),
      createGzip(),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          bytes += chunk.byteLength
          yield chunk
        }
      },
      createWriteStream(join(partial, LINES_FILE), { mode: 0o600 }),
    )
    const manifest: BackupManifest = {
      format: BACKUP_FORMAT,
      formatVersion: BACKUP_FORMAT_VERSION,
      createdAt: new Date(now).toISOString(),
      ...counts,
      damaged,
      file: LINES_FILE,
      bytes,
      sha256: hash.digest('hex'),
    }
    await syncPath(join(partial, LINES_FILE))
    const file = await open(join(partial, MANIFEST_FILE), 'wx', 0o600)
    try {
      await file.writeFile(canonicalText(manifest))
      await file.sync()
    } finally {
      await file.close()
    }
    await syncPath(partial)
    await rmdir(target).catch(() => {})
    await rename(partial, target)
    await syncPath(dirname(target))
    return manifest
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}

async function checkVacant(target: string): Promise<void> {
  const entries = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new ServerError('invalid-argument', `${target} is no folder that a backup can be written to`)
  })
  if (entries.length > 0) throw new ServerError('invalid-argument', `${target} is not empty`)
}

async function* readStore(
  store: LogStore,
  counts: { rooms: number; rows: number; values: number },
  damaged: DamagedPart[],
): AsyncIterable<BackupLine> {
  const values = async function* (scope: ValueScope): AsyncIterable<BackupLine> {
    for (const [name, value] of await store.values.list(scope, { prefix: '' })) {
      if (name === COPY_NAME) continue
      counts.values++
      yield { scope, name, value: toText(value) }
    }
  }
  for await (const room of store.rooms()) {
    // Before the log: a version index that is older than it is brought up to date, a newer one is of no use.
    const beside: BackupLine[] = []
    for await (const line of values(`room:${room}`)) beside.push(line)
    try {
      yield* readRoom(store, room, counts, damaged)
    } catch (error) {
      if (!(error instanceof ServerError && error.code === 'store-damaged')) throw error
      damaged.push({ room, reason: error.message })
      counts.values -= beside.length
      continue
    }
    yield* beside
  }
  for await (const scope of store.values.scopes()) {
    if (scope === 'store') continue
    const room = scope.startsWith('room:') ? scope.slice('room:'.length) : null
    if (room === null || (await store.heads([room])).get(room) === 0) yield* values(scope)
  }
}

async function* readRoom(
  store: LogStore,
  room: string,
  counts: { rooms: number; rows: number },
  damaged: DamagedPart[],
): AsyncIterable<BackupLine> {
  const { epoch, version, snapshot, rows, damaged: bad } = await store.load(room)
  // It was deleted a moment ago.
  if (version === 0) return
  counts.rooms++
  counts.rows += rows.length
  for (const { version: row, reason } of bad) damaged.push({ room, version: row, reason })
  const base = { room, epoch, version }
  yield snapshot ? { ...base, snapshotVersion: snapshot.version, snapshot: toText(snapshot.update) } : base
  for (const row of rows) yield { row: row.version, update: toText(row.update) }
}

async function* toLines(lines: AsyncIterable<BackupLine>): AsyncIterable<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`
}

/** Makes a file, or the list of files of a folder, durable. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
