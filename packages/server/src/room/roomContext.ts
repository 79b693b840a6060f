import type { Bus } from '../bus/bus.js'
import type { Limits } from '../limits.js'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { DocumentCache } from './documentCache.js'
import type { LoadQueue } from './loadQueue.js'
import type { Room } from './room.js'

/**
 * How a device and the store contradict each other.
 *
 * - `server-rolled-back`: a device has entries under the server's own client id that the store lacks, or was acknowledged a
 *   version that the store has not given yet.
 * - `diverged`: a device has received the same insertions and holds something else.
 * - `incomplete`: a device that is in sync has not the same insertions.
 */
export type DivergenceKind = 'server-rolled-back' | 'diverged' | 'incomplete'

/** What all rooms have in common, and who is told what becomes of them. */
export interface RoomContext {
  readonly store: LogStore
  /** Other nodes, if there are any. */
  readonly bus: Bus | null
  readonly cache: DocumentCache
  readonly loads: LoadQueue
  readonly limits: Limits
  readonly logger: Logger
  /** An update of a peer was appended to a room's log. */
  readonly onAppend: (name: string, version: number) => void
  /** A room is empty now. */
  readonly onEmpty: (room: Room) => void
  /** A room must not be used any more: it is closed, or what it knows is not what is stored. Called once for each. */
  readonly onEnded: (room: Room) => void
  /** What a device has and what is stored contradict each other. */
  readonly onDivergence: (name: string, kind: DivergenceKind) => void
  /** A row may have got into a room's log that nobody will tell of. */
  readonly onDoubt: (name: string) => void
}
