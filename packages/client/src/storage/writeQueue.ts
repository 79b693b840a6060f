import type { Environment } from '@parley/core'
import * as Y from 'yjs'
import { UPDATES_STORE } from './openDatabase.js'

/**
 * Transactions that may be under way at a time. More keep what a killed tab loses small, for what only waits in memory is
 * lost for sure; a slow disk gets fewer, larger ones.
 */
const MAX_UNDER_WAY = 8

/** Writes updates as rows: those of one task in one transaction, or of several while the disk is behind. */
export interface WriteQueue {
  append: (update: Uint8Array, committed?: () => void) => void
  /** Puts everything appended into a transaction now, whatever is under way. */
  post: () => void
  /** Settles once everything appended before the call is durable or was given up for the moment. */
  whenIdle: () => Promise<void>
  /**
   * Takes back what is in transactions that have not finished, to be written again on another connection. One that finishes all
   * the same is a row too many, which does no harm.
   */
  takeBack: () => void
  /** Forgets what waits. */
  clear: () => void
}

export interface WriteQueueOptions {
  /** The open database, or `null` while there is none. */
  readonly database: () => IDBDatabase | null
  /** Called with the key of each row once it is durable. */
  readonly onStored: (key: IDBValidKey, bytes: number) => void
  /** Called when a transaction was aborted. What it held waits for the next {@link WriteQueue.post}. */
  readonly onFailed: (error: unknown) => void
  /** Called when the database turns out to be closed. */
  readonly onDisconnected: () => void
  /** Called when a transaction has neither committed nor failed after `timeoutMs` milliseconds; it still may. */
  readonly onBlocked: () => void
  readonly timeoutMs: number
  readonly schedule: Environment['schedule']
}

/** Without a database what waits is merged at this many updates: it may wait as long as the tab lives. */
const MAX_WAITING = 512

interface Waiting {
  readonly update: Uint8Array
  readonly committed: (() => void) | undefined
}

function merge(batch: readonly Waiting[]): Waiting {
  const [first, ...rest] = batch as readonly [Waiting, ...Waiting[]]
  if (rest.length === 0) return first
  return {
    update: Y.mergeUpdates(batch.map(({ update }) => update)),
    committed: () => {
      for (const { committed } of batch) committed?.()
    },
  }
}

/** Creates a {@link WriteQueue}. */
export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
  let waiting: Waiting[] = []
  /** What is in transactions, in their order. */
  const underWay = new Set<Waiting>()
  let isPosting = false
  const idle: Array<() => void> = []

  const settleIdle = (): void => {
    if (underWay.size > 0) return
    for (const resolve of idle.splice(0)) resolve()
  }

  const post = (): void => {
    const db = options.database()
    if (!db || waiting.length === 0) {
      settleIdle()
      return
    }
    const batch = waiting
    let transaction: IDBTransaction
    try {
      transaction = db.transaction(UPDATES_STORE, 'readwrite')
    } catch {
      // InvalidStateError: the connection was closed by the browser or by whoever deletes the database.
      options.onDisconnected()
      settleIdle()
      return
    }
    waiting = []
    const merged = merge(batch)
    const { update: row, committed } = merged
    underWay.add(merged)
    const cancelTimeout = options.schedule(() => {
      if (underWay.has(merged)) options.onBlocked()
    }, options.timeoutMs)
    const request = transaction.objectStore(UPDATES_STORE).add(row)
    // Or it would be once the page has heard of the row, which a page that is being closed does not live to do.
    transaction.commit?.()
    transaction.oncomplete = () => {
      cancelTimeout()
      underWay.delete(merged)
      options.onStored(request.result, row.byteLength)
      committed?.()
      if (waiting.length > 0) post()
      settleIdle()
    }
    // A full disk shows here and nowhere else: the request itself succeeds.
    transaction.onabort = () => {
      cancelTimeout()
      // Otherwise it was taken back, and waits already.
      if (!underWay.delete(merged)) return
      waiting = [merged, ...waiting]
      options.onFailed(transaction.error)
      settleIdle()
    }
  }

  return {
    append(update, committed) {
      waiting.push({ update, committed })
      if (waiting.length >= MAX_WAITING) waiting = [merge(waiting)]
      if (isPosting || underWay.size >= MAX_UNDER_WAY) return
      isPosting = true
      // After the task that makes the edit, which may make more.
      queueMicrotask(() => {
        isPosting = false
        post()
      })
    },
    post,
    whenIdle: () =>
      new Promise((resolve) => {
        idle.push(resolve)
        settleIdle()
      }),
    takeBack() {
      waiting = [...underWay, ...waiting]
      underWay.clear()
    },
    clear() {
      waiting = []
    },
  }
}
