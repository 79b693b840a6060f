import { CLOSE_CODES, type CloseCode, onUpdate } from '@parley/core'
import * as Y from 'yjs'
import { encodeAwareness, encodeUpdate } from '../connection/messages.js'
import { ServerError } from '../errors.js'
import type { Limits } from '../limits.js'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import { createCompactor } from './compactor.js'
import type { RoomFollower } from './follower.js'
import { applyRow, type LoadedRoom } from './loadRoom.js'
import type { Peer, Seat } from './peer.js'
import { prepareUpdates } from './prepare.js'
import { createPresenceList } from './presence.js'
import { createQuota } from './quota.js'
import { submitUpdate } from './submit.js'
import { createWorkQueue, type WorkQueue } from './workQueue.js'

/** One user's document while it is in memory, and who is connected to it. */
export interface Room {
  readonly name: string
  readonly epoch: number
  /** The version of the last update that is durable and applied. */
  readonly version: number
  /** Versions of rows that wait for something that is missing. */
  readonly waiting: readonly number[]
  readonly peers: number
  /** The document, to be looked at: only what is stored already may be written in it. */
  readonly doc: Y.Doc
  /** The document as an update, and what a peer needs to know of it. */
  encodeState: () => Uint8Array
  encodeStateVector: () => Uint8Array
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
  /** Keeps something in step with the log, until the returned function is called. */
  follow: (follower: RoomFollower) => () => void
  /** Settles when all that was received so far is durable or refused. */
  idle: () => Promise<void>
  /** Finishes what was received and lets go of the document. */
  close: () => Promise<void>
}

export interface RoomOptions {
  name: string
  store: LogStore
  loaded: LoadedRoom
  limits: Limits
  logger: Logger
  /** The document in memory is not what is stored: the room must be loaded anew. Called once. */
  onFailed: () => void
}

/** An update without insertions and deletions. */
const NOTHING = new Uint8Array([0, 0])

