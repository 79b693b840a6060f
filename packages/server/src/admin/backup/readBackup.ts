import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { ServerError } from '../../errors.js'
import type { LogRow } from '../../log/logStore.js'
import {
  BACKUP_FORMAT,
  BACKUP_FORMAT_VERSION,
  type BackupLine,
  type BackupManifest,
  fromText,
  LINES_FILE,
  MANIFEST_FILE,
} from './format.js'

/** What a backup holds, piece by piece. */
export type BackupPiece =
  | {
      readonly kind: 'room'
      readonly room: string
      readonly epoch: number
      readonly version: number
      readonly snapshot: LogRow | null
      readonly rows: readonly LogRow[]
      readonly values: ReadonlyMap<string, Uint8Array>
    }
  | { readonly kind: 'value'; readonly scope: string; readonly name: string; readonly value: Uint8Array }

const LINE_FEED = 10

/**
 * Makes sure that a folder holds a backup that can be read, and is as it was written.
 *
 * @throws ServerError with code `invalid-argument` that says what about it is wrong
 */
export async function checkBackup(path: string): Promise<BackupManifest> {
  let manifest: BackupManifest
  try {
    manifest = JSON.parse(await readFile(join(path, MANIFEST_FILE), 'utf8')) as BackupManifest
  } catch (cause) {
    throw new ServerError('invalid-argument', `${path} is no backup: its ${MANIFEST_FILE} cannot be read`, {
      cause,
    })
  }
  if (manifest.format !== BACKUP_FORMAT || manifest.file !== LINES_FILE) {
    throw new ServerError('invalid-argument', `${path} is no backup of Parley`)
  }
  if (manifest.formatVersion !== BACKUP_FORMAT_VERSION) {
    throw new ServerError(
      'invalid-argument',
      `The backup in ${path} has format ${manifest.formatVersion}; this version reads ${BACKUP_FORMAT_VERSION}`,
    )
  }
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(join(path, LINES_FILE)), hash)
  } catch (cause) {
    throw new ServerError('invalid-argument', `The backup in ${path} lacks its ${LINES_FILE}`, { cause })
  }
  if (hash.digest('hex') !== manifest.sha256) {
    throw new ServerError(
      'invalid-argument',
      `The backup in ${path} is damaged: ${LINES_FILE} is not as it was written`,
    )
  }
  return manifest
}

/** Reads a backup that was checked, one room after the other. */
export async function* readBackup(path: string): AsyncIterable<BackupPiece> {
  let room:
    | (Extract<BackupPiece, { kind: 'room' }> & { rows: LogRow[]; values: Map<string, Uint8Array> })
    | null = null
  for await (const line of readLines(join(path, LINES_FILE))) {
    if ('room' in line) {
      if (room) yield room
      const { epoch, version, snapshotVersion = 0, snapshot } = line
      room = {
        kind: 'room',
        room: line.room,
        epoch,
        version,
        snapshot: snapshot === undefined ? null : { version: snapshotVersion, update: fromText(snapshot) },
        rows: [],
        values: new Map(),
      }
    } else if ('row' in line) room?.rows.push({ version: line.row, update: fromText(line.update) })
    else if (line.scope === `room:${room?.room}`) room?.values.set(line.name, fromText(line.value))
    else {
      if (room) yield room
      room = null
      yield { kind: 'value', scope: line.scope, name: line.name, value: fromText(line.value) }
    }
  }
  if (room) yield room
}

async function* readLines(file: string): AsyncIterable<BackupLine> {
  // Its checksum says that it is what was written.
  const parse = (parts: readonly Buffer[]): BackupLine =>
    JSON.parse(Buffer.concat(parts).toString('utf8')) as BackupLine
  const source = createReadStream(file)
  const chunks = source.pipe(createGunzip()) as AsyncIterable<Buffer>
  let parts: Buffer[] = []
  try {
    for await (const chunk of chunks) {
      let from = 0
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
        yield parse([...parts, chunk.subarray(from, end)])
        parts = []
        from = end + 1
      }
      parts.push(chunk.subarray(from))
    }
  } finally {
    source.destroy()
  }
}
