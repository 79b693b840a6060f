export type { Refusal, RefusalKind } from './access/audit.js'
export {
  type Access,
  AccessError,
  type AccessErrorCode,
  type AccessRequest,
  type Authenticate,
} from './access/authenticate.js'
export { createJwtAuthenticate, type JwtAlgorithm, type JwtOptions } from './access/jwt.js'
export {
  type Admin,
  type AdminOptions,
  createAdmin,
  type Exported,
  type ImportSummary,
  type Inspection,
} from './admin/admin.js'
export type { BackupManifest, DamagedPart } from './admin/backup/format.js'
export {
  type RestoreBackupOptions,
  type RestoreSummary,
  refuseUnfinished,
  restoreBackup,
} from './admin/backup/restoreBackup.js'
export { type WriteBackupOptions, writeBackup } from './admin/backup/writeBackup.js'
export { canonicalText } from './admin/canonicalText.js'
export type { ExportFile } from './admin/exportFile.js'
export { type ConnectOptions, connectToServer } from './admin/controlClient.js'
export { type ControlServer, type ControlServerOptions, openControlServer } from './admin/controlServer.js'
export type { ForgetSummary } from './admin/forget.js'
export type { Damage, VerifyReport } from './admin/repair/verify.js'
export { type RepairReport, repairFolder, verifyFolder } from './admin/repair/verifyFolder.js'
export type { Bus, BusMessage } from './bus/bus.js'
export { createLocalBusHub, type LocalBusHub } from './bus/localBus.js'
export type { Rate } from './admission/bucket.js'
export { createRedisBus, type RedisBusOptions } from './bus/redisBus.js'
export { ServerError, type ServerErrorCode } from './errors.js'
export type { GatewayOptions } from './gateway/gateway.js'
export type { Keep } from './gateway/keptMessage.js'
export type { MembersOf } from './gateway/members.js'
export type { Command } from './gateway/notify/command.js'
export type { Notify } from './gateway/notify/notifier.js'
export {
  createWukongNotifier,
  type WukongNotifier,
  type WukongNotifierOptions,
} from './gateway/notify/wukongNotifier.js'
export type { MessageSource } from './gateway/recents.js'
export type { TlsOptions } from './http/app.js'
export { type ImportedState, readImport } from './import/readImport.js'
export { defaultLimits, defaultTiming, type Limits, type Timing } from './limits.js'
export { type DiskFloorOptions, type DiskSpace, withDiskFloor } from './log/diskFloor.js'
export type { DamagedFile } from './log/levelFiles.js'
export { type LevelLogOptions, openLevelLog } from './log/levelLog.js'
export type {
  Compaction,
  Composed,
  DamagedRow,
  LogRow,
  LogStore,
  OwnAppend,
  QuarantinedRow,
  Remains,
  Restoration,
  RoomSize,
  RoomWriterState,
  StoredRoom,
  ValueRange,
  ValueScope,
  ValueStore,
  ValueWithHead,
  WrittenBatch,
} from './log/logStore.js'
export { createMemoryLog } from './log/memoryLog.js'
export { defaultPostgresTiming, type PostgresTiming } from './log/postgres/database.js'
export { openPostgresLog, type PostgresLog, type PostgresLogOptions } from './log/postgres/postgresLog.js'
export { type LogFields, type Logger, silentLogger } from './logger.js'
export { guardLogger } from './observe/guardLogger.js'
export {
  createMetrics,
  type FinishedRequest,
  type Metrics,
  type MetricsSource,
  type StoreOperation,
} from './observe/metrics.js'
export type { RoomFollower } from './room/follower.js'
export type { Peer, Seat, Work } from './room/peer.js'
export type { Room } from './room/room.js'
export type { DocumentLease, DocumentNeed } from './room/documentSlot.js'
export type { RoomDocument } from './room/roomDocument.js'
export {
  createRooms,
  type DocumentAccess,
  type RoomLease,
  type Rooms,
  type RoomsOptions,
} from './room/rooms.js'
export { createServer, type Server, type ServerAddress, type ServerOptions } from './server.js'
export { tuneGarbageCollection } from './tuneGarbageCollection.js'
