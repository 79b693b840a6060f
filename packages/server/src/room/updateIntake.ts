import { CLOSE_CODES, type CloseCode, type DecodedUpdate } from '@parley/core'
import type { Audience } from './audience.js'
import type { DocumentLease, DocumentNeed } from './documentSlot.js'
import type { Edit } from './edit.js'
import { NOTHING, type TailRow } from './logTail.js'
import type { RoomContext } from './roomContext.js'
import type { RoomDocument } from './roomDocument.js'
import type { Updates, WorkQueue } from './workQueue.js'

/** The room that updates are for. */
export interface UpdateIntakeHost {
  readonly name: string
  readonly context: Pick<RoomContext, 'store' | 'limits' | 'logger' | 'onAppend' | 'onDoubt' | 'onDivergence'>
  readonly audience: Audience
  /** The document if it is in memory. */
  takeDocument: (need: DocumentNeed) => DocumentLease | null
  openDocument: (need: DocumentNeed) => Promise<DocumentLease>
  /** Takes rows that are stored; settles when they have been handed on, in the order of their versions; `null` if they are. */
  deliver: (rows: readonly TailRow[]) => Promise<void> | null
}

/** What stands at the head of a queue. */
interface Waiting {
  readonly queue: WorkQueue
  readonly updates: Updates
}

/** What one connection has for the log. */
interface Write {
  readonly queue: WorkQueue
  readonly news: Uint8Array
  readonly edit: Edit | null
  readonly steps: number
}

/** So many clients of a room are remembered; those of others are looked up again. */
const MAX_DEVICE_CLIENTS = 64

/** Stores what the peers of a room send, in turns. */
export class UpdateIntake {
  private readonly host: UpdateIntakeHost
  /** Clients of which it is known that the server does not write as one of them. */
  private readonly deviceClients = new Set<number>()
  /** Clients whose first insertions wait to be stored. */
  private unknownClients: number[] = []

  constructor(host: UpdateIntakeHost) {
    this.host = host
  }

  /**
   * Answers what can be answered, and stores and hands on what waits at the heads of the queues; `null` if nothing waited, true
   * if another turn may find more to do.
   */
  turn(): Promise<boolean> | null {
    const { audience } = this.host
    const wanting: WorkQueue[] = []
    for (const queue of audience.queues) {
      queue.answer(null)
      if (queue.wantsDocument) wanting.push(queue)
    }
    if (wanting.length === 0) {
      audience.finishTurn(false)
      return null
    }
    const large = wanting.filter((queue) => queue.hasLargeHead)
    if (large.length > 0) return this.splitHeads(large)
    const need = wanting.some(({ hasEdit }) => hasEdit) ? 'work' : 'look'
    const lease = this.host.takeDocument(need)
    return lease ? this.turnWith(lease) : this.openAndTurn(need, wanting)
  }

  /** Large updates are stored in pieces, each in a turn of its own. */
  private async splitHeads(queues: readonly WorkQueue[]): Promise<boolean> {
    for (const queue of queues) await queue.splitHead()
    return true
  }

  private async openAndTurn(need: DocumentNeed, wanting: readonly WorkQueue[]): Promise<boolean> {
    const { audience } = this.host
    let lease: DocumentLease
    try {
      lease = await this.host.openDocument(need)
    } catch {
      // Logged where it was loaded, once for all who wait for it.
      for (const queue of wanting) queue.refuse(CLOSE_CODES.storeUnavailable, 'the room could not be loaded')
      audience.finishTurn(false)
      return true
    }
    return this.turnWith(lease)
  }

  /** Takes a turn with a document, and lets go of it. */
  private async turnWith(lease: DocumentLease): Promise<boolean> {
    const { audience } = this.host
    const { document } = lease
    try {
      const waiting: Waiting[] = []
      let hasLarge = false
      for (const queue of audience.queues) {
        queue.answer(document)
        // Came while the document was loaded; it is split in the next turn.
        hasLarge ||= queue.hasLargeHead
        const updates = queue.hasLargeHead ? null : queue.peekUpdates()
        if (updates) waiting.push({ queue, updates })
      }
      const writes: Write[] = []
      const writers = waiting.length > 1 ? new Set<number>() : null
      for (const one of waiting) {
        const news = this.takeNews(document, one, writers)
        if (news) writes.push({ queue: one.queue, ...news })
      }
      const isWritable = this.unknownClients.length === 0 || (await this.checkClients(writes))
      const stored = isWritable && writes.length > 0 ? await this.append(writes) : 0
      if (stored > 0) {
        lease.keep()
        document.checkLog()
      }
      audience.finishTurn(stored > 0)
      return (hasLarge || waiting.length > 0) && audience.hasWork
    } finally {
      lease.release()
    }
  }

