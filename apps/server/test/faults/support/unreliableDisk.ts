import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, realpath, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newFolder } from '../../support/parley.js'

/** A data folder on a disk that can be told to fail. */
export interface UnreliableDisk {
  readonly folder: string
  /** What a process needs to be given to have its files there. */
  readonly env: Record<string, string>
  /** From now on every sync fails, or does not return; or all is well. */
  tell: (what: 'fail' | 'hang' | 'work') => Promise<void>
  /** Takes away all that was not synced, as a power cut does; returns how many bytes that were. No process may be using it. */
  cutPower: () => Promise<number>
}

const SOURCE = fileURLToPath(new URL('unreliableDisk.c', import.meta.url))

/** Creates an empty data folder on an {@link UnreliableDisk}; its library is compiled for it. */
export async function createUnreliableDisk(): Promise<UnreliableDisk> {
  const base = await realpath(await newFolder())
  const [folder, control] = [join(base, 'data'), join(base, 'control')]
  await Promise.all([folder, control].map((path) => mkdir(path)))
  const library = join(control, 'unreliableDisk.so')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, SOURCE, '-ldl'])
  const journal = join(control, 'journal')
  return {
    folder,
    env: { LD_PRELOAD: library, PARLEY_DISK_FOLDER: folder, PARLEY_DISK_CONTROL: control },
    async tell(what) {
      for (const other of ['fail', 'hang'])
        if (other !== what) await rm(join(control, other), { force: true })
      if (what !== 'work') await writeFile(join(control, what), '')
    },
    async cutPower() {
      const synced = readJournal(await readFile(journal, 'utf8'))
      const kept: string[] = []
      let lost = 0
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (entry.isDirectory()) continue
        const path = join(entry.parentPath, entry.name)
        const { ino, size } = await stat(path)
        const length = synced.get(String(ino))
        lost += Math.max(0, size - (length ?? 0))
        if (length === undefined) await rm(path)
        else {
          if (length < size) await truncate(path, length)
          kept.push(`synced ${ino} ${length}\n`)
        }
      }
      await writeFile(journal, kept.join(''))
      return lost
    },
  }
}

/** How many bytes of each inode were synced. */
function readJournal(text: string): Map<string, number> {
  const synced = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [what, inode = '', bytes] = line.split(' ')
    if (what === 'synced') synced.set(inode, Number(bytes))
    else if (what === 'named') synced.set(inode, synced.get(inode) ?? 0)
    else if (what === 'gone') synced.delete(inode)
  }
  return synced
}
