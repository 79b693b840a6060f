import { CLOSE_CODES, type CloseCode } from '@parley/core'
import { encodeAwareness, encodeUpdate } from '../connection/messages.js'
import { ServerError } from '../errors.js'
import type { Peer, Seat, Work } from './peer.js'
import { createPresenceList, type PresenceList } from './presence.js'
import { WorkQueue } from './workQueue.js'

/** The room of an audience. */
export interface AudienceHost {
  /** Asks the room for a turn. */
  wake: () => void
  /** Tells other nodes who is there. */
  tellNodes: (awareness: Uint8Array) => void
}

/** The peers of a room: their queues, what they are told, and who of them says to be there. */
export class Audience {
  private readonly host: AudienceHost
  private readonly maxClientsPerPeer: number
  private readonly all = new Set<WorkQueue>()
  private presence: PresenceList | null = null

  /** @param maxClientsPerPeer how many clients one peer may speak for in awareness */
  constructor(host: AudienceHost, maxClientsPerPeer: number) {
    this.host = host
    this.maxClientsPerPeer = maxClientsPerPeer
  }

  get size(): number {
    return this.all.size
  }

  get queues(): Iterable<WorkQueue> {
    return this.all
  }

  /** True if anybody's work waits. */
  get hasWork(): boolean {
    for (const queue of this.all) if (queue.hasWork) return true
    return false
  }

  /** Takes a peer in; `asked` if it is to answer with what it has and the room lacks. */
  join(peer: Peer, asked: boolean): { seat: Seat; queue: WorkQueue } {
    const queue = new WorkQueue(peer, asked, this.host)
    this.all.add(queue)
    return { seat: new AudienceSeat(this, queue), queue }
  }

  /** Tells all who are in sync of an update. Who was not answered yet gets it with the answer, and would find a gap now. */
  passOn(update: Uint8Array, origin: unknown): void {
    let message: Uint8Array | null = null
    for (const queue of this.all) {
      if (queue === origin || !queue.synced) continue
      message ??= encodeUpdate(update)
      queue.peer.send(message)
    }
  }

  relayAwareness(awareness: Uint8Array, origin: unknown): void {
    const message = encodeAwareness(awareness)
    for (const queue of this.all) if (queue !== origin) queue.peer.send(message)
  }

  /** @throws ServerError with code `malformed` */
  receiveAwareness(queue: WorkQueue, awareness: Uint8Array): void {
    this.presence ??= createPresenceList(this.maxClientsPerPeer)
    if (this.presence.receive(queue, awareness)) this.sayWhoIsThere(awareness, queue)
  }

  /** Everybody who is there, encoded, or `null` if nobody says so. */
  whoIsThere(): Uint8Array | null {
    return this.presence?.all() ?? null
  }

  leave(queue: WorkQueue): void {
    const gone = this.presence?.leave(queue)
    if (gone) this.sayWhoIsThere(gone, queue)
    queue.leave()
  }

  refuse(code: CloseCode, reason: string): void {
    for (const queue of this.all) queue.refuse(code, reason)
  }

  /** Refuses those who heard of changes up to now. */
  refuseSynced(code: CloseCode, reason: string): void {
    for (const queue of this.all) if (queue.synced) queue.refuse(code, reason)
  }

  /** Ends a turn: whoever is done is let go of, and the others may go on. */
  finishTurn(isNews: boolean): void {
    for (const queue of this.all) {
      if (isNews || !queue.awaitsAnswer) queue.retry()
      if (queue.finished) this.all.delete(queue)
      else queue.onDrain()
    }
  }

  private sayWhoIsThere(awareness: Uint8Array, origin: unknown): void {
    this.relayAwareness(awareness, origin)
    this.host.tellNodes(awareness)
  }
}

class AudienceSeat implements Seat {
  private readonly audience: Audience
  private readonly queue: WorkQueue

  constructor(audience: Audience, queue: WorkQueue) {
    this.audience = audience
    this.queue = queue
  }

  add(work: Work): void {
    this.queue.add(work)
  }

  receiveAwareness(update: Uint8Array): void {
    try {
      this.audience.receiveAwareness(this.queue, update)
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      this.queue.refuse(CLOSE_CODES.malformed, error.message)
    }
  }

  sendAwareness(): void {
    const all = this.audience.whoIsThere()
    if (all) this.queue.peer.send(encodeAwareness(all))
  }

  get stalled(): string | null {
    return this.queue.stalled
  }

  get queuedBytes(): number {
    return this.queue.bytes
  }

  set onDrain(listener: () => void) {
    this.queue.onDrain = listener
  }

  leave(): void {
    this.audience.leave(this.queue)
  }
}
