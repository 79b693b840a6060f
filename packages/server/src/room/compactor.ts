import { checkIntegration, decodeUpdateInSteps } from '@parley/core'
import * as Y from 'yjs'
import { COPY_NAME } from '../log/copies.js'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { Effort } from './applyRow.js'
import type { LazyDocument } from './lazyDocument.js'
import { DOCUMENT_GUID, type LoadedRoom } from './loadRoom.js'
import { createSlices, runInSlices } from './slices.js'

/** A room's log is compacted when it has this many rows … */
const MAX_ROWS = 500
/** … or up to so many less: not all at the same number, or users who edit in step would wait for each other's. */
const MAX_ROWS_LESS = 100
/** Or when the rows outweigh the snapshot by so much, and are at least this large. */
const MAX_ROW_RATIO = 2
const MIN_ROW_BYTES = 1024 * 1024
/** When a room leaves memory, fewer rows than this are not worth a snapshot. */
const MIN_ROWS_ON_CLOSE = 50

/** Keeps the log of one room short: it counts the rows and replaces them by a snapshot when there are many. */
export interface Compactor {
  /** Compacts in the background if it is time. */
  check: () => void
  /** True if the log may not grow before it is compacted, which is tried once more then. */
  isOverdue: () => boolean
  /** Compacts now. */
  run: () => Promise<void>
  /** Counts a row that was appended. */
  count: (bytes: number) => void
  /** Settles when no compaction is under way; with `last`, compacts first if that is worth it. */
  finish: () => Promise<void>
}

export interface CompactorOptions {
  store: LogStore
  logger: Logger
  room: string
  document: LazyDocument
  /** What was stored of the room when it was loaded. */
  loaded: Pick<LoadedRoom, 'snapshotBytes' | 'rowCount' | 'rowBytes'>
  /** How large the rows may be together, in bytes. */
  maxRowBytes: number
  /** The version of the document now, and the rows up to it that are not in the document. */
  now: () => { version: number; outside: ReadonlyArray<{ version: number }> }
  /** Deletes from the document what is of no use; called first. */
  sweep: () => Promise<void>
  /** Called before rows up to the version of now are replaced. */
  prepare: () => Promise<void>
  /** What the document took to integrate; what was split and joined since its rows were written is so in a snapshot. */
  effort: Effort
}

/** Creates the {@link Compactor} of a loaded room. */
export function createCompactor({
  store,
  logger,
  room,
  document,
  loaded,
  maxRowBytes,
  now,
  sweep,
  prepare,
  effort,
}: CompactorOptions): Compactor {
  let { snapshotBytes, rowCount, rowBytes } = loaded
  let running: Promise<void> | null = null
  // A compaction that failed is tried again when there is twice as much to gain, not at every update.
  let patience = 1
  const maxRows = MAX_ROWS - Math.floor(Math.random() * MAX_ROWS_LESS)

  const compact = async (): Promise<void> => {
    if (document.isDestroyed) return
    try {
      await sweep()
      // The room may have failed meanwhile: the document is not what is stored then, and must not take its place.
      if (document.isDestroyed) return
      const { version, outside } = now()
      const before = { rowCount, rowBytes, steps: effort.steps }
      // Through the document with garbage collection: what was deleted in it is then gone from the disk too.
      const snapshot = Y.encodeStateAsUpdate(document.doc)
      const steps = await countSnapshotSteps(snapshot)
      if (document.isDestroyed) return
      await prepare()
      if (document.isDestroyed) return
      await store.values.write(`room:${room}`, new Map([[COPY_NAME, null]]))
      await store.compact(room, { through: version, snapshot, keep: outside.map((row) => row.version) })
      snapshotBytes = snapshot.byteLength
      rowCount -= before.rowCount - outside.length
      rowBytes -= before.rowBytes
      effort.steps += steps - before.steps
      patience = 1
    } catch (error) {
      patience *= 2
      logger.warn({ room, err: error }, 'the log of a room could not be compacted')
    }
  }
  const start = (): void => {
    running ??= compact().finally(() => {
      running = null
    })
  }

  return {
    check() {
      const many = rowCount >= maxRows * patience
      const large = rowBytes >= Math.max(MIN_ROW_BYTES, MAX_ROW_RATIO * snapshotBytes) * patience
      if (many || large) start()
    },
    isOverdue() {
      if (rowBytes < maxRowBytes) return false
      start()
      return true
    },
    async run() {
      await running
      start()
      await running
    },
    count(bytes) {
      rowCount++
      rowBytes += bytes
    },
    async finish() {
      await running
      if (rowCount >= MIN_ROWS_ON_CLOSE) start()
      await running
    },
  }
}

/**
 * How many steps a snapshot takes to load. Yjs does so in another order than the rows came in, and may take more: the rows stay then.
 *
 * @throws ParleyError with code `too-large` if the snapshot could not be loaded again
 */
async function countSnapshotSteps(snapshot: Uint8Array): Promise<number> {
  const decoded = await runInSlices(decodeUpdateInSteps(snapshot), createSlices())
  return checkIntegration(new Y.Doc({ guid: DOCUMENT_GUID }), decoded)
}
