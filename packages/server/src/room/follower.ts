import type { LogRow } from '../log/logStore.js'

/** Keeps something of its own in step with a room. Its methods must not throw. */
export interface RoomFollower {
  /** A row of the log was applied to the document. Called once a row, in the order of their versions. */
  rowApplied: (row: LogRow) => void
  /** Rows up to the room's version now become part of a snapshot: the last chance to keep what can be had from rows only. */
  beforeCompaction?: () => Promise<void>
}
