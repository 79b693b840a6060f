import type { CloseCode } from '@parley/core'
import pLimit from 'p-limit'
import type { Bus } from '../bus/bus.js'
import { ServerError } from '../errors.js'
import type { Limits, Timing } from '../limits.js'
import { createGroupCommit } from '../log/groupCommit.js'
import type { LogRow, LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { Pacer } from '../pacer.js'
import { repeat } from '../repeat.js'
import { createDocumentCache } from './documentCache.js'
import { createLoadQueue } from './loadQueue.js'
import { createRoom, type Room } from './room.js'
import type { DivergenceKind, RoomContext } from './roomContext.js'
import type { RoomDocument } from './roomDocument.js'
import { createTurnstile } from './turnstile.js'

/** The rooms that somebody is in, and those whose documents are in memory. */
export interface Rooms {
  /** Gives access to a room until `release` is called, without loading its document. */
  enter: (name: string) => RoomLease
  /**
   * Lets somebody go on who is about to look at a room's document: at once if that is in memory, or else when it is their
   * turn among all who have one loaded. `look` must not reject. It is given the version that the log had at the time of the
   * call or later, for a new connection must see what any node acknowledged: 0 where no other node writes to the store, `null`
   * where the store did not answer.
   */
  queueLook: (name: string, look: (head: number | null) => Promise<void>) => void
  /**
   * Gives access to a room and its document, as of this moment, until `release` is called.
   *
   * @throws ServerError if the room cannot be loaded; the next caller tries again
   */
  acquire: (name: string) => Promise<DocumentAccess>
  /**
   * A room's document if it is in memory and nobody else can have appended to its log, for a look at it in this turn of the
   * event loop.
   */
  peek: (name: string) => RoomDocument | null
  /** Takes in a row that was appended to a room's log beside the room, and tells the other nodes. */
  receive: (name: string, row: LogRow) => void
  /** Looks soon whether a row got into a room's log that nobody told of, as where it failed to be said that it was appended. */
  doubt: (name: string) => void
  /** Sweeps a room's document and compacts its log, in the background. */
  tidy: (name: string) => void
  /** Closes the connections of a room and lets go of it as it is; what they sent and is not stored yet is not. */
  dismiss: (name: string, code: CloseCode, reason: string) => Promise<void>
  /** The rooms there are now. */
  all: () => Room[]
  /** What is in memory: how many documents, and how large they are as updates. */
  readonly documents: { readonly count: number; readonly bytes: number }
  /** Settles when all that was received so far is durable or refused. */
  idle: () => Promise<void>
  /** Finishes what was received and lets go of all rooms. No room can be entered any more. May be called twice. */
  close: () => Promise<void>
}

/** Keeps a room. */
export interface RoomLease {
  readonly room: Room
  /** May be called twice. */
  release: () => void
}

/** Keeps a room and its document in memory. */
export interface DocumentAccess extends RoomLease {
  readonly document: RoomDocument
}

export interface RoomsOptions {
  store: LogStore
  /** Where other nodes write to the same store. */
  bus?: Bus
  limits: Limits
  timing: Timing
  logger: Logger
  /** Told of each update of a device that was appended, when it is durable; it must not throw. */
  onAppend?: (room: string, version: number) => void
  /** Called where a device and the store contradict each other; it must not throw. */
  onDivergence?: (room: string, kind: DivergenceKind) => void
  /** Those who wait to look at a document go on at this pace; one a turn of the event loop, if left out. */
  pace?: Pacer
}

interface Slot {
  readonly room: Room
  leases: number
}

/**
 * So many documents are loaded at once: one is read while another is built. The others wait their turn, so that a storm of
 * connections delays nobody else; of more at once several would be built without a pause.
 */
const CONCURRENT_LOADS = 2

/** So many heads are asked for with one query. */
const MAX_HEADS = 1_000

/** Creates {@link Rooms} over a store. */
export function createRooms({
  store,
  bus,
  limits,
  timing,
  logger,
  onAppend = () => {},
  onDivergence = () => {},
  pace = setImmediate,
}: RoomsOptions): Rooms {
  const slots = new Map<string, Slot>()
  const cache = createDocumentCache({ maxBytes: limits.cachedBytes, idleMs: timing.roomIdleMs })
  const loads = createLoadQueue(CONCURRENT_LOADS)
  const turnstile = createTurnstile(pace)
  const queueForTidying = pLimit(1)
  /** The rooms that wait to be tidied up. */
  const untidy = new Set<string>()
  /** Those of which the log may be longer than anybody told. */
  const doubted = new Set<string>()
  let closing: Promise<void> | null = null

  const context: RoomContext = {
    ...{ store, bus: bus ?? null, cache, loads, limits, logger, onAppend, onDivergence },
    onEmpty(room) {
      const slot = slots.get(room.name)
      if (slot?.room === room && slot.leases === 0) letGo(slot)
    },
    onEnded(room) {
      if (slots.get(room.name)?.room === room) slots.delete(room.name)
    },
    onDoubt: (name) => doubt(name),
  }
  const open = (name: string): Slot => {
    const slot: Slot = { room: createRoom(name, context), leases: 0 }
    slots.set(name, slot)
    return slot
  }
  const letGo = ({ room }: Slot): void => {
    slots.delete(room.name)
    void room.close()
  }
  const leave = (slot: Slot): void => {
    slot.leases--
    const { room } = slot
    if (slot.leases === 0 && room.isEmpty && slots.get(room.name) === slot) letGo(slot)
  }

  const enter = (name: string): RoomLease => {
    if (closing) throw new ServerError('closed', 'The server is closed')
    const slot = slots.get(name) ?? open(name)
    slot.leases++
    let released = false
    return {
      room: slot.room,
      release() {
        if (released) return
        released = true
        leave(slot)
      },
    }
  }

  const catchUp = async (room: Room): Promise<void> => {
    if (!bus) return
    const head = await headReader.add(room.name)
    if (head > room.version) await room.catchUp(head)
  }

  /** One query for all who ask while the one before is under way: a crowd must not ask for each room by itself. */
  const headReader = createGroupCommit<string, number>({
    async write(names) {
      const heads = await store.heads([...new Set(names)])
      return names.map((name) => heads.get(name) ?? 0)
    },
    joins: () => true,
    sizeOf: () => 1,
    maxBatchSize: MAX_HEADS,
  })

  const acquire: Rooms['acquire'] = async (name) => {
    const { room, release } = enter(name)
    try {
      const lease = await room.openDocument()
      try {
        await catchUp(room)
      } catch (error) {
        lease.release()
        throw error
      }
      return {
        room,
        document: lease.document,
        release() {
          lease.release()
          release()
        },
      }
    } catch (error) {
      release()
      throw error
    }
  }

  const doubt = (name: string): void => {
    if (slots.has(name)) doubted.add(name)
  }
  /** Looks for what nobody told of: where other nodes write, in all rooms. */
  const poll = async (): Promise<void> => {
    const inDoubt = [...doubted]
    doubted.clear()
    const names = bus ? [...slots.keys()] : inDoubt.filter((name) => slots.has(name))
    if (names.length === 0) return
    try {
      for (const [name, head] of await store.heads(names)) slots.get(name)?.room.expect(head)
    } catch (error) {
      for (const name of inDoubt) doubt(name)
      throw error
    }
  }
  const stopPolling = repeat(poll, timing.pollMs, (error) =>
    logger.warn({ err: error }, 'heads could not be read'),
  )

  return {
    enter,
    queueLook(name, look) {
      const queue = (head: number | null): void => {
        if (slots.get(name)?.room.isLoaded) void look(head)
        else turnstile(() => look(head))
      }
      if (!bus) queue(0)
      // Not in their turn: in a crowd each would wait for the query of the one before.
      else headReader.add(name).then(queue, () => queue(null))
    },
    acquire,
    peek: (name) => (bus ? null : (slots.get(name)?.room.peek() ?? null)),
    receive(name, row) {
      const slot = slots.get(name)
      if (slot) slot.room.receive(row)
      else bus?.publish(name, { type: 'row', version: row.version, update: row.update })
    },
    doubt,
    tidy(name) {
      if (untidy.has(name)) return
      untidy.add(name)
      queueForTidying(async () => {
        untidy.delete(name)
        if (closing) return
        const { document, release } = await acquire(name)
        try {
          await document.compact()
        } finally {
          release()
        }
      }).catch((error) => logger.warn({ room: name, err: error }, 'a room could not be tidied up'))
    },
    async dismiss(name, code, reason) {
      await slots.get(name)?.room.dismiss(code, reason)
    },
    all: () => [...slots.values()].map(({ room }) => room),
    documents: cache,
    async idle() {
      await Promise.all([...slots.values()].map(async ({ room }) => room.idle()))
    },
    close() {
      closing ??= (async () => {
        stopPolling()
        await Promise.all([...slots.values()].map(({ room }) => room.close()))
        cache.close()
        slots.clear()
      })()
      return closing
    },
  }
}
