export { ServerError, type ServerErrorCode } from './errors.js'
export { type LevelLogOptions, openLevelLog } from './log/levelLog.js'
export type {
  Compaction,
  DamagedRow,
  LogRow,
  LogStore,
  QuarantinedRow,
  RoomSize,
  StoredRoom,
} from './log/logStore.js'
export { createMemoryLog } from './log/memoryLog.js'
