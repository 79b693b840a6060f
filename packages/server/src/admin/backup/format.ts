/** What is in a backup, as `manifest.json` in its folder says it. */
export interface BackupManifest {
  readonly format: typeof BACKUP_FORMAT
  readonly formatVersion: typeof BACKUP_FORMAT_VERSION
  /** When the backup was begun, in ISO 8601. */
  readonly createdAt: string
  readonly rooms: number
  readonly rows: number
  readonly values: number
  /** Rooms that cannot be read and are not in the backup, and rows of others. */
  readonly damaged: readonly DamagedPart[]
  readonly file: string
  /** The size of the file in bytes, and its SHA-256 in hexadecimal digits. */
  readonly bytes: number
  readonly sha256: string
}

/** What could not be read, and why. */
export interface DamagedPart {
  readonly room: string
  /** The row; all of the room if left out. */
  readonly version?: number
  readonly reason: string
}

/** A line of a backup's file. A room is followed by its rows and its values; what is in no room comes last. */
export type BackupLine =
  | {
      readonly room: string
      readonly epoch: number
      readonly version: number
      /** The version of the snapshot, and the Yjs update in base64; both left out if there is none. */
      readonly snapshotVersion?: number
      readonly snapshot?: string
    }
  | { readonly row: number; readonly update: string }
  | { readonly scope: string; readonly name: string; readonly value: string }

export const BACKUP_FORMAT = 'parley-backup'
export const BACKUP_FORMAT_VERSION = 1
export const MANIFEST_FILE = 'manifest.json'
/** One JSON object a line, all of it gzipped. */
export const LINES_FILE = 'rooms.ndjson.gz'

/** Bytes as a line has them. */
export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Bytes of a line. */
export function fromText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
