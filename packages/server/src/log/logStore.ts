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

/** What is stored of a room as far as it can be read. */
export interface Remains extends StoredRoom {
  /** Why the snapshot cannot be read, or `null` if it can, or there is none. */
  readonly snapshotDamage: string | null
  /** Why the room's numbers cannot be read, or `null` if they can; `version` is then the greatest one that was found. */
  readonly numbersDamage: string | null
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

/** What a room is to hold from now on, whatever it held before. */
export interface Restoration {
  readonly epoch: number
  /** The version of the room. It must be above every version that was ever given for it. */
  readonly version: number
  readonly snapshot: LogRow | null
  /** Rows that are not part of the snapshot, oldest first, none above `version`. */
  readonly rows: readonly LogRow[]
  /** Values of the room; those that are not named stay as they are. `null` removes one. */
  readonly values: ReadonlyMap<string, Uint8Array | null>
}

/** As whom the server itself writes in a room. */
export interface RoomWriterState {
  /** A Yjs client id that nobody else uses in the room. */
  readonly client: number
  /** The first clock of it that is free. */
  readonly clock: number
}

/** Something the server itself says in a room, without the room's document at hand. */
export interface OwnAppend {
  /** Names of values beside the room's log that `compose` wants to see. */
  readonly reads?: readonly string[]
  /**
   * Writes the update, or returns `null` where nothing is to be said. Called while the append is under way, and again where
   * somebody else was faster; what it throws rejects the append.
   *
   * @param writer as whom to write
   * @param values those of `reads` that there are
   */
  readonly compose: (writer: RoomWriterState, values: ReadonlyMap<string, Uint8Array>) => Composed | null
}

/** What {@link OwnAppend.compose} comes to. */
export interface Composed {
  /** Its insertions are all of the writer's client, and begin at its clock. */
  readonly update: Uint8Array
  /** How many clocks they take. */
  readonly clocks: number
  /** Values beside the room's log that are written if and only if the update is. `null` removes one. */
  readonly values?: ReadonlyMap<string, Uint8Array | null>
}

/** A value of a room, and how far the room's log is. */
export interface ValueWithHead {
  /** As {@link LogStore.heads} tells it. */
  readonly head: number
  /** `null` if there is none. */
  readonly value: Uint8Array | null
}

/** Updates that became durable together. */
export interface WrittenBatch {
  /** How many shared the write. */
  readonly updates: number
}

/** Which values of a scope are wanted. */
export interface ValueRange {
  /** What their names begin with. */
  readonly prefix: string
  /** At most so many; all if left out. */
  readonly limit?: number
  /** True to begin with the last one. */
  readonly reverse?: boolean
}

/**
 * Small values beside the logs: what could be had again at a price, or belongs to no document. Each is replaced as a whole.
 * A value whose bytes are no longer what was written is not there. What is read belongs to who reads it, its `ArrayBuffer` too.
 */
export interface ValueStore {
  /** Reads values of a scope; those that do not exist are left out. Names are any well-formed strings. */
  read: (scope: ValueScope, names: readonly string[]) => Promise<Map<string, Uint8Array>>
  /** Reads the values whose names begin alike, in the order of their names as far as these differ in digits and small letters. */
  list: (scope: ValueScope, range: ValueRange) => Promise<Map<string, Uint8Array>>
  /** Writes values of a scope, durable when the promise resolves; `null` removes one. */
  write: (scope: ValueScope, values: ReadonlyMap<string, Uint8Array | null>) => Promise<void>
  /** The scopes that have values, in no particular order. */
  scopes: () => AsyncIterable<ValueScope>
}

/**
 * What values belong to: those of a room go when the room is deleted; those of `store` are of the store as a whole; `access` is
 * what must outlive a user's room.
 */
export type ValueScope = `room:${string}` | `channel:${string}` | 'store' | 'access'

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
   * Appends what the server itself writes in a room, which need not exist. All of it has one client id, whose clock moves in
   * the same commit; so the document need not be loaded for it.
   *
   * @returns the row as it was stored, or `null` if there was nothing to say
   * @throws ServerError with code `store-unavailable` or `closed`, or what `compose` throws
   */
  appendOwn: (room: string, own: OwnAppend) => Promise<LogRow | null>
  /**
   * Reads a room in one consistent read; a room that does not exist is empty, at version 0.
   *
   * With `after`, only what whoever knows the room as of that version lacks: the rows since, or, where some of those are in the
   * snapshot by now, all of the room.
   *
   * @throws ServerError with code `store-damaged` if the snapshot cannot be read: never part of a room as if it were all of it
   */
  load: (room: string, options?: { readonly after?: number }) => Promise<StoredRoom>
  /** The version of the last update of each room, 0 for one that does not exist. */
  heads: (rooms: readonly string[]) => Promise<Map<string, number>>
  /**
   * Reads a value of a room and the version of its last update in one call: to find out whether what follows from the log is
   * right still. Each is of some moment while the call was under way.
   */
  readWithHead: (room: string, name: string) => Promise<ValueWithHead>
  /** Replaces rows by a snapshot, atomically. Rows appended meanwhile stay. One that an earlier compaction overtook does nothing. */
  compact: (room: string, compaction: Compaction) => Promise<void>
  /**
   * Puts rows aside: `load` no longer returns them, `size` lists them, their bytes are kept. The server's own rows have a new
   * client id from then on: what it wrote next under the old one would wait for ever for what is gone.
   */
  quarantine: (room: string, rows: ReadonlyArray<{ version: number; reason: string }>) => Promise<void>
  /**
   * Retires the client id of the server's own rows in a room if it is one of `clients`, durably: the next own row has a new
   * one. To be called before a row is appended that brings insertions of these clients: under the server's id they can only
   * come from a copy of the store that went on, or from before this store was rolled back.
   *
   * @returns true if the client id was retired
   */
  retireWriter: (room: string, clients: readonly number[]) => Promise<boolean>
  /** How much is stored of a room, or `null` if there is no such room. */
  size: (room: string) => Promise<RoomSize | null>
  readonly values: ValueStore
  /** Removes all that is stored of a room, its versions and its values too. */
  delete: (room: string) => Promise<void>
  /** The names of all rooms, in no particular order, those that cannot be read included. */
  rooms: () => AsyncIterable<string>
  /** Reads what can be read of a room, also where it is too little to be served: to look into it, and to repair it. */
  examine: (room: string) => Promise<Remains>
  /**
   * Puts a room in place of what is stored under its name, atomically. What of that cannot be read goes into quarantine, and
   * what was in quarantine stays there. The server's own rows have a new client id from then on: the clocks of the old one
   * may have been given beyond what is known here.
   */
  restore: (room: string, restoration: Restoration) => Promise<void>
  /**
   * Resolves when the bytes of what had been deleted or replaced before the call are in none of the store's files, those
   * in quarantine excepted; with `copies`, also what a repair kept of files that could not be read.
   */
  erase: (options?: { readonly copies?: boolean }) => Promise<void>
  /** Resolves if the store can write durably now. */
  check: () => Promise<void>
  /** Finishes what was asked for and releases the store. May be called twice. */
  close: () => Promise<void>
}