/** Puts a loaded document at the disposal of its connections. */
export function createRoom({ name, store, loaded, limits, logger, onFailed }: RoomOptions): Room {
  const { doc, epoch } = loaded
  let { version } = loaded
  let waiting = [...loaded.waiting]
  let running: Promise<void> | null = null
  let wanted = false
  let failed = false
  const quota = createQuota(doc, limits.documentBytes, loaded.snapshotBytes + loaded.rowBytes)
  const queues = new Map<WorkQueue, { onDrain: () => void; mayWait: boolean }>()
  const followers = new Set<RoomFollower>()
  const presence = createPresenceList(limits.awarenessClients)
  const compactor = createCompactor({
    store,
    logger,
    room: name,
    loaded,
    now: () => ({ version, outside: [...waiting, ...loaded.inTheWay] }),
    async prepare() {
      await Promise.all([...followers].map(async (follower) => follower.beforeCompaction?.()))
    },
  })

  const relay = (awareness: Uint8Array, origin: unknown): void => {
    const message = encodeAwareness(awareness)
    for (const queue of queues.keys()) if (queue !== origin) queue.peer.send(message)
  }
  const stopListening = onUpdate(
    doc,
    ({ update, origin }) => {
      const message = encodeUpdate(update)
      // Who was not answered yet gets it with the answer, and would find a gap now.
      for (const queue of queues.keys()) if (queue !== origin && queue.synced) queue.peer.send(message)
    },
    (error) => logger.error({ room: name, err: error }, 'an update could not be passed on'),
  )

  const fail = (error: unknown): void => {
    if (failed) return
    failed = true
    logger.error({ room: name, err: error }, 'a room failed and is loaded anew')
    for (const queue of queues.keys()) queue.refuse(CLOSE_CODES.storeUnavailable, 'the room is loaded anew')
    onFailed()
  }

  const refuse = (queue: WorkQueue, code: CloseCode, reason: string): void => {
    logger.info({ room: name, code, reason }, 'an update was refused')
    queue.refuse(code, reason)
  }

  /** Looks at what waits at the head of a queue; returns what is to be stored of it. */
  const takeNews = (queue: WorkQueue, othersWait: boolean): Uint8Array | null => {
    const [first, ...rest] = queue.peekUpdates()
    const state = queues.get(queue)
    if (!first || !state) return null
    const prepared = prepareUpdates(doc, [first, ...rest])
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
    queue.removeUpdates(prepared.taken)
    if (prepared.outcome === 'known') return queue.peer.marksTime ? NOTHING : null
    if (prepared.outcome === 'invalid') refuse(queue, CLOSE_CODES.malformed, prepared.reason)
    else if (prepared.outcome === 'gap') {
      refuse(queue, CLOSE_CODES.storeUnavailable, `sync again: ${prepared.reason}`)
    } else if (queue.peer.readOnly) refuse(queue, CLOSE_CODES.forbidden, 'this connection may only read')
    else if (quota.isExceededBy(prepared.news.byteLength))
      refuse(queue, CLOSE_CODES.tooLarge, quotaReason(limits))
    else return prepared.news
    return null
  }

  const applyStored = (row: { version: number; update: Uint8Array }, origin: unknown): void => {
    Y.applyUpdate(doc, row.update, origin)
    if (doc.store.pendingStructs || doc.store.pendingDs)
      throw new Error('a stored update was applied in part')
    version = Math.max(version, row.version)
    quota.count(row.update.byteLength)
    compactor.count(row.update.byteLength)
  }

  const retryWaiting = (): void => {
    for (let before = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < before; ) {
      before = waiting.length
      waiting = waiting.filter((row) => applyRow(doc, row) === 'gap')
    }
  }

  /** Stores and applies what waits at the heads of the queues; false if nothing did. */
  const turn = async (): Promise<boolean> => {
    for (const queue of queues.keys()) queue.answer(doc)
    const withUpdates = [...queues.keys()].filter((queue) => queue.peekUpdates().length > 0)
    const writes: Array<{ queue: WorkQueue; news: Uint8Array }> = []
    for (const queue of withUpdates) {
      const news = takeNews(queue, withUpdates.length > 1)
      if (news) writes.push({ queue, news })
    }
    const results = await Promise.allSettled(writes.map(({ news }) => store.append(name, news)))
    const stored: Array<{ version: number; update: Uint8Array; queue: WorkQueue }> = []
    for (const [index, { queue, news }] of writes.entries()) {
      const result = results[index]
      if (result?.status === 'fulfilled') stored.push({ version: result.value, update: news, queue })
      else {
        logger.error({ room: name, err: result?.reason }, 'an update could not be stored')
        queue.refuse(CLOSE_CODES.storeUnavailable, 'the update could not be stored')
      }
    }
    stored.sort((a, b) => a.version - b.version)
    for (const [index, row] of stored.entries()) {
      applyStored(row, row.queue)
      // What waited has no row of its own now: it counts as a part of the last one.
      if (index === stored.length - 1) retryWaiting()
      for (const follower of followers) follower.rowApplied(row)
    }
    if (stored.length > 0) compactor.check()
    for (const [queue, { onDrain }] of queues) {
      if (stored.length > 0 || !queue.awaitsAnswer) queue.retry()
      if (queue.finished) queues.delete(queue)
      else onDrain()
    }
    return withUpdates.length > 0
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
  }
  const wake = (): void => {
    wanted = true
    // Later in this turn of the event loop: what a client sends at once is then looked at together.
    running ??= Promise.resolve().then(run)
  }

  const join: Room['join'] = (peer, { asked } = { asked: false }) => {
    const queue = createWorkQueue(peer, asked, wake)
    const state = { onDrain: () => {}, mayWait: true }
    queues.set(queue, state)
    if (failed) queue.refuse(CLOSE_CODES.storeUnavailable, 'the room is loaded anew')
    return {
      add: queue.add,
      receiveAwareness(update) {
        try {
          if (presence.receive(queue, update)) relay(update, queue)
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
        if (gone) relay(gone, queue)
        queue.leave()
      },
    }
  }

  const idle = async (): Promise<void> => {
    while (running) await running
  }

  return {
    name,
    epoch,
    get version() {
      return version
    },
    get waiting() {
      return waiting.map((row) => row.version)
    },
    get peers() {
      return queues.size
    },
    doc,
    encodeState: () => Y.encodeStateAsUpdate(doc),
    encodeStateVector: () => Y.encodeStateVector(doc),
    join,
    submit: (update) => submitUpdate(join, update),
    tick: () => submitUpdate(join, NOTHING, { marksTime: true }),
    follow(follower) {
      followers.add(follower)
      return () => followers.delete(follower)
    },
    idle,
    async close() {
      await idle()
      if (!failed) await compactor.finish()
      stopListening()
      doc.destroy()
    },
  }
}

function quotaReason({ documentBytes }: Limits): string {
  return `the document would be larger than ${documentBytes} bytes`
}
