import { ServerError } from '../errors.js'
import type { Limits, Timing } from '../limits.js'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import { loadRoom } from './loadRoom.js'
import { createRoom, type Room } from './room.js'

/** The rooms in memory. Each is loaded when somebody asks for it and let go of when nobody has for a while. */
export interface Rooms {
  /**
   * Gives access to a room until `release` is called.
   *
   * @throws ServerError if the room cannot be loaded; the next caller tries again
   */
  acquire: (name: string) => Promise<RoomLease>
  /** The rooms that are loaded now. */
  loaded: () => Room[]
  /** Settles when all that was received so far is durable or refused. */
  idle: () => Promise<void>
  /** Finishes what was received and lets go of all rooms. No room can be acquired any more. May be called twice. */
  close: () => Promise<void>
}

/** Keeps a room in memory. */
export interface RoomLease {
  readonly room: Room
  /** May be called twice. */
  release: () => void
}

export interface RoomsOptions {
  store: LogStore
  limits: Limits
  timing: Timing
  logger: Logger
}

/** A room from the first call that asks for it until it has left memory. */
interface Slot {
  readonly loading: Promise<Room>
  room: Room | null
  leases: number
  timer: NodeJS.Timeout | null
  /** Settles when the room has left; who asks meanwhile waits, and loads it anew. */
  leaving: Promise<void> | null
}

/** Creates {@link Rooms} over a store. */
export function createRooms({ store, limits, timing, logger }: RoomsOptions): Rooms {
  const slots = new Map<string, Slot>()
  let closing: Promise<void> | null = null

  const load = async (name: string): Promise<Room> => {
    const loaded = await loadRoom(store, name)
    if (loaded.quarantined.length > 0) {
      logger.error({ room: name, rows: loaded.quarantined }, 'rows of a log were put into quarantine')
    }
    if (loaded.waiting.length > 0) {
      const rows = loaded.waiting.map((row) => row.version)
      logger.warn({ room: name, rows }, 'rows of a log wait for something that is missing')
    }
    const onFailed = (): void => {
      const slot = slots.get(name)
      if (slot) unload(name, slot)
    }
    return createRoom({ name, store, loaded, limits, logger, onFailed })
  }

  const open = (name: string): Slot => {
    const slot: Slot = { loading: load(name), room: null, leases: 0, timer: null, leaving: null }
    slots.set(name, slot)
    slot.loading.then(
      (room) => {
        slot.room = room
      },
      (error) => {
        logger.error({ room: name, err: error }, 'a room could not be loaded')
        slots.delete(name)
      },
    )
    return slot
  }

  const unload = (name: string, slot: Slot): Promise<void> => {
    if (slot.timer) clearTimeout(slot.timer)
    slot.leaving ??= (async () => {
      try {
        const room = await slot.loading
        await room.close()
      } catch (error) {
        logger.error({ room: name, err: error }, 'a room could not be closed')
      } finally {
        slots.delete(name)
      }
    })()
    return slot.leaving
  }

  const release = (name: string, slot: Slot): void => {
    slot.leases--
    if (slot.leases > 0 || slot.leaving) return
    slot.timer = setTimeout(() => void unload(name, slot), timing.roomIdleMs)
    slot.timer.unref()
  }

  return {
    async acquire(name) {
      let slot = slots.get(name)
      while (slot?.leaving) {
        await slot.leaving
        slot = slots.get(name)
      }
      if (closing) throw new ServerError('closed', 'The server is closed')
      slot ??= open(name)
      const mine = slot
      if (mine.timer) clearTimeout(mine.timer)
      mine.leases++
      try {
        const room = await mine.loading
        let released = false
        return {
          room,
          release() {
            if (released) return
            released = true
            release(name, mine)
          },
        }
      } catch (error) {
        mine.leases--
        throw error
      }
    },
    loaded: () => [...slots.values()].flatMap(({ room, leaving }) => (room && !leaving ? [room] : [])),
    async idle() {
      await Promise.all([...slots.values()].map(async ({ room }) => room?.idle()))
    },
    close() {
      closing ??= Promise.all([...slots].map(([name, slot]) => unload(name, slot))).then(() => {})
      return closing
    },
  }
}
