import type { LogRow, StoredRoom } from '../log/logStore.js'

/** A row of the log, and what is known of it here. */
export interface TailRow extends LogRow {
  /** Who sent what is in it. */
  readonly origin?: unknown
  /** True if it was checked against the document before it was stored. */
  readonly isChecked?: boolean
}

/**
 * The end of a room's log as this process sees it: hands rows on in the order of their versions and each once, whoever
 * appended them, and reads from the store what it was not told.
 */
export interface LogTail {
  /** The version of the last row that was handed on; `null` as long as nobody needs to know. */
  readonly version: number | null
  /** Hands nothing on until the next `start` or `resume`, and keeps what is pushed: the room is being read. */
  hold: () => void
  /** The room was read up to a version: goes on after it. */
  start: (version: number) => void
  /** The room could not be read: goes on as before. */
  resume: () => void
  /** Takes in a row that is durable. */
  push: (row: TailRow) => void
  /** Takes in that there is a row of this version, or was. */
  expect: (version: number) => void
  /** Settles when the row of a version was handed on, or nobody needs to know; rejects where that will not happen. */
  reached: (version: number) => Promise<void>
  /** Ends it: who waits is told so. */
  close: (reason: unknown) => void
}

export interface LogTailOptions {
  /** Reads what came after a version. */
  read: (after: number) => Promise<StoredRoom>
  /** Takes the next row. What it throws is handed to `fail`. */
  take: (row: TailRow) => void
  /** The tail cannot go on: the store cannot be read, or has only a snapshot of what was missed. Called once. */
  fail: (error: unknown) => void
}

/** Rows that were appended together are told one by one within this time; what is missing then was appended elsewhere. */
const GAP_PATIENCE_MS = 5
/** What is not in the store although somebody told of it is looked for twice as long after each time, and at least so often. */
const MAX_GAP_PATIENCE_MS = 5_000

/** Creates a {@link LogTail}. */
export function createLogTail({ read, take, fail }: LogTailOptions): LogTail {
  const early = new Map<number, TailRow>()
  const waiting = new Set<{ version: number; resolve: () => void; reject: (reason: unknown) => void }>()
  let version: number | null = null
  /** The greatest version that is known to exist. */
  let known = 0
  let patienceMs = GAP_PATIENCE_MS
  let held = false
  let timer: NodeJS.Timeout | null = null
  let reading = false
  let closed: { reason: unknown } | null = null

  const close = (reason: unknown): void => {
    if (closed) return
    closed = { reason }
    if (timer) clearTimeout(timer)
    early.clear()
    for (const { reject } of waiting) reject(reason)
    waiting.clear()
  }
  const giveUp = (error: unknown): void => {
    if (closed) return
    close(error)
    fail(error)
  }

  const drain = (): void => {
    if (held || version === null || closed) return
    try {
      for (let row = early.get(version + 1); row; row = early.get(version + 1)) {
        early.delete(row.version)
        take(row)
        version = row.version
      }
    } catch (error) {
      giveUp(error)
      return
    }
    letGo(version)
    if (known > version && !reading && !timer) {
      timer = setTimeout(() => {
        timer = null
        void readMissing()
      }, patienceMs)
    }
  }
  const letGo = (through: number): void => {
    for (const one of waiting) {
      if (one.version > through) continue
      waiting.delete(one)
      one.resolve()
    }
  }

  const readMissing = async (): Promise<void> => {
    if (held || version === null || closed || known <= version) return
    reading = true
    try {
      const stored = await read(version)
      if (held || closed) return
      patienceMs = stored.version > version ? GAP_PATIENCE_MS : Math.min(patienceMs * 2, MAX_GAP_PATIENCE_MS)
      if (stored.snapshot && stored.snapshot.version > version) {
        throw new Error('rows that were missed have become a snapshot')
      }
      for (const row of stored.rows)
        if (row.version > version && !early.has(row.version)) early.set(row.version, row)
      skipTo(stored)
    } catch (error) {
      giveUp(error)
      return
    } finally {
      reading = false
    }
    drain()
  }
  /** A row that cannot be read, or is in quarantine, is there for nobody: it is passed over. */
  const skipTo = (stored: StoredRoom): void => {
    for (let next = (version ?? 0) + 1; next <= stored.version; next++) {
      if (!early.has(next)) early.set(next, { version: next, update: NOTHING })
    }
    known = Math.max(known, stored.version)
  }

  return {
    get version() {
      return version
    },
    start(at) {
      held = false
      version = at
      known = Math.max(known, at)
      for (const row of early.values()) if (row.version <= at) early.delete(row.version)
      drain()
    },
    hold() {
      held = true
    },
    resume() {
      held = false
      if (version === null) {
        early.clear()
        letGo(Number.POSITIVE_INFINITY)
      }
      drain()
    },
    push(row) {
      if (closed || (version === null && !held) || row.version <= (version ?? 0)) return
      known = Math.max(known, row.version)
      early.set(row.version, row)
      drain()
    },
    expect(at) {
      if (closed || (version === null && !held) || at <= (version ?? 0)) return
      known = Math.max(known, at)
      drain()
    },
    reached(at) {
      if (closed) return Promise.reject(closed.reason)
      if (version === null ? !held : version >= at) return Promise.resolve()
      return new Promise((resolve, reject) => {
        waiting.add({ version: at, resolve, reject })
      })
    },
    close,
  }
}

/** An update without insertions and deletions. */
export const NOTHING = new Uint8Array([0, 0])
