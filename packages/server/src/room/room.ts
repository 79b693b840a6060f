import { CLOSE_CODES, type CloseCode } from '@parley/core'
import type { BusMessage } from '../bus/bus.js'
import { ServerError } from '../errors.js'
import type { LogRow, StoredRoom } from '../log/logStore.js'
import { Audience, type AudienceHost } from './audience.js'
import {
  createDocumentSlot,
  type DocumentLease,
  type DocumentNeed,
  type DocumentSlot,
  type DocumentSlotHost,
} from './documentSlot.js'
import { endOfTurn } from './endOfTurn.js'
import type { QueuedLoad } from './loadQueue.js'
import { type LoadedRoom, loadRoom } from './loadRoom.js'
import { createLogTail, type LogTail, type LogTailHost, NOTHING, type TailRow } from './logTail.js'
import type { Peer, Seat } from './peer.js'
import type { RoomContext } from './roomContext.js'
import { createRoomDocument, type RoomDocument } from './roomDocument.js'
import { submitUpdate } from './submit.js'
import { UpdateIntake, type UpdateIntakeHost } from './updateIntake.js'

/**
 * One user's log and who is connected to it. What is appended is passed on to the connections as it is; the document is in
 * memory only while something must be looked up in it.
 */
export interface Room {
  readonly name: string
  readonly epoch: number
  /** The version of the last update that was passed on, 0 as long as nobody wanted to know. */
  readonly version: number
  readonly peers: number
  /** True if nobody is there and nothing is kept in memory. */
  readonly isEmpty: boolean
  /** True if the document is in memory. */
  readonly isLoaded: boolean
  /**
   * Gives access to the document until it is released.
   *
   * @param need what for; `work` if left out
   * @throws ServerError if it cannot be loaded; the next one to ask tries again
   */
  openDocument: (need?: DocumentNeed) => Promise<DocumentLease>
  /** The document if it is in memory, for a look at it in this turn of the event loop. */
  peek: () => RoomDocument | null
  /** Takes a place in the room; `asked` if the peer is to answer with what it has and the room lacks. */
  join: (peer: Peer, options?: { asked: boolean }) => Seat
  /**
   * Stores an update of the server's own making.
   *
   * @throws ServerError with the reason it was refused
   */
  submit: (update: Uint8Array) => Promise<void>
  /** Appends a row that changes nothing, so that the passing of time has a version. */
  tick: () => Promise<void>
  /** Takes in a row that was appended beside the room. */
  receive: (row: LogRow) => void
  /** Takes in that the log goes up to a version. */
  expect: (version: number) => void
  /** The same; settles when the room goes up to it too, or nobody is there to know. */
  catchUp: (version: number) => Promise<void>
  /** Refuses everybody and lets go of the document as it is. The room must not be used any more. */
  dismiss: (code: CloseCode, reason: string) => Promise<void>
  /** Settles when all that was received so far is durable or refused. */
  idle: () => Promise<void>
  /** Finishes what was received and lets go of the document. */
  close: () => Promise<void>
}

/** Creates a {@link Room} about which nothing is known yet. */
export function createRoom(name: string, context: RoomContext): Room {
  return new LogRoom(name, context)
}

/** Its parts have the room itself for their host: functions for each of them would be most of what an idle room takes. */
class LogRoom implements Room, AudienceHost, LogTailHost, DocumentSlotHost, UpdateIntakeHost {
  readonly name: string
  readonly context: RoomContext
  readonly audience: Audience
  private readonly tail: LogTail
  private readonly slot: DocumentSlot
  private readonly intake: UpdateIntake
  private readonly unsubscribe: (() => void) | undefined
  private queuedLoad: QueuedLoad<LoadedRoom> | null = null
  private documentEpoch = 0
  private running: Promise<void> | null = null
  private isWanted = false
  private hasEnded = false
  /** True if rows wait or are in quarantine: what builds on them may not be passed on before it is known to apply. */
  private isPatchy = false

