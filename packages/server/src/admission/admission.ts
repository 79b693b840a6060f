import { CLOSE_CODES } from '@parley/core'
import { addressKey } from '../access/clientAddress.js'
import type { RefusedAccess } from '../access/gate.js'
import { isLoopbackName } from '../access/origins.js'
import type { Limits } from '../limits.js'
import { type Bucket, createBucket } from './bucket.js'
import { createParties, type Metered, type Party } from './party.js'

/** Keeps to the limits on connections, messages and requests: of all, of an address, of a user and of a connection. */
export interface Admission {
  /** Somebody asks for a WebSocket, and counts as a connection from now on. */
  knock: (address: string | undefined) => Visit | RefusedAccess
  /**
   * So many requests by HTTP from an address, with so many bytes; none only asks.
   *
   * @returns how long to wait before the next one, in milliseconds; 0 if this one may go on
   */
  request: (address: string | undefined, amount: { requests: number; bytes: number }) => number
  /** A request by HTTP in the name of a user; returns the same. */
  requestOf: (user: string) => number
}

/** Somebody on a WebSocket, from the request for it to its end. */
export interface Visit {
  /** It is known now which room it is for; says if there is no place for it. */
  enter: (room: string) => RefusedAccess | null
  /** So many bytes arrived, of a message that is not complete; says if they are too many. */
  receive: (bytes: number) => RefusedAccess | null
  /** A message is complete that costs as much as so many; says if they are too many. */
  complete: (cost: number) => RefusedAccess | null
  /** It ended. May be called twice. */
  leave: () => void
}

/** Creates {@link Admission}. `now` is a clock in milliseconds that never goes back. */
export function createAdmission(limits: Limits, now: () => number = () => performance.now()): Admission {
  const addresses = createParties(
    {
      upgrades: limits.upgradesPerAddress,
      requests: limits.requestsPerAddress,
      bytes: limits.bytesPerAddress,
      messages: limits.messagesPerAddress,
    },
    now,
  )
  const users = createParties(
    {
      upgrades: limits.upgradesPerAddress,
      requests: limits.requestsPerUser,
      bytes: limits.bytesPerUser,
      messages: limits.messagesPerUser,
    },
    now,
  )
  let connections = 0
  let rooms = 0

  /** `null` for this machine: a proxy on it that is not named in the settings would be one client, and all its clients with it. */
  const partyAt = (address: string | undefined): Party | null =>
    address === undefined || isLoopbackName(address) ? null : addresses.get(addressKey(address))

  const visit = (from: Party | null): Visit => {
    let user: Party | null = null
    let room: string | null = null
    let own: { readonly bytes: Bucket; readonly messages: Bucket } | null = null
    let unfinished = 0
    let left = false

    const take = (metered: 'bytes' | 'messages', amount: number): RefusedAccess | null => {
      own ??= {
        bytes: createBucket(limits.bytesPerConnection, now),
        messages: createBucket(limits.messagesPerConnection, now),
      }
      const what = metered === 'bytes' ? 'bytes' : 'messages'
      if (!own[metered].take(amount)) return tooMany(`${what} a second on one connection`)
      if (user?.bucket(metered).take(amount) === false) return tooMany(`${what} a second of one user`)
      if (from?.bucket(metered).take(amount) === false) return tooMany(`${what} a second from one address`)
      return null
    }
    const settle = (): void => {
      if (user) user.unfinishedBytes -= unfinished
      unfinished = 0
    }
    connections++
    if (from) from.connections++

    return {
      enter(name) {
        const party = users.get(name)
        if (party.connections >= limits.connectionsPerUser) return tooMany('connections of one user')
        if (from && !from.rooms.has(name) && from.rooms.size >= limits.roomsPerAddress)
          return tooMany('rooms from one address')
        if (party.connections === 0 && rooms >= limits.rooms) return busy('rooms')
        user = party
        room = name
        if (party.connections === 0) rooms++
        party.connections++
        from?.rooms.set(name, (from.rooms.get(name) ?? 0) + 1)
        return null
      },
      receive(bytes) {
        unfinished += bytes
        if (user) {
          user.unfinishedBytes += bytes
          if (user.unfinishedBytes > limits.unfinishedBytes) return tooMany('unfinished messages of one user')
        }
        return take('bytes', bytes)
      },
      complete(cost) {
        settle()
        return take('messages', cost)
      },
      leave() {
        if (left) return
        left = true
        connections--
        settle()
        if (from) from.connections--
        if (!user || room === null) return
        user.connections--
        if (user.connections === 0) rooms--
        const others = (from?.rooms.get(room) ?? 1) - 1
        if (others > 0) from?.rooms.set(room, others)
        else from?.rooms.delete(room)
      },
    }
  }

  const wait = (party: Party | null, metered: Metered, amount: number): number => {
    const bucket = party?.bucket(metered)
    return !bucket || bucket.take(amount) ? 0 : bucket.waitMs
  }

  return {
    knock(address) {
      const from = partyAt(address)
      if (from?.bucket('upgrades').take(1) === false) return tooMany('attempts to connect from one address')
      if (from && from.connections >= limits.connectionsPerAddress)
        return tooMany('connections from one address')
      if (connections >= limits.connections) return busy('connections')
      return visit(from)
    },
    request(address, { requests, bytes }) {
      const from = partyAt(address)
      return Math.max(wait(from, 'requests', requests), bytes > 0 ? wait(from, 'bytes', bytes) : 0)
    },
    requestOf: (user) => wait(users.get(user), 'requests', 1),
  }
}

function tooMany(what: string): RefusedAccess {
  return { code: CLOSE_CODES.rateLimited, reason: `too many ${what}` }
}

function busy(what: string): RefusedAccess {
  return { code: CLOSE_CODES.storeUnavailable, reason: `the server has as many ${what} as it may have` }
}
