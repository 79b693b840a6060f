import type { Bus } from '../bus/bus.js'
import type { Limits } from '../limits.js'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { DocumentCache } from './documentCache.js'
import type { LoadQueue } from './loadQueue.js'
import type { Room } from './room.js'

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
  /** A row may have got into a room's log that nobody will tell of. */
  readonly onDoubt: (name: string) => void
}
