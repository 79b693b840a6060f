import type { LogRow, StoredRoom } from '../log/logStore.js'
import type { Edit } from './edit.js'

/** A row of the log, and what is known of it here. */
export interface TailRow extends LogRow {
  /** Who sent what is in it. */
  readonly origin?: unknown
  /** True if it was checked against the document before it was stored. */
  readonly isChecked?: boolean
  /** Set if it is known to be an edit. */
  readonly edit?: Edit | null
  /** How many steps it takes to integrate, if it was checked; 0 if left out. */
  readonly steps?: number
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
  /**
   * Settles when the row of a version was handed on, `null` if it is already, or nobody needs to know; rejects where that will
   * not happen.
   */
  reached: (version: number) => Promise<void> | null
  /** Ends it: who waits is told so. */
  close: (reason: unknown) => void
}

/** Whose log it is. */
export interface LogTailHost {
  /** Reads what came after a version. */
  readLog: (after: number) => Promise<StoredRoom>
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
export function createLogTail(host: LogTailHost): LogTail {
  return new StoreTail(host)
}

interface Waiting {
  readonly version: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

class StoreTail implements LogTail {
  private readonly host: LogTailHost
  /** Rows that came before their turn; `null` as long as none did. */
  private early: Map<number, TailRow> | null = null
  private waiting: Waiting[] = []
  private current: number | null = null
  /** The greatest version that is known to exist. */
  private known = 0
  private patienceMs = GAP_PATIENCE_MS
  private isHeld = false
  private timer: NodeJS.Timeout | null = null
  private isReading = false
  private closed: { readonly reason: unknown } | null = null

  constructor(host: LogTailHost) {
    this.host = host
  }

  get version(): number | null {
    return this.current
  }

  start(version: number): void {
    this.isHeld = false
    this.current = version
    this.known = Math.max(this.known, version)
    for (const early of this.early?.keys() ?? []) if (early <= version) this.early?.delete(early)
    this.drain()
  }

  hold(): void {
    this.isHeld = true
  }

  resume(): void {
    this.isHeld = false
    if (this.current === null) {
      this.early = null
      this.letGo(Number.POSITIVE_INFINITY)
    }
    this.drain()
  }

  push(row: TailRow): void {
    if (this.isNoNews(row.version)) return
    this.known = Math.max(this.known, row.version)
    this.keep(row)
    this.drain()
  }

  expect(version: number): void {
    if (this.isNoNews(version)) return
    this.known = Math.max(this.known, version)
    this.drain()
  }

  reached(version: number): Promise<void> | null {
    if (this.closed) return Promise.reject(this.closed.reason)
    if (this.current === null ? !this.isHeld : this.current >= version) return null
    return new Promise((resolve, reject) => {
      this.waiting.push({ version, resolve, reject })
    })
  }

  close(reason: unknown): void {
    if (this.closed) return
    this.closed = { reason }
    if (this.timer) clearTimeout(this.timer)
    this.early = null
    for (const { reject } of this.waiting.splice(0)) reject(reason)
  }

  private keep(row: TailRow): void {
    this.early ??= new Map()
    this.early.set(row.version, row)
  }

  private isNoNews(version: number): boolean {
    return this.closed !== null || (this.current === null && !this.isHeld) || version <= (this.current ?? 0)
  }

  private giveUp(error: unknown): void {
    if (this.closed) return
    this.close(error)
    this.host.fail(error)
  }

  private drain(): void {
    if (this.isHeld || this.current === null || this.closed) return
    try {
      for (let row = this.early?.get(this.current + 1); row; row = this.early?.get(this.current + 1)) {
        this.early?.delete(row.version)
        this.host.take(row)
        this.current = row.version
      }
    } catch (error) {
      this.giveUp(error)
      return
    }
    this.letGo(this.current)
    if (this.known > this.current && !this.isReading && !this.timer) {
      this.timer = setTimeout(() => {
        this.timer = null
        void this.readMissing()
      }, this.patienceMs)
    }
  }

  private letGo(through: number): void {
    if (this.waiting.length === 0) return
    const reached = this.waiting.filter(({ version }) => version <= through)
    this.waiting = this.waiting.filter(({ version }) => version > through)
    for (const { resolve } of reached) resolve()
  }

  private async readMissing(): Promise<void> {
    const { current } = this
    if (this.isHeld || current === null || this.closed || this.known <= current) return
    this.isReading = true
    try {
      const stored = await this.host.readLog(current)
      if (this.isHeld || this.closed) return
      this.patienceMs =
        stored.version > current ? GAP_PATIENCE_MS : Math.min(this.patienceMs * 2, MAX_GAP_PATIENCE_MS)
      this.takeIn(stored)
    } catch (error) {
      this.giveUp(error)
      return
    } finally {
      this.isReading = false
    }
    this.drain()
  }

  private takeIn({ version, snapshot, rows }: StoredRoom): void {
    const current = this.current ?? 0
    if (snapshot && snapshot.version > current)
      throw new Error('rows that were missed have become a snapshot')
    for (const row of rows) if (row.version > current && !this.early?.has(row.version)) this.keep(row)
    // A row that cannot be read, or is in quarantine, is there for nobody: it is passed over.
    for (let next = current + 1; next <= version; next++) {
      if (!this.early?.has(next)) this.keep({ version: next, update: NOTHING })
    }
    this.known = Math.max(this.known, version)
  }
}

/** An update without insertions and deletions. */
export const NOTHING = new Uint8Array([0, 0])
