import { CLOSE_CODES, type CloseCode, type Message } from '@parley/core'
import type { Random } from '@parley/core/testing'
import { Inbox, type InboxClient } from '../../src/connection/inbox.js'
import { encodeSyncAnswer, encodeSyncRequest } from '../../src/connection/messages.js'
import { createIngest, type Ingest } from '../../src/gateway/ingest.js'
import { createMembers } from '../../src/gateway/members.js'
import { createRecents, type Recents } from '../../src/gateway/recents.js'
import { createUsers, type Users } from '../../src/gateway/users.js'
import {
  type Bus,
  createRooms,
  defaultLimits,
  defaultTiming,
  type Logger,
  type LogStore,
  type Rooms,
} from '../../src/index.js'
import { createDigests } from '../../src/room/digests.js'
import type { Peer, Seat } from '../../src/room/peer.js'
import type { RoomLease } from '../../src/room/rooms.js'
import { createFaultyStore, type StoreFaults } from './faultyStore.js'
import { createLink } from './link.js'

/** What a device sees of its connection. */
export interface ClientEnd {
  onMessage: (frame: Uint8Array<ArrayBuffer>) => void
  onClose: (code: CloseCode, reason: string) => void
}

/** A connection as its device uses it. */
export interface Wire {
  send: (frame: Uint8Array<ArrayBuffer>) => void
  /** Ends it from the device's side; what is on its way is lost. */
  cut: () => void
}

/** One server. */
export interface SimulatedNode {
  readonly rooms: Rooms
  readonly users: Users
  readonly recents: Recents
  readonly ingest: Ingest
  readonly isUp: boolean
  connect: (room: string, end: ClientEnd) => Wire
  /** Ends in order. */
  stop: () => Promise<void>
  /** Is gone at once. */
  kill: () => void
}

export interface NodeOptions {
  store: LogStore
  storeFaults: StoreFaults
  bus: Bus | null
  logger: Logger
  random: Random
}

/** The longest a frame takes. */
const WIRE_MS = 8

/** Starts a node with a small memory. Its connections do what `connection/connection.ts` does, over links instead of sockets. */
export function startNode({ store: shared, storeFaults, bus, logger, random }: NodeOptions): SimulatedNode {
  const { store, kill } = createFaultyStore(shared, storeFaults, random)
  const limits = { ...defaultLimits, cachedBytes: random.pick([0, 2_000, 1_000_000]) }
  const timing = { ...defaultTiming, roomIdleMs: random.pick([1, 30, 400]), pollMs: 300 }
  const rooms = createRooms({ store, ...(bus ? { bus } : {}), limits, timing, logger })
  const digests = createDigests({ rooms, logger, onCompared: () => {}, onDivergence: () => {} })
  const users = createUsers({ rooms, log: store, logger })
  const recents = createRecents(store, logger)
  const members = createMembers(store)
  const keepMessage = (message: Message): Message => message
  const ingest = createIngest({ rooms, log: store, logger, users, recents, members, keepMessage })
  const ends = new Set<(code: CloseCode, reason: string) => void>()
  let isUp = true

  const connect: SimulatedNode['connect'] = (name, end) => {
    let seat: Seat | null = null
    let lease: RoomLease | null = null
    let inbox: Inbox | null = null
    let ended = false
    const early: Array<Uint8Array<ArrayBuffer>> = []

    const down = createLink<() => void>(random, WIRE_MS, (arrive) => arrive())
    const up = createLink<Uint8Array<ArrayBuffer>>(random, WIRE_MS, (frame) => {
      if (ended) return
      if (inbox) inbox.receive(frame, true)
      else early.push(frame)
    })
    const end_ = (): void => {
      ended = true
      ends.delete(close)
      seat?.leave()
      lease?.release()
    }
    const close = (code: CloseCode, reason: string): void => {
      if (ended) return
      down.send(() => end.onClose(code, reason))
      ended = true
      up.cut()
      // As the handshake ends.
      setTimeout(end_, random() * WIRE_MS)
    }
    ends.add(close)
    const peer: Peer = {
      readOnly: false,
      send(message) {
        if (!ended) down.send(() => end.onMessage(new Uint8Array(message)))
      },
      sendAnswer(update, sent) {
        if (ended) return sent()
        const message = encodeSyncAnswer(update)
        down.send(() => end.onMessage(new Uint8Array(message)))
        setTimeout(sent, random() * WIRE_MS)
      },
      refuse: close,
    }
    const enter = async (): Promise<void> => {
      let entered: RoomLease | null = null
      try {
        entered = rooms.enter(name)
        const document = await entered.room.openDocument()
        if (ended) {
          document.release()
          entered.release()
          return
        }
        lease = entered
        seat = entered.room.join(peer, { asked: true })
        const client: InboxClient = {
          ...{ speaksParley: true, readOnly: false, limits, logger, sendNow: peer.send, refuse: close },
          digests,
          ...{ session: { renew: () => {} }, visit: { complete: () => null }, offerAwareness: () => {} },
        }
        inbox = new Inbox(client, entered.room, seat)
        peer.send(encodeSyncRequest(document.document.encodeStateVector()))
        document.release()
        for (const frame of early) inbox.receive(frame, true)
      } catch {
        entered?.release()
        close(CLOSE_CODES.storeUnavailable, 'the room could not be loaded')
      }
    }
    void enter()
    return {
      send: up.send,
      cut() {
        down.cut()
        up.cut()
        setTimeout(() => {
          if (!ended) end_()
        }, random() * WIRE_MS)
      },
    }
  }

  return {
    rooms,
    users,
    recents,
    ingest,
    get isUp() {
      return isUp
    },
    connect,
    async stop() {
      isUp = false
      for (const close of [...ends]) close(CLOSE_CODES.serviceRestart, 'the server restarts')
      await rooms.close()
    },
    kill() {
      isUp = false
      kill()
      for (const close of [...ends]) close(CLOSE_CODES.serviceRestart, 'the server is gone')
      void bus?.close()
    },
  }
}
