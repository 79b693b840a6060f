import { CLOSE_CODES, type CloseCode } from '@parley/core'
import type { Limits } from '../limits.js'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { Audience } from './audience.js'
import type { DocumentLease, DocumentNeed } from './documentSlot.js'
import { NOTHING, type TailRow } from './logTail.js'
import type { RoomDocument } from './roomDocument.js'
import type { WorkQueue } from './workQueue.js'

export interface UpdateIntakeOptions {
  /** The room's name. */
  name: string
  store: LogStore
  limits: Limits
  logger: Logger
  audience: Audience
  openDocument: (need: DocumentNeed) => Promise<DocumentLease>
  /** Takes rows that are stored; settles when they have been handed on, in the order of their versions. */
  deliver: (rows: readonly TailRow[]) => Promise<void>
  /** A row may have got into the log that nobody will tell of. */
  onDoubt: () => void
}

/** What one connection has for the log. */
interface Write {
  readonly queue: WorkQueue
  readonly news: Uint8Array
}

/** Stores what the peers of a room send, in turns. */
export class UpdateIntake {
  private readonly options: UpdateIntakeOptions

  constructor(options: UpdateIntakeOptions) {
    this.options = options
  }

  /** Answers what can be answered, and stores and hands on what waits at the heads of the queues; false if nothing did. */
  async turn(): Promise<boolean> {
    const { audience, openDocument } = this.options
    const wanting: WorkQueue[] = []
    for (const queue of audience.queues) {
      queue.answer(null)
      if (queue.wantsDocument) wanting.push(queue)
    }
    if (wanting.length === 0) {
      audience.finishTurn(false)
      return false
    }
    let lease: DocumentLease
    try {
      lease = await openDocument(wanting.some(({ hasEdit }) => hasEdit) ? 'work' : 'look')
    } catch {
      // Logged where it was loaded, once for all who wait for it.
      for (const queue of wanting) queue.refuse(CLOSE_CODES.storeUnavailable, 'the room could not be loaded')
      audience.finishTurn(false)
      return true
    }
    try {
      return await this.turnWith(lease)
    } finally {
      lease.release()
    }
  }

  private async turnWith({ document, keep }: DocumentLease): Promise<boolean> {
    const { audience } = this.options
    const withUpdates: WorkQueue[] = []
    for (const queue of audience.queues) {
      queue.answer(document.doc)
      if (queue.peekUpdates().length > 0) withUpdates.push(queue)
    }
    const writes: Write[] = []
    const writers = new Set<number>()
    for (const queue of withUpdates) {
      const news = this.takeNews(document, queue, withUpdates.length > 1, writers)
      if (news) writes.push({ queue, news })
    }
    const stored = writes.length > 0 ? await this.append(writes) : 0
    if (stored > 0) {
      keep()
      document.checkLog()
    }
    audience.finishTurn(stored > 0)
    return withUpdates.length > 0
  }

  /**
   * Looks at what waits at the head of a queue; returns what is to be stored of it. It was checked against the document as it is:
   * what insertions of the same client another connection brings in this turn, `writers`, it may fit no longer, and waits.
   */
  private takeNews(
    document: RoomDocument,
    queue: WorkQueue,
    othersWait: boolean,
    writers: Set<number>,
  ): Uint8Array | null {
    const { limits } = this.options
    const [first, ...rest] = queue.peekUpdates()
    if (!first) return null
    const prepared = document.prepare([first, ...rest])
    if (prepared.outcome === 'gap') {
      // Who was offline and types on sends that before it is asked for the rest. And what is missing may be what another
      // connection brings in this turn.
      const waits = queue.awaitsAnswer || (othersWait && queue.mayWait)
      if (!queue.awaitsAnswer) queue.mayWait = !waits
      if (waits && queue.bytes <= limits.queuedBytes) {
        queue.stall(prepared.reason)
        return null
      }
    } else queue.mayWait = true
    if (prepared.outcome === 'news' && othersWait) {
      for (const client of prepared.writers) if (writers.has(client)) return null
      for (const client of prepared.writers) writers.add(client)
    }
    queue.removeUpdates(prepared.taken)
    if (prepared.outcome === 'known') return queue.peer.marksTime ? NOTHING : null
    if (prepared.outcome === 'invalid') this.refuse(queue, CLOSE_CODES.malformed, prepared.reason)
    else if (prepared.outcome === 'gap') {
      this.refuse(queue, CLOSE_CODES.storeUnavailable, `sync again: ${prepared.reason}`)
    } else if (queue.peer.readOnly) {
      this.refuse(queue, CLOSE_CODES.forbidden, 'this connection may only read')
    } else if (document.exceedsQuota(prepared.news.byteLength)) {
      const reason = `the document would be larger than ${limits.documentBytes} bytes`
      this.refuse(queue, CLOSE_CODES.tooLarge, reason)
    } else if (document.isLogFull()) {
      this.refuse(queue, CLOSE_CODES.storeUnavailable, 'the log of the room has to be compacted first')
    } else return prepared.news
    return null
  }

  /** @returns how many rows were stored */
  private async append(writes: readonly Write[]): Promise<number> {
    const { name, store, logger, deliver, onDoubt } = this.options
    const results = await Promise.allSettled(writes.map(({ news }) => store.append(name, news)))
    const stored: TailRow[] = []
    for (const [index, { queue, news }] of writes.entries()) {
      const result = results[index]
      if (result?.status === 'fulfilled') {
        stored.push({ version: result.value, update: news, origin: queue, isChecked: true })
      } else {
        logger.error({ room: name, err: result?.reason }, 'an update could not be stored')
        queue.refuse(CLOSE_CODES.storeUnavailable, 'the update could not be stored')
      }
    }
    // What was not said to be stored may be all the same.
    if (stored.length < writes.length) onDoubt()
    await deliver(stored)
    return stored.length
  }

  private refuse(queue: WorkQueue, code: CloseCode, reason: string): void {
    const { name, logger } = this.options
    logger.info({ room: name, code, reason }, 'an update was refused')
    queue.refuse(code, reason)
  }
}
