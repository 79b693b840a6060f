import * as Y from 'yjs'
import type { Limits } from '../limits.js'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import { createCompactor } from './compactor.js'
import type { RoomFollower } from './follower.js'
import { applyRow, type LoadedRoom } from './loadRoom.js'
import type { TailRow } from './logTail.js'
import { type Prepared, prepareUpdates } from './prepare.js'
import { createQuota } from './quota.js'
import { type SweepListeners, sweepRoom } from './sweep.js'

/** A room's document while it is in memory. */
export interface RoomDocument {
  /** To be looked at: only what is stored already may be written in it. */
  readonly doc: Y.Doc
  readonly epoch: number
  /** The version of the last row that is applied. */
  readonly version: number
  /** Versions of rows that wait for something that is missing. */
  readonly waiting: readonly number[]
  /** About how many bytes it has as an update; in memory it is several times as large. */
  readonly bytes: number
  /** The document as an update, and what a peer needs to know of it. */
  encodeState: () => Uint8Array
  encodeStateVector: () => Uint8Array
  /** Looks at updates from outside, see {@link prepareUpdates}. */
  prepare: (updates: readonly [Uint8Array, ...Uint8Array[]]) => Prepared
  /** True if the document would be too large with so many bytes more. */
  exceedsQuota: (bytes: number) => boolean
  /**
   * Takes the next row of the log; returns the rows that are applied now: this one and those that waited for it, or none if it
   * waits itself.
   *
   * @throws if it can be applied in part only: the document is then of no use
   */
  apply: (row: TailRow) => readonly TailRow[]
  /** Keeps something in step with the log, until the returned function is called. */
  follow: (follower: RoomFollower) => () => void
  /** True if the log may not grow before it is compacted. */
  isLogFull: () => boolean
  /** Compacts the log in the background if it is time. */
  checkLog: () => void
  /** Sweeps and compacts now, whatever there is to gain. */
  compact: () => Promise<void>
  /** Compacts if that is worth it. */
  finish: () => Promise<void>
  /** Lets go of the document. */
  destroy: () => void
}

export interface RoomDocumentOptions {
  name: string
  store: LogStore
  loaded: LoadedRoom
  limits: Limits
  logger: Logger
  /** Told of what the document's own upkeep appends. */
  upkeep: SweepListeners
}

/** Puts a loaded document at the disposal of its room. */
export function createRoomDocument(options: RoomDocumentOptions): RoomDocument {
  const { name, store, loaded, limits, logger, upkeep } = options
  // Not `loaded` itself in what lives on: it has all the rows.
  const { doc, epoch, inTheWay } = loaded
  let { version } = loaded
  let waiting = [...loaded.waiting]
  const quota = createQuota(doc, limits.documentBytes, loaded.snapshotBytes + loaded.rowBytes)
  const followers = new Set<RoomFollower>()
  const compactor = createCompactor({
    store,
    logger,
    room: name,
    loaded,
    maxRowBytes: limits.logBytes,
    now: () => ({ version, outside: [...waiting, ...inTheWay] }),
    sweep: () => sweepRoom(store, name, doc, upkeep),
    async prepare() {
      await Promise.all([...followers].map(async (follower) => follower.beforeCompaction?.()))
    },
  })

  /** Applies what waited as far as it can be; returns what was applied. */
  const retryWaiting = (): TailRow[] => {
    const applied: TailRow[] = []
    for (let before = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < before; ) {
      before = waiting.length
      waiting = waiting.filter((row) => {
        if (applyRow(doc, row) === 'gap') return true
        applied.push(row)
        return false
      })
    }
    return applied
  }

  return {
    doc,
    epoch,
    get version() {
      return version
    },
    get waiting() {
      return waiting.map((row) => row.version)
    },
    get bytes() {
      return quota.bytes
    },
    encodeState: () => Y.encodeStateAsUpdate(doc),
    encodeStateVector: () => Y.encodeStateVector(doc),
    prepare: (updates) => prepareUpdates(doc, updates),
    exceedsQuota: quota.isExceededBy,
    apply(row) {
      const outcome = row.isChecked ? applyChecked(doc, row) : applyRow(doc, row)
      if (typeof outcome === 'object') throw new Error(`a row cannot be applied: ${outcome.reason}`)
      if (outcome === 'gap') waiting.push(row)
      version = row.version
      quota.count(row.update.byteLength)
      compactor.count(row.update.byteLength)
      // What waited has no row of its own now: it counts as a part of this one.
      const applied = outcome === 'gap' ? [] : waiting.length > 0 ? [row, ...retryWaiting()] : [row]
      for (const follower of followers) follower.rowApplied(row)
      return applied
    },
    follow(follower) {
      followers.add(follower)
      return () => followers.delete(follower)
    },
    isLogFull: compactor.isOverdue,
    checkLog: compactor.check,
    compact: compactor.run,
    finish: compactor.finish,
    destroy: () => doc.destroy(),
  }
}

function applyChecked(doc: Y.Doc, { update }: TailRow): 'applied' {
  Y.applyUpdate(doc, update, 'log')
  if (doc.store.pendingStructs || doc.store.pendingDs) throw new Error('a stored update was applied in part')
  return 'applied'
}
