import { mkdir, readFile, realpath, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ServerError } from '../errors.js'
import { restrictToOwner } from './restrictToOwner.js'

/** A data folder that nobody else in this process may use. */
export interface FolderLock {
  /** The folder's real path. */
  readonly folder: string
  /** Writes down that this process has the folder, once LevelDB has said so too. */
  claim: () => Promise<void>
  /** True if a process that runs wrote down that it has the folder. It may also be another one by the same number. */
  isClaimed: () => Promise<boolean>
  /** The error for a folder that another process uses. */
  conflict: (cause?: unknown) => Promise<ServerError>
  /** May be called twice. */
  release: () => Promise<void>
}

interface Owner {
  readonly pid: number
  /** When the process started, in milliseconds since 1970: a container gives all processes of its kind the same pid. */
  readonly started: number
}

const LOCK_FILE = 'parley.lock'
/** The wall clock may be set between two looks at the same process. */
const START_TOLERANCE_MS = 10_000

// One registry for the process, whichever copy of this module asks: a second open of a LevelDB in one process fails, and
// in failing lets go of the lock that keeps other processes out.
const REGISTRY = Symbol.for('parley.lockedFolders')
const registry = globalThis as { [REGISTRY]?: Set<string> }

/**
 * Creates a data folder if need be and takes it within this process.
 *
 * Against other processes LevelDB's own lock decides, for it ends with its process however that ends. The file written
 * here keeps out another thread of the same process, which has another registry, and tells who has the folder.
 *
 * @throws ServerError with code `store-locked`
 */
export async function lockFolder(path: string): Promise<FolderLock> {
  // Conversations are private: other users of the machine have no business in there.
  await mkdir(path, { recursive: true, mode: 0o700 })
  const folder = await realpath(path)
  await restrictToOwner(folder)
  const file = join(folder, LOCK_FILE)
  registry[REGISTRY] ??= new Set()
  const locked = registry[REGISTRY]
  if (locked.has(folder)) throw inUse(folder, 'this process')
  locked.add(folder)
  const release = async (): Promise<void> => {
    if (!locked.has(folder)) return
    const owner = await readOwner(file)
    if (owner && isThisProcess(owner)) await unlink(file).catch(() => {})
    locked.delete(folder)
  }
  const present = await readOwner(file)
  if (present && isThisProcess(present)) {
    locked.delete(folder)
    throw inUse(folder, 'another thread of this process')
  }
  return {
    folder,
    async claim() {
      // LevelDB has created files by now that all may read.
      await restrictToOwner(folder)
      const mine: Owner = { pid: process.pid, started: processStart() }
      await writeFile(`${file}.new`, JSON.stringify(mine), { mode: 0o600 })
      await rename(`${file}.new`, file)
    },
    async isClaimed() {
      const owner = await readOwner(file)
      return owner !== null && owner.pid !== process.pid && isRunning(owner.pid)
    },
    async conflict(cause) {
      const owner = await readOwner(file)
      return inUse(folder, owner ? `process ${owner.pid}` : 'another process', cause)
    },
    release,
  }
}

async function readOwner(file: string): Promise<Owner | null> {
  try {
    const owner: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (typeof owner === 'object' && owner !== null && 'pid' in owner && 'started' in owner) {
      if (typeof owner.pid === 'number' && typeof owner.started === 'number') {
        return { pid: owner.pid, started: owner.started }
      }
    }
  } catch {
    // No file, or one that was cut off: nobody says that they have the folder.
  }
  return null
}

function isThisProcess(owner: Owner): boolean {
  return owner.pid === process.pid && Math.abs(owner.started - processStart()) < START_TOLERANCE_MS
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It runs, and is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function processStart(): number {
  return Math.round(Date.now() - process.uptime() * 1000)
}

function inUse(folder: string, by: string, cause?: unknown): ServerError {
  return new ServerError('store-locked', `The data folder ${folder} is in use by ${by}`, { cause })
}
