import {
  type Admin,
  connectToServer,
  createAdmin,
  createRooms,
  defaultLimits,
  defaultTiming,
  type Keep,
  openLevelLog,
  type RoomsOptions,
  silentLogger,
} from '@parley/server'
import { openShared } from './openShared.js'
import type { LastingStore } from './storeSettings.js'

/** A store, through the server that has it open or by itself. */
export interface OpenedAdmin {
  readonly admin: Admin
  close: () => Promise<void>
}

/** Finds out who has the store and opens it accordingly: a data folder is one server's, a database is shared with it. */
export async function openAdmin(settings: LastingStore, keep: Keep = 'payload'): Promise<OpenedAdmin> {
  if (settings.kind === 'postgres') {
    const { store, bus } = await openShared(settings, { logger: silentLogger })
    return openOwn({ store, bus }, keep)
  }
  const running = await connectToServer(settings.folder)
  if (running) return { admin: running, close: async () => {} }
  return openOwn({ store: await openLevelLog({ folder: settings.folder }) }, keep)
}

function openOwn(options: Pick<RoomsOptions, 'store' | 'bus'>, keep: Keep): OpenedAdmin {
  const { store, bus } = options
  const rooms = createRooms({
    ...options,
    limits: defaultLimits,
    timing: defaultTiming,
    logger: silentLogger,
  })
  return {
    admin: createAdmin({ store, rooms, keep }),
    async close() {
      await rooms.close()
      await bus?.close()
      await store.close()
    },
  }
}
