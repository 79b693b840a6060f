import { CLOSE_CODES, type CloseCode, onUpdate } from '@parley/core'
import type { Bus } from '../bus/bus.js'
import { encodeAwareness, encodeUpdate } from '../connection/messages.js'
import { ServerError } from '../errors.js'
import type { Limits } from '../limits.js'
import type { LogRow, LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { DocumentCache } from './documentCache.js'
import { createDocumentSlot, type DocumentLease } from './documentSlot.js'
import { type LoadedRoom, loadRoom } from './loadRoom.js'
import { createLogTail, NOTHING, type TailRow } from './logTail.js'
import type { Peer, Seat } from './peer.js'
import { createPresenceList } from './presence.js'
import { createRoomDocument, type RoomDocument } from './roomDocument.js'
import { submitUpdate } from './submit.js'
import { createWorkQueue, type WorkQueue } from './workQueue.js'

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
  /**
   * Gives access to the document until it is released.
   *
   * @throws ServerError if it cannot be loaded; the next one to ask tries again
   */
  openDocument: () => Promise<DocumentLease>
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

export interface RoomOptions {
  name: string
  store: LogStore
  /** Other nodes, if there are any. */
  bus: Bus | null
  cache: DocumentCache
  /** Waits until there is room to load a document, and loads it. */
  queueLoad: <Result>(load: () => Promise<Result>) => Promise<Result>
  limits: Limits
  logger: Logger
  /** The room is empty now. */
  onEmpty: () => void
  /** What the room knows is not what is stored: it must not be used any more. Called once. */
  onFailed: () => void
  /** A row may have got into the log that nobody will tell of. */
  onDoubt: () => void
}

/** Creates a {@link Room} about which nothing is known yet. */
export function createRoom(options: RoomOptions): Room {
  const { name, store, bus, cache, queueLoad, limits, logger, onEmpty, onFailed, onDoubt } = options
  const queues = new Map<WorkQueue, { onDrain: () => void; mayWait: boolean }>()
  const presence = createPresenceList(limits.awarenessClients)
  let epoch = 0
  let running: Promise<void> | null = null
  let wanted = false
  let failed = false
  /** True if rows wait or are in quarantine: what builds on them may not be passed on before it is known to apply. */
  let isPatchy = false

  const abandon = (code: CloseCode, reason: string): void => {
    if (failed) return
    failed = true
    for (const queue of queues.keys()) queue.refuse(code, reason)
    const error = new ServerError('store-unavailable', reason)
    tail.close(error)
    slot.discard(error)
    unsubscribe()
    onFailed()
  }
  const fail = (error: unknown): void => {
    if (failed) return
    logger.error({ room: name, err: error }, 'a room failed and is loaded anew')
    abandon(CLOSE_CODES.storeUnavailable, 'the room is loaded anew')
  }

  const passOn = (update: Uint8Array, origin: unknown): void => {
    const message = encodeUpdate(update)
    // Who was not answered yet gets it with the answer, and would find a gap now.
    for (const queue of queues.keys()) if (queue !== origin && queue.synced) queue.peer.send(message)
  }
  const relayAwareness = (awareness: Uint8Array, origin: unknown): void => {
    const message = encodeAwareness(awareness)
    for (const queue of queues.keys()) if (queue !== origin) queue.peer.send(message)
  }
  const sayWhoIsThere = (awareness: Uint8Array, origin: unknown): void => {
    relayAwareness(awareness, origin)
    bus?.publish(name, { type: 'awareness', update: awareness })
  }

  const tail = createLogTail({
    read: (after) => store.load(name, { after }),
    take(row) {
      // A document passes on what it applies. While one is loaded nothing is handed on.
      if (slot.document) slot.document.apply(row)
      else if (row.update.byteLength > NOTHING.byteLength) passOn(row.update, row.origin)
    },
    fail,
  })

  const load = async (): Promise<RoomDocument> => {
    tail.hold()
    let loaded: LoadedRoom
    try {
      loaded = await queueLoad(() => loadRoom(store, name))
    } catch (error) {
      logger.error({ room: name, err: error }, 'a room could not be loaded')
      tail.resume()
      throw error
    }
    report(loaded)
    const document = createRoomDocument({
      name,
      store,
      loaded,
      limits,
      logger,
      upkeep: {
        async onAppended(row) {
          receive(row)
          await tail.reached(row.version)
        },
        onDoubt,
      },
    })
    onUpdate(
      document.doc,
      ({ update, origin }) => passOn(update, origin),
      (error) => logger.error({ room: name, err: error }, 'an update could not be passed on'),
    )
    passOnMissed(loaded)
    epoch = loaded.epoch
    isPatchy = loaded.waiting.length + loaded.quarantined.length > 0
    return document
  }
  const report = ({ quarantined, waiting }: LoadedRoom): void => {
    if (quarantined.length > 0) {
      logger.error({ room: name, rows: quarantined }, 'rows of a log were put into quarantine')
    }
    if (waiting.length > 0) {
      const rows = waiting.map((row) => row.version)
      logger.warn({ room: name, rows }, 'rows of a log wait for something that is missing')
    }
  }
  /** What was loaded may be ahead of what was passed on, where others write to the log too. */
  const passOnMissed = ({ rows, waiting, snapshotVersion }: LoadedRoom): void => {
    const { version } = tail
    if (version === null) return
    if (snapshotVersion > version) {
      for (const queue of queues.keys()) {
        if (queue.synced)
          queue.refuse(CLOSE_CODES.storeUnavailable, 'sync again: what was missed is a snapshot now')
      }
    }
    for (const row of rows) if (row.version > version && !waiting.includes(row)) passOn(row.update, null)
  }

  const slot = createDocumentSlot({
    cache,
    load,
    onLoaded: (document) => tail.start(document.version),
    isNeeded: () => queues.size > 0 && (isPatchy || (slot.document?.waiting.length ?? 0) > 0),
    onEmpty: () => letGo(),
    onError: (error) => logger.error({ room: name, err: error }, 'a room could not be closed'),
  })
  const letGo = (): void => {
    if (queues.size === 0 && slot.isEmpty && !running) onEmpty()
  }

  const refuse = (queue: WorkQueue, code: CloseCode, reason: string): void => {
    logger.info({ room: name, code, reason }, 'an update was refused')
    queue.refuse(code, reason)
  }

  /**
   * Looks at what waits at the head of a queue; returns what is to be stored of it. It was checked against the document as it is:
   * what insertions of the same client another connection brings in this turn, `writers`, it may fit no longer, and waits.
   */
  const takeNews = (
    document: RoomDocument,
    queue: WorkQueue,
    othersWait: boolean,
    writers: Set<number>,
  ): Uint8Array | null => {
    const [first, ...rest] = queue.peekUpdates()
    const state = queues.get(queue)
    if (!first || !state) return null
    const prepared = document.prepare([first, ...rest])
    if (prepared.outcome === 'gap') {
      // Who was offline and types on sends that before it is asked for the rest. And what is missing may be what another
      // connection brings in this turn.
      const waits = queue.awaitsAnswer || (othersWait && state.mayWait)
      if (!queue.awaitsAnswer) state.mayWait = !waits
      if (waits && queue.bytes <= limits.queuedBytes) {
        queue.stall(prepared.reason)
        return null
      }
    } else state.mayWait = true
    if (prepared.outcome === 'news' && othersWait) {
      for (const client of prepared.writers) if (writers.has(client)) return null
      for (const client of prepared.writers) writers.add(client)
    }
    queue.removeUpdates(prepared.taken)
    if (prepared.outcome === 'known') return queue.peer.marksTime ? NOTHING : null
    if (prepared.outcome === 'invalid') refuse(queue, CLOSE_CODES.malformed, prepared.reason)
    else if (prepared.outcome === 'gap') {
      refuse(queue, CLOSE_CODES.storeUnavailable, `sync again: ${prepared.reason}`)
    } else if (queue.peer.readOnly) refuse(queue, CLOSE_CODES.forbidden, 'this connection may only read')
    else if (document.exceedsQuota(prepared.news.byteLength))
      refuse(queue, CLOSE_CODES.tooLarge, quotaReason(limits))
    else if (document.isLogFull())
      refuse(queue, CLOSE_CODES.storeUnavailable, 'the log of the room has to be compacted first')
    else return prepared.news
    return null
  }

  /** Stores what was taken from the queues, and hands it to the tail. */
  const append = async (writes: ReadonlyArray<{ queue: WorkQueue; news: Uint8Array }>): Promise<number> => {
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
    // What was not said to be stored may be all the same; and who came after this room failed was not told of what is.
    if (failed || stored.length < writes.length) onDoubt()
    for (const row of stored) receive(row)
    await tail.reached(Math.max(0, ...stored.map(({ version }) => version)))
    return stored.length
  }

  /** Stores and passes on what waits at the heads of the queues; false if nothing did. */
  const turn = async (): Promise<boolean> => {
    for (const queue of queues.keys()) queue.answer(null)
    const wanting = [...queues.keys()].filter((queue) => queue.wantsDocument)
    if (wanting.length === 0) {
      finishTurn(false)
      return false
    }
    let lease: DocumentLease
    try {
      lease = await slot.open()
    } catch {
      // Logged where it was loaded, once for all who wait for it.
      for (const queue of wanting) queue.refuse(CLOSE_CODES.storeUnavailable, 'the room could not be loaded')
      finishTurn(false)
      return true
    }
    try {
      const { document } = lease
      for (const queue of queues.keys()) queue.answer(document.doc)
      const withUpdates = [...queues.keys()].filter((queue) => queue.peekUpdates().length > 0)
      const writes: Array<{ queue: WorkQueue; news: Uint8Array }> = []
      const writers = new Set<number>()
      for (const queue of withUpdates) {
        const news = takeNews(document, queue, withUpdates.length > 1, writers)
        if (news) writes.push({ queue, news })
      }
      const stored = writes.length > 0 ? await append(writes) : 0
      if (stored > 0) document.checkLog()
      finishTurn(stored > 0)
      return withUpdates.length > 0
    } finally {
      lease.release()
    }
  }
  const finishTurn = (isNews: boolean): void => {
    for (const [queue, { onDrain }] of queues) {
      if (isNews || !queue.awaitsAnswer) queue.retry()
      if (queue.finished) queues.delete(queue)
      else onDrain()
    }
  }

  const run = async (): Promise<void> => {
    try {
      while (wanted && !failed) {
        // Before the look at the queues: what is added while a turn waits for the disk wants another one.
        wanted = false
        if (await turn()) wanted = true
      }
    } catch (error) {
      fail(error)
    }
    running = null
    letGo()
  }
  const wake = (): void => {
    wanted = true
    // Later in this turn of the event loop: what a client sends at once is then looked at together.
    running ??= Promise.resolve().then(run)
  }

  const receive = (row: TailRow): void => {
    tail.push(row)
    bus?.publish(name, { type: 'row', version: row.version, update: row.update })
  }
  const unsubscribe =
    bus?.subscribe(name, (message) => {
      if (message.type === 'awareness') relayAwareness(message.update, null)
      else if (message.type === 'row') {
        if (message.update) tail.push({ version: message.version, update: message.update })
        else tail.expect(message.version)
      }
    }) ?? (() => {})

  const join: Room['join'] = (peer, { asked } = { asked: false }) => {
    const queue = createWorkQueue(peer, asked, wake)
    const state = { onDrain: () => {}, mayWait: true }
    queues.set(queue, state)
    if (failed) queue.refuse(CLOSE_CODES.storeUnavailable, 'the room is loaded anew')
    return {
      add: queue.add,
      receiveAwareness(update) {
        try {
          if (presence.receive(queue, update)) sayWhoIsThere(update, queue)
        } catch (error) {
          if (!(error instanceof ServerError)) throw error
          queue.refuse(CLOSE_CODES.malformed, error.message)
        }
      },
      sendAwareness() {
        const all = presence.all()
        if (all) peer.send(encodeAwareness(all))
      },
      get stalled() {
        return queue.stalled
      },
      get queuedBytes() {
        return queue.bytes
      },
      set onDrain(listener: () => void) {
        state.onDrain = listener
      },
      leave() {
        const gone = presence.leave(queue)
        if (gone) sayWhoIsThere(gone, queue)
        queue.leave()
      },
    }
  }

  const idle = async (): Promise<void> => {
    while (running) await running
  }

  return {
    name,
    get epoch() {
      return epoch
    },
    get version() {
      return tail.version ?? 0
    },
    get peers() {
      return queues.size
    },
    get isEmpty() {
      return queues.size === 0 && slot.isEmpty && !running
    },
    openDocument: slot.open,
    peek: slot.peek,
    join,
    submit: (update) => submitUpdate(join, update),
    tick: () => submitUpdate(join, NOTHING, { marksTime: true }),
    receive,
    expect: tail.expect,
    async catchUp(version) {
      tail.expect(version)
      await tail.reached(version)
    },
    async dismiss(code, reason) {
      const { document } = slot
      abandon(code, reason)
      await idle()
      // What a compaction under way still writes would be written after whatever the room is dismissed for.
      await document?.finish()
    },
    idle,
    async close() {
      await idle()
      await slot.close()
      unsubscribe()
      tail.close(new ServerError('closed', 'The room is closed'))
    },
  }
}

function quotaReason({ documentBytes }: Limits): string {
  return `the document would be larger than ${documentBytes} bytes`
}
