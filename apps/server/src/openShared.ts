import {
  type Bus,
  createLocalBusHub,
  createRedisBus,
  type Logger,
  openPostgresLog,
  type PostgresLog,
  type WrittenBatch,
} from '@parley/server'
import type { StoreSettings } from './storeSettings.js'

/** A store that other servers have open too, and the way to them. */
export interface SharedStore {
  readonly store: PostgresLog
  readonly bus: Bus
}

/** Opens what is in PostgreSQL, as one server among several. */
export async function openShared(
  { url, redisUrl }: StoreSettings & { kind: 'postgres' },
  { logger, onBatch }: { logger: Logger; onBatch?: (batch: WrittenBatch) => void },
): Promise<SharedStore> {
  const store = await openPostgresLog({ url, logger, ...(onBatch ? { onBatch } : {}) })
  try {
    // Without Redis nobody is told, and all find out by asking.
    const bus = redisUrl
      ? createRedisBus({ url: redisUrl, prefix: store.identity, logger })
      : createLocalBusHub().connect()
    return { store, bus }
  } catch (error) {
    await store.close()
    throw error
  }
}
