import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import type { ClientEnvironment } from '../environment.js'
import { settlesWithin } from '../settlesWithin.js'
import { isLocalStorageRefused } from '../status/refusals.js'
import type { Reason, StorageReasonCode, StorageStatus } from '../status/status.js'
import { compactRows } from './compactRows.js'
import { deleteDatabase } from './deleteDatabase.js'
import type { DocumentStorage, StorageContext } from './documentStorage.js'
import { findHeldRows } from './heldRows.js'
import { loadRows, quarantine } from './loadRows.js'
import { openDatabase, UPDATES_STORE, whenCommitted } from './openDatabase.js'
import { createWriteQueue } from './writeQueue.js'

/** A database that has not opened by then is waited for in the background, so that the app can start without it. */
const OPEN_TIMEOUT_MS = 5_000

/** A transaction that has not finished by then waits for one of another page, which may hold the database as long as it likes. */
const TRANSACTION_TIMEOUT_MS = 3_000

/** The first pause before trying again what the disk refused; it doubles up to the longest. */
const RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000

/** After so many attempts in a row, five minutes, the next one waits for an edit, a `flush()` or the user's return. */
const MAX_RETRIES = 10

/** Rows beyond the first that make rewriting them worth it, for loading reads each. */
const COMPACT_ROWS = 64

/** Bytes beyond the first row that make rewriting worth it even for few rows. */
const COMPACT_BYTES = 256 * 1024

/** Above every key: asks y-indexeddb's own loader for no rows. */
const NO_ROWS = Number.MAX_SAFE_INTEGER

const FAULTS: Partial<Record<StorageReasonCode, string>> = {
  refused:
    'The browser does not let this page store anything: site data is blocked, or the frame is sandboxed.',
  blocked: 'The database does not open: another page holds it, or the browser does not answer.',
  'open-failed': 'The database could not be opened or read.',
  'quota-exceeded': 'The disk is full or the site has used up its share of it.',
  'write-failed': 'The last write to the database failed; it is tried again.',
  'write-blocked': 'A transaction of another page holds the database; edits are written when it ends.',
  'connection-lost': 'The browser closed the database; it is being opened again.',
  'destroyed-elsewhere': 'The local data was deleted in another tab.',
  closed: 'The client was closed.',
}

/**
 * Keeps a document in IndexedDB through y-indexeddb.
 *
 * Of y-indexeddb the connection, the layout and the notes (its `custom` store) are used. Its listener is replaced by a
 * guarded queue, for it throws into the app's own edits once the connection is closed and cannot tell what was
 * committed; its loader by `loadRows`; its trimming by `compactRows`, for each tab would trim for itself.
 */
