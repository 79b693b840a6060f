import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LEVEL_FOLDER } from './levelCopies.js'
import { scanRecords } from './levelRecords.js'
import { readVersionEdits } from './levelVersionEdits.js'

/** A file of a store that is not as it was written. */
export interface DamagedFile {
  readonly file: string
  readonly reason: string
  /**
   * True if nothing but the end of the file is missing, as when the power fails during a write: what was acknowledged is
   * there, unless the disk said that it had written what it had not.
   */
  readonly torn: boolean
}

const CURRENT = 'CURRENT'

/**
 * Looks at the files of the database in a data folder, before LevelDB does: it passes over damaged records of its log, begins
 * anew where the list of files is gone, and removes what it does not know.
 */
export async function checkLevelFiles(folder: string): Promise<DamagedFile[]> {
  const location = join(folder, LEVEL_FOLDER)
  const names = await readdir(location).catch(() => [] as string[])
  const damaged: DamagedFile[] = []
  const report = (file: string, reason: string, torn = false): void =>
    void damaged.push({ file, reason, torn })
  const check = async (file: string): Promise<readonly Uint8Array[]> => {
    const { records, damagedAt, tornAt } = scanRecords(await readFile(join(location, file)))
    for (const at of damagedAt) report(file, `the record at byte ${at} is damaged`)
    if (tornAt !== null) report(file, `it breaks off within the record at byte ${tornAt}`, true)
    return records
  }
  const missing = (file: string): void => report(file, 'it is missing')

  for (const file of names.filter((name) => /^\d+\.log$/.test(name)).sort()) await check(file)
  if (!names.includes(CURRENT)) {
    // A database that was never finished being made has neither.
    if (names.some((name) => /^\d+\.(log|ldb)$/.test(name))) missing(CURRENT)
    return damaged
  }
  const manifest = (await readFile(join(location, CURRENT), 'utf8')).trim()
  if (!/^MANIFEST-\d+$/.test(manifest)) {
    report(CURRENT, 'it names no list of files')
    return damaged
  }
  if (!names.includes(manifest)) {
    missing(manifest)
    return damaged
  }
  const edits = readVersionEdits(await check(manifest))
  if (!edits) {
    report(manifest, 'it cannot be read')
    return damaged
  }
  const { logNumber, tables } = edits
  if (logNumber > 0 && !names.includes(fileName(logNumber, 'log'))) missing(fileName(logNumber, 'log'))
  for (const [number, bytes] of tables) {
    const file = fileName(number, 'ldb')
    const size = await stat(join(location, file)).then(
      ({ size }) => size,
      () => null,
    )
    if (size === null) missing(file)
    else if (size !== bytes) report(file, `it has ${size} bytes instead of ${bytes}`)
  }
  return damaged
}

function fileName(number: number, extension: string): string {
  return `${String(number).padStart(6, '0')}.${extension}`
}
