/** One update in the durable log of a room. */
export interface LogRow {
  /** Its sequence number: 1 for the first update of a room, then always greater, below 2^53. */
  readonly version: number
  readonly update: Uint8Array
}

/** A row that is there but cannot be read: its checksum does not match. */
export interface DamagedRow {
  readonly version: number
  readonly reason: string
}

/** A row that was put aside because it cannot be applied. Its bytes are kept for whoever looks into it. */
export interface QuarantinedRow {
  readonly version: number
  readonly reason: string
  readonly bytes: number
}

/** All that is stored of a room, as of one moment. */
export interface StoredRoom {
  /** Which document the room holds; it counts up each time the document is folded into a new one. */
  readonly epoch: number
  /** The version of the last update that was appended, compacted since or not; 0 if there was none. */
  readonly version: number
  /** The document as of `version`, or `null` if the room was never compacted. */
  readonly snapshot: LogRow | null
  /** The rows that are not part of the snapshot, oldest first. */
  readonly rows: readonly LogRow[]
  readonly damaged: readonly DamagedRow[]
}

/** How much is stored of a room. */
export interface RoomSize {
  readonly epoch: number
  readonly version: number
  /** The version the snapshot was taken at, 0 if there is none. */
  readonly snapshotVersion: number
  readonly snapshotBytes: number
  readonly rowCount: number
  readonly rowBytes: number
  readonly quarantined: readonly QuarantinedRow[]
}

/** A snapshot that takes the place of rows. */
export interface Compaction {
  /** The snapshot holds all rows up to this version, apart from `keep`. */
  readonly through: number
  /** The document as one Yjs update. */
  readonly snapshot: Uint8Array
  /** Versions of rows up to `through` that are not part of the snapshot and stay rows, such as those that wait for a gap to close. */
  readonly keep?: readonly number[]
}

/**
 * Small values beside the logs: what could be had again at a price, or belongs to no document. Each is replaced as a whole.
 * A value whose bytes are no longer what was written is not there.
 */
export interface ValueStore {
  /** Reads values of a scope; those that do not exist are left out. Names are any well-formed strings. */
  read: (scope: ValueScope, names: readonly string[]) => Promise<Map<string, Uint8Array>>
  /** Writes values of a scope, durable when the promise resolves; `null` removes one. */
  write: (scope: ValueScope, values: ReadonlyMap<string, Uint8Array | null>) => Promise<void>
}

/** What values belong to: those of a room go when the room is deleted. */
export type ValueScope = `room:${string}` | `channel:${string}`

/**
 * The durable log of all rooms: for each room a snapshot, the updates since, and the number of the last one.
 *
 * Any number of calls may be under way at once. What a call changed is durable when its promise resolves; when it rejects,
 * nothing of it was acknowledged, and it may or may not be found later. A store that cannot write still reads.
 *
 * Every implementation passes `runLogStoreTests` of `@parley/server/testing`.
 */
export interface LogStore {
  /**
   * Appends an update to the log of a room, which need not exist.
   *
   * @returns the update's version
   * @throws ServerError with code `store-unavailable` or `closed`
   */
  append: (room: string, update: Uint8Array) => Promise<number>
  /**
   * Reads a room in one consistent read; a room that does not exist is empty, at version 0.
   *
   * @throws ServerError with code `store-damaged` if the snapshot cannot be read: never part of a room as if it were all of it
   */
  load: (room: string) => Promise<StoredRoom>
  /** Replaces rows by a snapshot, atomically. Rows appended meanwhile stay. One that an earlier compaction overtook does nothing. */
  compact: (room: string, compaction: Compaction) => Promise<void>
  /** Puts rows aside: `load` no longer returns them, `size` lists them, their bytes are kept. */
  quarantine: (room: string, rows: ReadonlyArray<{ version: number; reason: string }>) => Promise<void>
  /** How much is stored of a room, or `null` if there is no such room. */
  size: (room: string) => Promise<RoomSize | null>
  readonly values: ValueStore
  /** Removes all that is stored of a room, its versions and its values too. */
  delete: (room: string) => Promise<void>
  /** The names of all rooms, in no particular order. */
  rooms: () => AsyncIterable<string>
  /** Resolves if the store can write durably now. */
  check: () => Promise<void>
  /** Finishes what was asked for and releases the store. May be called twice. */
  close: () => Promise<void>
}
