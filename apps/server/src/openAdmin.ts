import {
  type Admin,
  connectToServer,
  createAdmin,
  createRooms,
  defaultLimits,
  defaultTiming,
  openLevelLog,
  silentLogger,
} from '@parley/server'

/** A data folder, through the server that has it open or by itself. */
export interface OpenedAdmin {
  readonly admin: Admin
  close: () => Promise<void>
}

/** Finds out who has the data folder and opens it accordingly. */
export async function openAdmin(folder: string): Promise<OpenedAdmin> {
  const running = await connectToServer(folder)
  if (running) return { admin: running, close: async () => {} }
  const store = await openLevelLog({ folder })
  const rooms = createRooms({ store, limits: defaultLimits, timing: defaultTiming, logger: silentLogger })
  return {
    admin: createAdmin({ store, rooms }),
    async close() {
      await rooms.close()
      await store.close()
    },
  }
}
