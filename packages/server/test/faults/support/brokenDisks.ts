import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A data folder whose disk can be made to refuse writes, in earnest: by the system, with its own errors. */
export interface BrokenDisk {
  readonly folder: string
  /** From now on it refuses. */
  harm: () => Promise<void>
  /** From now on it does not. */
  mend: () => Promise<void>
  /** What the system says of it. */
  readonly says: RegExp
}

const MIB = 1024 * 1024
/** Enough for what the tests write before it is full. */
const SMALL_DISK_BYTES = 48 * MIB
/** Somebody other than root, whom permissions bind. */
const NOBODY = 65_534

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-disk-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const isRoot = process.getuid?.() === 0

/** True where file systems may be mounted: root in a container may not always. */
export function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return isRoot
  } catch {
    return false
  }
}

/** A small file system of its own, which is filled. */
export async function fullDisk(): Promise<BrokenDisk> {
  const mounted = await newFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK_BYTES}`, 'tmpfs', mounted])
  onTestFinished(() => void execFileSync('umount', ['--lazy', mounted]))
  const filler = join(mounted, 'filler')
  return {
    folder: join(mounted, 'data'),
    async harm() {
      const file = await open(filler, 'a')
      try {
        for (let size = MIB; size > 0; ) {
          const { bytesWritten } = await file.write(new Uint8Array(size)).catch(() => ({ bytesWritten: 0 }))
          if (bytesWritten < size) size = Math.floor(size / 2)
        }
      } finally {
        await file.close()
      }
    },
    mend: () => rm(filler, { force: true }),
    says: /No space left on device/,
  }
}

/** A limit to the size of files, as `ulimit -f` sets it: the system refuses what goes beyond. */
export async function limitedFiles(maxBytes: number): Promise<BrokenDisk> {
  const limit = (bytes: number | 'unlimited'): void =>
    void execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`])
  onTestFinished(() => limit('unlimited'))
  return {
    folder: join(await newFolder(), 'data'),
    harm: async () => limit(maxBytes),
    mend: async () => limit('unlimited'),
    says: /File too large/,
  }
}

/** A folder in which nothing can be created any more. Root may anyway, so it is somebody else's and used as them. */
export async function readOnlyFolder(): Promise<BrokenDisk> {
  const base = await newFolder()
  const folder = join(base, 'data')
  await mkdir(folder)
  if (isRoot) {
    await chmod(base, 0o755)
    await chown(folder, NOBODY, NOBODY)
    process.seteuid?.(NOBODY)
    onTestFinished(() => process.seteuid?.(0))
  }
  const chmodAll = async (mode: number): Promise<void> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    for (const entry of entries)
      if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), mode)
    await chmod(folder, mode)
  }
  onTestFinished(() => chmodAll(0o700))
  return {
    folder,
    harm: () => chmodAll(0o500),
    mend: () => chmodAll(0o700),
    says: /Permission denied/,
  }
}