  constructor(name: string, context: RoomContext) {
    this.name = name
    this.context = context
    this.audience = new Audience(this, context.limits.awarenessClients)
    this.tail = createLogTail(this)
    this.slot = createDocumentSlot(this, context.cache)
    this.intake = new UpdateIntake(this)
    this.unsubscribe = context.bus?.subscribe(name, (message) => this.hear(message))
  }

  get epoch(): number {
    return this.documentEpoch
  }

  get version(): number {
    return this.tail.version ?? 0
  }

  get peers(): number {
    return this.audience.size
  }

  get isEmpty(): boolean {
    return this.audience.size === 0 && this.slot.isEmpty && !this.running
  }

  get isLoaded(): boolean {
    return this.slot.document !== null
  }

  openDocument(need: DocumentNeed = 'work'): Promise<DocumentLease> {
    return this.slot.open(need)
  }

  peek(): RoomDocument | null {
    return this.slot.peek()
  }

  join(peer: Peer, { asked } = { asked: false }): Seat {
    const { seat, queue } = this.audience.join(peer, asked)
    if (this.hasEnded) queue.refuse(CLOSE_CODES.storeUnavailable, LOADED_ANEW)
    return seat
  }

  submit(update: Uint8Array): Promise<void> {
    return submitUpdate((peer) => this.join(peer), update)
  }

  tick(): Promise<void> {
    return submitUpdate((peer) => this.join(peer), NOTHING, { marksTime: true })
  }

  receive(row: TailRow): void {
    // Whoever came after this room failed is in another one, which is not told of what this one still stores.
    if (this.hasEnded) this.context.onDoubt(this.name)
    this.tail.push(row)
    this.context.bus?.publish(this.name, { type: 'row', version: row.version, update: row.update })
  }

  expect(version: number): void {
    this.tail.expect(version)
  }

  async catchUp(version: number): Promise<void> {
    this.tail.expect(version)
    await this.tail.reached(version)
  }

  async dismiss(code: CloseCode, reason: string): Promise<void> {
    const { document } = this.slot
    this.abandon(code, reason)
    await this.idle()
    // What a compaction under way still writes would be written after whatever the room is dismissed for.
    await document?.finish()
  }

  async idle(): Promise<void> {
    while (this.running) await this.running
  }

  async close(): Promise<void> {
    await this.idle()
    await this.slot.close()
    this.end(new ServerError('closed', 'The room is closed'))
  }

  wake(): void {
    this.isWanted = true
    // When all sockets were read that have something: what arrives together is then dealt with together, here and in the log.
    this.running ??= endOfTurn().then(() => this.run())
  }

  tellNodes(update: Uint8Array): void {
    this.context.bus?.publish(this.name, { type: 'awareness', update })
  }

  readLog(after: number): Promise<StoredRoom> {
    return this.context.store.load(this.name, { after })
  }

  /** Takes the next row of the log. Where there is a document, what it cannot apply yet waits; while one is loaded nothing is handed on. */
  take(row: TailRow): void {
    const { document } = this.slot
    if (!document) this.passOn(row)
    else for (const applied of document.apply(row)) this.passOn(applied)
  }

  fail(error: unknown): void {
    if (this.hasEnded) return
    this.context.logger.error({ room: this.name, err: error }, 'a room failed and is loaded anew')
    this.abandon(CLOSE_CODES.storeUnavailable, LOADED_ANEW)
  }

  async loadDocument(isUrgent: boolean): Promise<RoomDocument> {
    const { name } = this
    const { store, loads, limits, logger, onDoubt } = this.context
    this.tail.hold()
    let loaded: LoadedRoom
    try {
      this.queuedLoad = loads.add(() => loadRoom(store, name), isUrgent)
      loaded = await this.queuedLoad.done
    } catch (error) {
      logger.error({ room: name, err: error }, 'a room could not be loaded')
      this.tail.resume()
      throw error
    } finally {
      // It has all the rows.
      this.queuedLoad = null
    }
    this.report(loaded)
    const onAppended = async (row: LogRow): Promise<void> => {
      await this.deliver([row])
    }
    const upkeep = { onAppended, onDoubt: () => onDoubt(name) }
    // Whoever asks for it: it need not be somebody's edit that shows it.
    const onFault = (error: unknown): void => this.fail(error)
    const document = createRoomDocument({ name, store, loaded, limits, logger, upkeep, onFault })
    this.passOnMissed(loaded)
    this.documentEpoch = loaded.epoch
    this.isPatchy = loaded.waiting.length + loaded.quarantined.length > 0
    return document
  }

