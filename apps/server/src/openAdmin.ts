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
import type { Output } from './commands.js'
import { readCommandTimeout, requireStore, whenFree } from './dataFolder.js'
import { openShared } from './openShared.js'
import type { Environment, LastingStore } from './storeSettings.js'

/** A store, through the server that has it open or by itself. */
export interface OpenedAdmin {
  readonly admin: Admin
  close: () => Promise<void>
}

export interface OpenAdminOptions {
  /** Where a command that waits says so. */
  output: Pick<Output, 'err'>
  env: Environment
  /** What is kept of imported messages. */
  keep?: Keep
  /** True to make a store where there is none. */
  create?: boolean
}

/** Finds out which process has the store and opens it accordingly: a data folder is one server's, a database is shared with it. */
export async function openAdmin(
  settings: LastingStore,
  { output, env, keep = 'payload', create = false }: OpenAdminOptions,
): Promise<OpenedAdmin> {
  if (settings.kind === 'postgres') {
    const { store, bus } = await openShared(settings, { logger: silentLogger })
    return openOwn({ store, bus }, keep)
  }
  const { folder } = settings
  if (!create) await requireStore(folder)
  return whenFree(output, async () => {
    const running = await connectToServer(folder, { commandMs: readCommandTimeout(env) })
    if (running) return { admin: running, close: async () => {} }
    return openOwn({ store: await openLevelLog({ folder }) }, keep)
  })
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