  /**
   * Looks at what waits at the head of a queue; returns what is to be stored of it. It was checked against the document as it is:
   * what insertions of the same client another connection brings in this turn, one of the `writers`, it may fit no longer, and
   * waits. There are no `writers` if nothing else waits.
   */
  private takeNews(
    document: RoomDocument,
    { queue, updates }: Waiting,
    writers: Set<number> | null,
  ): Omit<Write, 'queue'> | null {
    const { limits } = this.host.context
    const prepared = document.prepare(updates, queue.peer)
    if (prepared.outcome === 'gap') {
      // Who was offline and types on sends that before it is asked for the rest. And what is missing may be what another
      // connection brings in this turn.
      const waits = queue.awaitsAnswer || (writers !== null && queue.mayWait)
      if (!queue.awaitsAnswer) queue.mayWait = !waits
      if (waits && queue.bytes <= limits.queuedBytes) {
        queue.stall(prepared.reason)
        return null
      }
    } else queue.mayWait = true
    if (prepared.outcome === 'news' && writers) {
      if (prepared.structs.some(({ id }) => writers.has(id.client))) return null
      for (const { id } of prepared.structs) writers.add(id.client)
    }
    queue.removeUpdates(prepared.taken)
    if (prepared.outcome === 'news') this.noteClients(prepared.structs)
    if (prepared.outcome === 'known')
      return queue.peer.marksTime ? { news: NOTHING, edit: null, steps: 0 } : null
    if (prepared.outcome === 'invalid') this.refuse(queue, CLOSE_CODES.malformed, prepared.reason)
    else if (prepared.outcome === 'too-large') this.refuse(queue, CLOSE_CODES.tooLarge, prepared.reason)
    else if (prepared.outcome === 'gap') {
      this.refuse(queue, CLOSE_CODES.storeUnavailable, `sync again: ${prepared.reason}`)
    } else if (prepared.outcome === 'forbidden') {
      this.refuse(queue, CLOSE_CODES.forbidden, 'this connection may only read')
    } else if (document.exceedsSteps(prepared.steps)) {
      const reason = 'the room takes too many steps to load; edits of one place by many devices add up'
      this.refuse(queue, CLOSE_CODES.tooLarge, reason)
    } else if (document.exceedsQuota(prepared.news.byteLength)) {
      const reason = `the document would be larger than ${limits.documentBytes} bytes`
      this.refuse(queue, CLOSE_CODES.tooLarge, reason)
    } else if (document.isLogFull()) {
      this.refuse(queue, CLOSE_CODES.storeUnavailable, 'the log of the room has to be compacted first')
    } else return { news: prepared.news, edit: prepared.edit, steps: prepared.steps }
    return null
  }

  private noteClients(structs: DecodedUpdate['structs']): void {
    for (const { id } of structs) {
      if (this.deviceClients.has(id.client)) continue
      if (this.deviceClients.size >= MAX_DEVICE_CLIENTS) this.deviceClients.clear()
      this.deviceClients.add(id.client)
      this.unknownClients.push(id.client)
    }
  }

  /**
   * Retires the server's own client id where a device has more of it than the store: the store was rolled back, or copied.
   * What the server wrote next under it would be taken for what the device has.
   *
   * @returns false if that could not be done, and nothing may be stored
   */
  private async checkClients(writes: readonly Write[]): Promise<boolean> {
    const { name } = this.host
    const { store, logger, onDivergence } = this.host.context
    const clients = this.unknownClients
    this.unknownClients = []
    try {
      if (await store.retireWriter(name, clients)) onDivergence(name, 'server-rolled-back')
      return true
    } catch (error) {
      this.deviceClients.clear()
      logger.error({ room: name, err: error }, 'the client id of a room could not be checked')
      for (const { queue } of writes)
        queue.refuse(CLOSE_CODES.storeUnavailable, 'the update could not be stored')
      return false
    }
  }

  /** @returns how many rows were stored */
  private async append(writes: readonly Write[]): Promise<number> {
    const stored: TailRow[] = []
    // Together, so that they share a write to the disk.
    for (const appending of writes.map((write) => this.appendOne(write))) {
      const row = await appending
      if (row) stored.push(row)
    }
    // What was not said to be stored may be all the same.
    if (stored.length < writes.length) this.host.context.onDoubt(this.host.name)
    const delivered = this.host.deliver(stored)
    if (delivered) await delivered
    return stored.length
  }

  private async appendOne({ queue, news, edit, steps }: Write): Promise<TailRow | null> {
    const { name } = this.host
    const { store, logger, onAppend } = this.host.context
    try {
      const version = await store.append(name, news)
      onAppend(name, version)
      return { version, update: news, origin: queue, isChecked: true, edit, steps }
    } catch (error) {
      logger.error({ room: name, err: error }, 'an update could not be stored')
      queue.refuse(CLOSE_CODES.storeUnavailable, 'the update could not be stored')
      return null
    }
  }

  private refuse(queue: WorkQueue, code: CloseCode, reason: string): void {
    const { name, context } = this.host
    context.logger.info({ room: name, code, reason }, 'an update was refused')
    queue.refuse(code, reason)
  }
}
