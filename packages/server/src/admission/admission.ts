import { CLOSE_CODES } from '@parley/core'
import { addressKey } from '../access/clientAddress.js'
import type { RefusedAccess } from '../access/gate.js'
import { isLoopbackName } from '../access/origins.js'
import type { Limits } from '../limits.js'
import { type Bucket, createBucket } from './bucket.js'
import { createParties, type Metered, type Parties, type Party } from './party.js'

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
  /** So many requests by HTTP in the name of a user, with so many bytes; returns the same. */
  requestOf: (user: string, amount: { requests: number; bytes: number }) => number
}

/** Somebody on a WebSocket, from the request for it to its end. */
export interface Visit {
  /** It is known now which room it is for; says if there is no place for it. */
  enter: (room: string) => RefusedAccess | null
  /** So many bytes arrived, of a message that is not complete; says if they are too many. */
  receive: (bytes: number) => RefusedAccess | null
  /** A message is complete that costs as much as so many; says if they are too many. */
  complete: (cost: number) => RefusedAccess | null
  /** So many bytes of an answer are sent; returns how long to wait before the next one, in milliseconds. */
  answer: (bytes: number) => number
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
      answers: limits.answerBytesPerUser,
    },
    now,
  )
  const users = createParties(
    {
      upgrades: limits.upgradesPerAddress,
      requests: limits.requestsPerUser,
      bytes: limits.bytesPerUser,
      messages: limits.messagesPerUser,
      answers: limits.answerBytesPerUser,
    },
    now,
  )
  const crowd: Crowd = { limits, now, users, connections: 0, rooms: 0 }

  /** `null` for this machine: a proxy on it that is not named in the settings would be one client, and all its clients with it. */
  const partyAt = (address: string | undefined): Party | null =>
    address === undefined || isLoopbackName(address) ? null : addresses.get(addressKey(address))

  const wait = (party: Party | null, metered: Metered, amount: number): number => {
    const bucket = party?.bucket(metered)
    return !bucket || bucket.take(amount) ? 0 : bucket.waitMs
  }

  /** Bytes are looked at also where none are announced: those of chunked bodies count when they have arrived. */
  const charge = (party: Party | null, { requests, bytes }: { requests: number; bytes: number }): number =>
    party ? Math.max(wait(party, 'requests', requests), wait(party, 'bytes', bytes)) : 0

  return {
    knock(address) {
      const from = partyAt(address)
      if (from?.bucket('upgrades').take(1) === false) return tooMany('attempts to connect from one address')
      if (from && from.connections >= limits.connectionsPerAddress)
        return tooMany('connections from one address')
      if (crowd.connections >= limits.connections) return busy('connections')
      return new CountedVisit(crowd, from)
    },
    request: (address, amount) => charge(partyAt(address), amount),
    requestOf: (user, amount) => charge(users.get(user), amount),
  }
}

/** What all visits share. */
interface Crowd {
  readonly limits: Limits
  readonly now: () => number
  readonly users: Parties
  /** Those of all visits. */
  connections: number
  rooms: number
}

/** A class, as there is one for each connection. */
class CountedVisit implements Visit {
  private readonly crowd: Crowd
  private readonly from: Party | null
  private user: Party | null = null
  private room: string | null = null
  private bytes: Bucket | null = null
  private messages: Bucket | null = null
  private answers: Bucket | null = null
  private unfinished = 0
  private hasLeft = false

  constructor(crowd: Crowd, from: Party | null) {
    this.crowd = crowd
    this.from = from
    crowd.connections++
    if (from) from.connections++
  }

  enter(room: string): RefusedAccess | null {
    const { crowd, from } = this
    const { limits } = crowd
    const user = crowd.users.get(room)
    if (user.connections >= limits.connectionsPerUser) return tooMany('connections of one user')
    if (from && !from.rooms.has(room) && from.rooms.size >= limits.roomsPerAddress)
      return tooMany('rooms from one address')
    if (user.connections === 0 && crowd.rooms >= limits.rooms) return busy('rooms')
    this.user = user
    this.room = room
    if (user.connections === 0) crowd.rooms++
    user.connections++
    from?.rooms.set(room, (from.rooms.get(room) ?? 0) + 1)
    return null
  }

  receive(bytes: number): RefusedAccess | null {
    const { crowd, user } = this
    const { limits, now } = crowd
    this.unfinished += bytes
    if (user) {
      user.unfinishedBytes += bytes
      if (user.unfinishedBytes > limits.unfinishedBytes) return tooMany('unfinished messages of one user')
    }
    this.bytes ??= createBucket(limits.bytesPerConnection, now)
    return this.take(this.bytes, 'bytes', bytes)
  }

  complete(cost: number): RefusedAccess | null {
    const { limits, now } = this.crowd
    this.settle()
    this.messages ??= createBucket(limits.messagesPerConnection, now)
    return this.take(this.messages, 'messages', cost)
  }

  answer(bytes: number): number {
    const { limits, now } = this.crowd
    this.answers ??= createBucket(limits.answerBytesPerConnection, now)
    let waitMs = 0
    for (const bucket of [this.answers, this.user?.bucket('answers')]) {
      bucket?.take(bytes)
      waitMs = Math.max(waitMs, bucket?.waitMs ?? 0)
    }
    return waitMs
  }

  leave(): void {
    if (this.hasLeft) return
    const { crowd, from, user, room } = this
    this.hasLeft = true
    crowd.connections--
    this.settle()
    if (from) from.connections--
    if (!user || room === null) return
    user.connections--
    if (user.connections === 0) crowd.rooms--
    const others = (from?.rooms.get(room) ?? 1) - 1
    if (others > 0) from?.rooms.set(room, others)
    else from?.rooms.delete(room)
  }

  private take(own: Bucket, metered: 'bytes' | 'messages', amount: number): RefusedAccess | null {
    if (!own.take(amount)) return tooMany(`${metered} a second on one connection`)
    if (this.user?.bucket(metered).take(amount) === false) return tooMany(`${metered} a second of one user`)
    if (this.from?.bucket(metered).take(amount) === false)
      return tooMany(`${metered} a second from one address`)
    return null
  }

  private settle(): void {
    if (this.user) this.user.unfinishedBytes -= this.unfinished
    this.unfinished = 0
  }
}

function tooMany(what: string): RefusedAccess {
  return { code: CLOSE_CODES.rateLimited, reason: `too many ${what}` }
}

function busy(what: string): RefusedAccess {
  return { code: CLOSE_CODES.storeUnavailable, reason: `the server has as many ${what} as it may have` }
}
