import { statfs } from 'node:fs/promises'
import { ServerError } from '../errors.js'
import type { LogStore } from './logStore.js'

export interface DiskFloorOptions {
  /** A folder on the disk that is watched. */
  folder: string
  /** With less than this free nothing more is appended; on a small disk, with less than a twentieth of it. */
  minFreeBytes: number
  /** How often the disk is looked at, in milliseconds. */
  intervalMs?: number
  /** Tells how much is free and how large the disk is, in bytes. */
  measure?: (folder: string) => Promise<DiskSpace>
}

/** How much of a disk there is. */
export interface DiskSpace {
  readonly free: number
  readonly size: number
}

const INTERVAL_MS = 5_000
const MIN_FREE_SHARE = 1 / 20

/**
 * Puts a floor under a store: before the disk is full it takes no more updates, but goes on reading, compacting, and noting whose
 * tokens are not to be taken. A disk without any space left can do none of these, and what else is on it suffers too.
 */
export async function withDiskFloor(
  store: LogStore,
  { folder, minFreeBytes, intervalMs = INTERVAL_MS, measure = measureDisk }: DiskFloorOptions,
): Promise<LogStore> {
  let isLow = false
  const look = async (): Promise<void> => {
    try {
      const { free, size } = await measure(folder)
      isLow = free < Math.min(minFreeBytes, size * MIN_FREE_SHARE)
    } catch {
      // What cannot be measured is no reason to refuse: the store itself knows whether it can write.
      isLow = false
    }
  }
  await look()
  const timer = setInterval(() => void look(), intervalMs)
  timer.unref()
  const guard = (): void => {
    if (isLow) throw new ServerError('store-unavailable', 'There is almost no space left on the disk')
  }
  return {
    ...store,
    async append(room, update) {
      guard()
      return store.append(room, update)
    },
    async appendOwn(room, own) {
      guard()
      return store.appendOwn(room, own)
    },
    async check() {
      guard()
      await store.check()
    },
    async close() {
      clearInterval(timer)
      await store.close()
    },
  }
}

async function measureDisk(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { free: bavail * bsize, size: blocks * bsize }
}