export function createIndexeddbStorage(context: StorageContext, indexedDB: IDBFactory): DocumentStorage {
  const { name, doc, environment, onStatus } = context
  let persistence: IndexeddbPersistence | null = null
  let database: IDBDatabase | null = null
  let ended = false
  let known = new Set<IDBValidKey>()
  let tailRows = 0
  let tailBytes = 0
  let cancelRetry: (() => void) | null = null
  let retries = 0
  /** What is to be tried again once something happens, after the attempts by time have ended. */
  let postponed: (() => void) | null = null
  let compacting: Promise<void> | null = null
  let status: StorageStatus = { state: 'opening', quarantined: 0 }
  let settleReady = (): void => {}
  const ready = new Promise<void>((resolve) => {
    settleReady = resolve
  })

  const setStatus = (change: {
    state: StorageStatus['state']
    code?: StorageReasonCode
    found?: number
  }): void => {
    const { state, code, found = 0 } = change
    const message = code && FAULTS[code]
    status = {
      state,
      ...(code && message ? { reason: { code, message } satisfies Reason<StorageReasonCode> } : {}),
      quarantined: status.quarantined + found,
    }
    onStatus(status)
  }

  const queue = createWriteQueue({
    database: () => database,
    onStored(key, bytes) {
      known.add(key)
      tailRows++
      tailBytes += bytes
      retries = 0
      if (status.reason && database) setStatus({ state: 'indexeddb' })
    },
    onFailed(error) {
      if (ended || !database) return
      setStatus({ state: 'indexeddb', code: isQuotaError(error) ? 'quota-exceeded' : 'write-failed' })
      retry(() => void reconnect())
    },
    onDisconnected: () => lose('connection-lost'),
    onBlocked: () => setBlocked(),
    timeoutMs: TRANSACTION_TIMEOUT_MS,
    schedule: environment.schedule,
  })

  const setBlocked = (): void => {
    // What failed is tried again later, and says why; until then Firefox leaves all transactions unfinished.
    if (!ended && database && !cancelRetry) setStatus({ state: 'indexeddb', code: 'write-blocked' })
  }

  const retry = (task: () => void): void => {
    cancelRetry?.()
    cancelRetry = null
    if (retries >= MAX_RETRIES) {
      postponed = task
      return
    }
    const run = (): void => {
      cancelRetry = null
      task()
    }
    cancelRetry = environment.schedule(run, Math.min(RETRY_MS * 2 ** retries, MAX_RETRY_MS))
    retries++
  }

  /** Begins another series of attempts at what was given up on. */
  const resumeRetries = (): void => {
    const task = postponed
    if (task === null || ended) return
    postponed = null
    retries = 0
    retry(task)
  }

  /** Lets go of a connection that no longer works and opens another one. */
  const lose = (code: StorageReasonCode): void => {
    if (ended || !database) return
    release()
    setStatus({ state: 'memory', code })
    retry(() => void open(true))
  }

  const release = (): void => {
    const last = persistence
    persistence = null
    database = null
    void last?.destroy().catch(environment.reportError)
  }

  const attach = async (): Promise<IDBDatabase> => {
    const next = new IndexeddbPersistence(name, doc)
    // Before it has a connection: its loader must find no rows, and write none of its own.
    doc.off('update', next._storeUpdate)
    next._dbref = NO_ROWS
    next._destroyed = true
    const db = await next._db
    persistence = next
    db.addEventListener('versionchange', () => lose('connection-lost'))
    db.addEventListener('close', () => lose('connection-lost'))
    return db
  }

  /**
   * Writes again what failed, on a connection of its own: in Firefox one on which a transaction exceeded the quota finishes no
   * transaction any more.
   */
  const reconnect = async (): Promise<void> => {
    release()
    queue.takeBack()
    try {
      const db = await attach()
      if (ended) return release()
      database = db
      queue.post()
    } catch (error) {
      environment.reportError(error)
      if (!ended) retry(() => void open(true))
    }
  }

  const open = async (again = false): Promise<void> => {
    const blocked = (): void => {
      if (status.state === 'opening') setStatus({ state: 'memory', code: 'blocked' })
      settleReady()
    }
    const cancel = environment.schedule(blocked, OPEN_TIMEOUT_MS)
    try {
      const probe = await openDatabase(indexedDB, name, blocked)
      // Whoever deletes the database must not wait for a connection that is only reading.
      probe.onversionchange = () => probe.close()
      const loaded = await loadRows(probe, doc, context.receive).finally(() => probe.close())
      if (ended) return
      known = new Set(loaded.applied)
      tailRows = loaded.tailRows
      tailBytes = loaded.tailBytes
      const db = await attach()
      if (ended) return release()
      database = db
      if (!again) setStatus({ state: 'indexeddb', found: loaded.quarantined })
      // What the last connection stored may be gone with its database: not before this is durable is all on disk again.
      else queue.append(Y.encodeStateAsUpdate(doc))
      queue.post()
    } catch (error) {
      if (ended) return
      const code = isRefusal(error, environment) ? 'refused' : 'open-failed'
      // It is tried more than once; once is enough for the log.
      if (status.reason?.code !== code) environment.reportError(error)
      setStatus({ state: 'memory', code })
      // A refusal lasts until the user lifts it.
      if (code === 'refused') postponed = () => void open(again)
      else retry(() => void open(again))
    } finally {
      cancel()
      settleReady()
    }
  }

  const flush = async (): Promise<void> => {
    if (status.state === 'opening') await ready
    resumeRetries()
    queue.post()
    const db = database
    if (!db) return
    const written = whenWritten(db)
    if (await settlesWithin(written, TRANSACTION_TIMEOUT_MS, environment.schedule)) return
    setBlocked()
    void written.then(() => {
      if (database === db && status.reason?.code === 'write-blocked') setStatus({ state: 'indexeddb' })
    })
  }

  const whenWritten = async (db: IDBDatabase): Promise<void> => {
    try {
      // It is queued behind every write, and the browser finishes it even where nobody waits.
      await whenCommitted(db.transaction(UPDATES_STORE, 'readonly'))
    } catch {
      lose('connection-lost')
    }
    await queue.whenIdle()
  }

  const compact = async (force: boolean): Promise<void> => {
    const db = database
    const isWorthIt = tailRows >= COMPACT_ROWS || (tailRows > 0 && tailBytes >= COMPACT_BYTES)
    if (!db || !(force || isWorthIt)) return
    try {
      const { key, quarantined } = await compactRows(db, doc, known, context.receive)
      // A row that was written meanwhile is read once more the next time, which does no harm.
      known = new Set([key])
      tailRows = 0
      tailBytes = 0
      if (quarantined > 0) setStatus({ state: 'indexeddb', found: quarantined })
    } catch (error) {
      environment.reportError(error)
    }
  }

  const end = (): void => {
    ended = true
    cancelRetry?.()
    queue.clear()
    release()
    settleReady()
  }

  void open()
  return {
    ready,
    get status() {
      return status
    },
    append: (update, committed) => {
      if (ended) return
      queue.append(update, committed)
      if (status.reason?.code !== 'refused') resumeRetries()
    },
    flush,
    compact(force = false) {
      compacting ??= compact(force).finally(() => {
        compacting = null
      })
      return compacting
    },
    async giveUpHeld(salvage) {
      const db = database
      const held = db ? await findHeldRows(db, doc, known) : []
      if (!db || held.length === 0 || !(await salvage())) return
      await quarantine(db, held)
      setStatus({ state: 'indexeddb', found: held.length })
    },
    // The library's types name the common values only; its store takes whatever can be cloned.
    async getNote(key) {
      let note: unknown
      const reading = persistence?.get(key).then((value) => {
        note = value
      })
      // A note is not worth waiting for another page's transaction.
      if (reading) await settlesWithin(reading, TRANSACTION_TIMEOUT_MS, environment.schedule)
      return note
    },
    async setNote(key, value) {
      const writing = persistence?.set(key, value as string)
      if (writing) await settlesWithin(writing, TRANSACTION_TIMEOUT_MS, environment.schedule)
    },
    async close() {
      if (ended) return
      // What waits for another page is posted by now, and the browser closes a connection only after its transactions.
      if (status.reason?.code === 'write-blocked') queue.post()
      else await flush()
      end()
      setStatus({ state: 'memory', code: 'closed' })
    },
    abandon() {
      if (ended) return
      end()
      setStatus({ state: 'memory', code: 'destroyed-elsewhere' })
    },
    async destroy() {
      end()
      setStatus({ state: 'memory', code: 'closed' })
      await deleteDatabase(environment, name)
    },
  }
}

function isQuotaError(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError'
}

/**
 * True where the browser keeps the page from storing at all, as in a sandboxed frame. Where site data is blocked Chromium answers
 * with an `UnknownError`, which it has for damaged databases too; there `localStorage` is refused as well.
 */
function isRefusal(error: unknown, environment: Pick<ClientEnvironment, 'localStorage'>): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'UnknownError') return isLocalStorageRefused(environment)
  return ['SecurityError', 'NotAllowedError'].includes(error.name)
}
