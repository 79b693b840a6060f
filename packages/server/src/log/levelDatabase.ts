import { open, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { ServerError } from '../errors.js'

/** The LevelDB underneath a log: text keys, binary values. */
export type Level = ClassicLevel<string, Uint8Array>
/** One change of a batch. */
export type LevelChange =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string }

/** A LevelDB that comes back after a write that failed. */
export interface LevelDatabase {
  /** @throws ServerError with code `store-unavailable`, or what `use` throws */
  read: <Result>(use: (level: Level) => Promise<Result>) => Promise<Result>
  /** Writes changes atomically and durably. Not to be called again before it has settled. */
  write: (changes: readonly LevelChange[]) => Promise<void>
  /** Settles when the reads that are under way have. */
  settled: () => Promise<void>
  /** Closes the files and opens them anew: those that are not needed any more are then gone. Not during a write. */
  renew: () => Promise<void>
  close: () => Promise<void>
}

/** More than LevelDB needs to open: a new log file and a new manifest, beside what its present log file comes to as a table. */
const PROBE_BYTES = 1024 * 1024
const PROBE_FILE = 'probe.tmp'

/** What stands in for a database that cannot be opened where it is. */
export interface LevelStandIn {
  /** Where a copy of it can be opened. */
  readonly location: string
  /** Called when the database was opened where it is. */
  readonly onOpened: () => Promise<void>
}

/**
 * Opens a LevelDB in `location`. Rejects with LevelDB's own error.
 *
 * With a stand-in that one is read until the disk takes writes; the first write after that opens the database itself.
 */
export async function openLevelDatabase(location: string, standIn?: LevelStandIn): Promise<LevelDatabase> {
  const create = (path: string): Level =>
    new ClassicLevel(path, { keyEncoding: 'utf8', valueEncoding: 'view' })
  let level = create(standIn?.location ?? location)
  let isStandIn = standIn !== undefined
  await level.open()
  const reads = new Set<Promise<unknown>>()
  /** While it is closed to be opened anew; and with the look whether that can be, which comes before. */
  let reopening: Promise<void> | null = null
  let attempt: Promise<void> | null = null
  let writeFailed = isStandIn

  /**
   * What a failed write left in LevelDB's log file is unknown, and what is written behind it may not be found when the
   * database is next opened. So nothing is written behind it: the database is opened anew, which starts a new file.
   */
  const closeAndOpen = async (): Promise<void> => {
    await Promise.allSettled(reads)
    await level.close()
    if (isStandIn) {
      level = create(location)
      isStandIn = false
      await level.open({ createIfMissing: false })
      await standIn?.onOpened()
      writeFailed = false
      return
    }
    // A database that is gone by now is not begun anew: an empty one would be served.
    await level.open({ createIfMissing: false })
    writeFailed = false
  }
  const reopen = (): Promise<void> => {
    attempt ??= (async () => {
      // Where LevelDB could not open again reads would fail too. So it stays open, and is read, until it can.
      await probe(location)
      reopening = closeAndOpen()
      await reopening
    })().finally(() => {
      reopening = null
      attempt = null
    })
    return attempt
  }

  const readNow = <Result>(use: (level: Level) => Promise<Result>): Promise<Result> => {
    let result: Promise<Result>
    try {
      result = use(level)
    } catch (cause) {
      return Promise.reject(readError(cause))
    }
    reads.add(result)
    return result.then(
      (value) => {
        reads.delete(result)
        return value
      },
      (cause) => {
        reads.delete(result)
        throw readError(cause)
      },
    )
  }
  const readOnceOpen = async <Result>(use: (level: Level) => Promise<Result>): Promise<Result> => {
    if (reopening) await reopening.catch(() => {})
    // It was closed to be opened anew, and that failed. Whoever wants to read tries again.
    if (level.status !== 'open') {
      await reopen().catch((cause) => {
        throw readError(cause)
      })
    }
    return readNow(use)
  }

  return {
    // As a rule it is open; an async function would cost every read a promise more.
    read: (use) => (reopening || level.status !== 'open' ? readOnceOpen(use) : readNow(use)),
    async write(changes) {
      try {
        if (writeFailed) await reopen()
        // An array of changes would be copied one by one together with the options, at several times the cost.
        const batch = level.batch()
        for (const change of changes) {
          if (change.type === 'put') batch.put(change.key, change.value)
          else batch.del(change.key)
        }
        await batch.write({ sync: true })
      } catch (cause) {
        writeFailed = true
        throw new ServerError('store-unavailable', 'The store could not be written', { cause })
      }
    },
    async settled() {
      await Promise.allSettled(reads)
    },
    async renew() {
      // Whatever becomes of it, nothing is written before the database is open.
      writeFailed = true
      await reopen()
    },
    async close() {
      await Promise.allSettled(reads)
      await level.close()
    },
  }
}

/** What a read that failed rejects with. */
function readError(cause: unknown): ServerError {
  if (cause instanceof ServerError) return cause
  if (isCorruption(cause)) {
    return new ServerError(
      'store-damaged',
      `A file of the store is damaged: ${messageOf(cause)}. Stop the server and run parley verify --repair`,
      { cause },
    )
  }
  return new ServerError('store-unavailable', 'The store could not be read', { cause })
}

/** True for the error of a LevelDB that found bytes which are not what was written. */
export function isCorruption(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return [error, cause].some(
    (one) => one instanceof Error && 'code' in one && one.code === 'LEVEL_CORRUPTION',
  )
}

/** What LevelDB itself says of an error; the constructor only says that it did not open. */
export function messageOf(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined }
  return cause instanceof Error ? cause.message : message
}

/** Resolves if the disk takes what LevelDB writes when it opens. */
export async function probe(folder: string): Promise<void> {
  let bytes = PROBE_BYTES
  for (const name of await readdir(folder)) {
    if (name.endsWith('.log')) bytes += (await stat(join(folder, name))).size
  }
  const path = join(folder, PROBE_FILE)
  const file = await open(path, 'w')
  try {
    await file.writeFile(new Uint8Array(bytes))
    await file.sync()
  } finally {
    await file.close()
    await unlink(path)
  }
}
