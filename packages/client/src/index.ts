export { createClient, type Client, type ClientOptions } from './client.js'
export { browserEnvironment, type ClientEnvironment } from './environment.js'
export type { Lifecycle, LifecycleEvent } from './lifecycle.js'

export type {
  ClientStatus,
  ConnectionReasonCode,
  ConnectionState,
  ConnectionStatus,
  DivergenceReasonCode,
  DivergenceStatus,
  Reason,
  RefusalCode,
  StorageReasonCode,
  StorageState,
  StorageStatus,
} from './status/status.js'

export type { Persistence } from './storage/chooseStorage.js'
export { databaseName, type DocumentAddress } from './storage/databaseName.js'
export type { DocumentStorage, StorageContext, StorageFactory } from './storage/documentStorage.js'
export { StorageError, type StorageErrorCode } from './storage/storageError.js'

export type { GetToken, TokenRequest } from './sync/token.js'