  hurryLoad(): void {
    this.queuedLoad?.hurry()
  }

  onDocumentLoaded(document: RoomDocument): void {
    this.tail.start(document.version)
  }

  needsDocument(): boolean {
    return this.audience.size > 0 && (this.isPatchy || (this.slot.document?.waiting.length ?? 0) > 0)
  }

  onDocumentGone(): void {
    this.letGo()
  }

  onDocumentError(error: unknown): void {
    this.context.logger.error({ room: this.name, err: error }, 'a room could not be closed')
  }

  takeDocument(need: DocumentNeed): DocumentLease | null {
    return this.slot.take(need)
  }

  deliver(rows: readonly TailRow[]): Promise<void> | null {
    let last = 0
    for (const row of rows) {
      this.receive(row)
      last = Math.max(last, row.version)
    }
    return this.tail.reached(last)
  }

  private async run(): Promise<void> {
    try {
      while (this.isWanted && !this.hasEnded) {
        // Before the look at the queues: what is added while a turn waits for the disk wants another one.
        this.isWanted = false
        const turn = this.intake.turn()
        if (turn && (await turn)) this.isWanted = true
      }
    } catch (error) {
      this.fail(error)
    }
    this.running = null
    this.releaseSeen()
    this.letGo()
  }

  /**
   * When a crowd connects, what each needs once is let go of while it is still young: documents that live on are what the
   * garbage collector takes most of its time for.
   */
  private releaseSeen(): void {
    if (!this.slot.document) return
    for (const queue of this.audience.queues) if (!queue.synced || queue.awaitsAnswer) return
    this.slot.seen()
  }

  private passOn({ update, origin }: TailRow): void {
    if (update.byteLength > NOTHING.byteLength) this.audience.passOn(update, origin)
  }

  private hear(message: BusMessage): void {
    if (message.type === 'awareness') this.audience.relayAwareness(message.update, null)
    else if (message.type === 'row') {
      const { version, update } = message
      if (update) this.tail.push({ version, update })
      else this.tail.expect(version)
    }
  }

  private report({ quarantined, waiting }: LoadedRoom): void {
    const { name } = this
    const { logger } = this.context
    if (quarantined.length > 0) {
      logger.error({ room: name, rows: quarantined }, 'rows of a log were put into quarantine')
    }
    if (waiting.length > 0) {
      const rows = waiting.map((row) => row.version)
      logger.warn({ room: name, rows }, 'rows of a log wait for something that is missing')
    }
  }

  /** What was loaded may be ahead of what was passed on, where others write to the log too. */
  private passOnMissed({ rows, waiting, snapshotVersion }: LoadedRoom): void {
    const { version } = this.tail
    if (version === null) return
    if (snapshotVersion > version) {
      this.audience.refuseSynced(
        CLOSE_CODES.storeUnavailable,
        'sync again: what was missed is a snapshot now',
      )
    }
    for (const row of rows) {
      if (row.version > version && !waiting.includes(row)) this.audience.passOn(row.update, null)
    }
  }

  private letGo(): void {
    if (this.isEmpty) this.context.onEmpty(this)
  }

  private abandon(code: CloseCode, reason: string): void {
    if (this.hasEnded) return
    this.audience.refuse(code, reason)
    this.end(new ServerError('store-unavailable', reason))
  }

  private end(reason: ServerError): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.tail.close(reason)
    this.slot.discard(reason)
    this.unsubscribe?.()
    this.context.onEnded(this)
  }
}

const LOADED_ANEW = 'the room is loaded anew'
