import { maxIntegrationSteps } from '@parley/core'
import * as Y from 'yjs'
import type { Limits } from '../limits.js'
import type { LogRow, LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import { applyRow, type Effort } from './applyRow.js'
import { type Compactor, createCompactor } from './compactor.js'
import type { RoomFollower } from './follower.js'
import { LazyDocument } from './lazyDocument.js'
import type { LoadedRoom } from './loadRoom.js'
import type { TailRow } from './logTail.js'
import { type Prepared, prepareUpdates } from './prepare.js'
import { createQuota, type Quota } from './quota.js'
import { type SweepListeners, sweepRoom } from './sweep.js'

/** A room's document while it is in memory. */
export interface RoomDocument {
  /** To be looked at: only what is stored already may be written in it. */
  readonly doc: Y.Doc
  /** True if it has left memory. */
  readonly isDestroyed: boolean
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
  prepare: (updates: readonly [Uint8Array, ...Uint8Array[]], rights?: { readOnly: boolean }) => Prepared
  /**
   * True if an update that takes so many steps to integrate would make the document take too many to load: each of many updates
   * may take few.
   */
  exceedsSteps: (steps: number) => boolean
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

/** What a room may take to load beyond what its structs allow: about half a second, in slices. */
const MAX_ROOM_STEPS = 1_000_000

function countStructs(doc: Y.Doc): number {
  let count = 0
  for (const structs of doc.store.clients.values()) count += structs.length
  return count
}

export interface RoomDocumentOptions {
  name: string
  store: LogStore
  loaded: LoadedRoom
  limits: Limits
  logger: Logger
  /** Told of what the document's own upkeep appends. */
  upkeep: SweepListeners
  /** Told why if the document turns out not to be what is stored. */
  onFault: (error: unknown) => void
}

/** Puts a loaded document at the disposal of its room. */
export function createRoomDocument(options: RoomDocumentOptions): RoomDocument {
  return new LoadedDocument(options)
}

/**
 * A class, for most of these are let go of soon: an object literal with getters has a shape of its own, shapes are old to the
 * garbage collector from the beginning, and by its getters this one would keep the document until all of the heap is collected.
 */
class LoadedDocument implements RoomDocument {
  readonly epoch: number
  private readonly lazy: LazyDocument
  private applied: number
  private waitingRows: LogRow[]
  private readonly quota: Quota
  private readonly effort: Effort
  private readonly compactor: Compactor
  private readonly followers = new Set<RoomFollower>()

  constructor({ name, store, loaded, limits, logger, upkeep, onFault }: RoomDocumentOptions) {
    // Not `loaded` itself in what lives on: it has all the rows.
    const { epoch, version, waiting, inTheWay } = loaded
    const document = new LazyDocument(loaded.doc, onFault)
    this.lazy = document
    this.epoch = epoch
    this.applied = version
    this.waitingRows = [...waiting]
    this.effort = { steps: loaded.steps }
    this.quota = createQuota(document, limits.documentBytes, loaded.snapshotBytes + loaded.rowBytes)
    this.compactor = createCompactor({
      store,
      logger,
      room: name,
      document,
      loaded,
      maxRowBytes: limits.logBytes,
      now: () => ({ version: this.applied, outside: [...this.waitingRows, ...inTheWay] }),
      sweep: () => sweepRoom(store, name, document, upkeep),
      prepare: async () => {
        await Promise.all([...this.followers].map(async (follower) => follower.beforeCompaction?.()))
      },
      effort: this.effort,
    })
  }

  get doc(): Y.Doc {
    return this.lazy.doc
  }

  get isDestroyed(): boolean {
    return this.lazy.isDestroyed
  }

  get version(): number {
    return this.applied
  }

  get waiting(): readonly number[] {
    return this.waitingRows.map((row) => row.version)
  }

  get bytes(): number {
    return this.quota.bytes
  }

  encodeState(): Uint8Array {
    return Y.encodeStateAsUpdate(this.doc)
  }

  encodeStateVector(): Uint8Array {
    return Y.encodeStateVector(this.doc)
  }

  prepare(updates: readonly [Uint8Array, ...Uint8Array[]], rights?: { readOnly: boolean }): Prepared {
    return prepareUpdates(this.lazy, updates, rights)
  }

  exceedsSteps(steps: number): boolean {
    const { effort } = this
    return steps > 0 && effort.steps + steps > MAX_ROOM_STEPS + maxIntegrationSteps(countStructs(this.doc))
  }

  exceedsQuota(bytes: number): boolean {
    return this.quota.isExceededBy(bytes)
  }

  apply(row: TailRow): readonly TailRow[] {
    const outcome = this.applyRow(row)
    if (outcome === 'gap') this.waitingRows.push(row)
    this.applied = row.version
    this.quota.count(row.update.byteLength)
    this.compactor.count(row.update.byteLength)
    // What waited has no row of its own now: it counts as a part of this one.
    const isAlone = this.waitingRows.length === 0
    const applied = outcome === 'gap' ? [] : isAlone ? [row] : [row, ...this.retryWaiting()]
    for (const follower of this.followers) follower.rowApplied(row)
    return applied
  }

  follow(follower: RoomFollower): () => void {
    // From here on it is up to date with each row.
    this.lazy.catchUp()
    this.followers.add(follower)
    return () => this.followers.delete(follower)
  }

  isLogFull(): boolean {
    return this.compactor.isOverdue()
  }

  checkLog(): void {
    this.compactor.check()
  }

  compact(): Promise<void> {
    return this.compactor.run()
  }

  finish(): Promise<void> {
    return this.compactor.finish()
  }

  destroy(): void {
    this.lazy.destroy()
  }

  private applyRow(row: TailRow): 'applied' | 'gap' {
    const { update, isChecked, edit, steps = 0 } = row
    this.effort.steps += steps
    // What waits may fit now, and who follows looks at the document.
    const mayWait = this.waitingRows.length === 0 && this.followers.size === 0
    if (edit && mayWait) this.lazy.addEdit(update, edit)
    else if (isChecked) this.lazy.add(update)
    else {
      const outcome = applyRow(this.doc, row, this.effort)
      if (typeof outcome === 'object') throw new Error(`a row cannot be applied: ${outcome.reason}`)
      return outcome
    }
    return 'applied'
  }

  /** Applies what waited as far as it can be; returns what was applied. */
  private retryWaiting(): TailRow[] {
    const applied: TailRow[] = []
    for (let before = Number.POSITIVE_INFINITY; this.waitingRows.length < before; ) {
      before = this.waitingRows.length
      this.waitingRows = this.waitingRows.filter((row) => {
        const outcome = applyRow(this.doc, row, this.effort)
        if (outcome === 'applied') applied.push(row)
        return outcome === 'gap'
      })
    }
    return applied
  }
}
