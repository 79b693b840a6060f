import { open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BitPlace } from './crc32.js'
import { copyDatabase, LEVEL_FOLDER } from './levelCopies.js'
import { scanRecords } from './levelRecords.js'
import { boundsOf, compareKeys, scanTable } from './levelTable.js'
import { type LevelVersion, type ListedTable, readVersionEdits } from './levelVersionEdits.js'

/** A file of a store that is not as it was written. */
export interface DamagedFile {
  readonly file: string
  readonly reason: string
  /**
   * True if nothing but the end of the file is missing, as when the power fails during a write: what was acknowledged is
   * there, unless the disk said that it had written what it had not.
   */
  readonly torn: boolean
  /** True if nothing is lost: what is wrong follows from the rest, such as a single bit from its checksum. */
  readonly correctable: boolean
}

const CURRENT = 'CURRENT'

/**
 * Looks at the files of the database in a data folder, before LevelDB does: it passes over damaged records of its log, begins
 * anew where the list of files is gone, removes what it does not know, and takes what it finds in a table for what was written.
 */
export async function checkLevelFiles(folder: string): Promise<DamagedFile[]> {
  const location = join(folder, LEVEL_FOLDER)
  const names = await readdir(location).catch(() => [] as string[])
  const damaged: DamagedFile[] = []
  const report = (file: string, reason: string, kind: { torn?: true; correctable?: true } = {}): void =>
    void damaged.push({ file, reason, torn: false, correctable: false, ...kind })
  const reportFlips = (file: string, flips: readonly BitPlace[]): void => {
    for (const { at, bit } of flips)
      report(file, `bit ${bit} of the byte at ${at} is flipped`, { correctable: true })
  }
  const missing = (file: string): void => report(file, 'it is missing')
  const check = async (file: string): Promise<readonly Uint8Array[]> => {
    const { records, flips, damagedAt, tornAt } = scanRecords(await readFile(join(location, file)))
    reportFlips(file, flips)
    for (const at of damagedAt) report(file, `the record at byte ${at} is damaged`)
    if (tornAt !== null) report(file, `it breaks off within the record at byte ${tornAt}`, { torn: true })
    return records
  }
  const checkTable = async (file: string, listed: ListedTable): Promise<void> => {
    const bytes = await readFile(join(location, file)).catch(() => null)
    if (!bytes) return missing(file)
    if (bytes.length !== listed.bytes)
      return report(file, `it has ${bytes.length} bytes instead of ${listed.bytes}`)
    const table = scanTable(bytes)
    reportFlips(file, table.flips)
    if (table.reason !== null) return report(file, table.reason)
    for (const { offset } of table.damaged) report(file, `the block at byte ${offset} is damaged`)
    const bounds = table.damaged.length > 0 ? null : boundsOf(table)
    const isOther =
      bounds && (compareKeys(bounds.first, listed.first) || compareKeys(bounds.last, listed.last))
    if (isOther) report(file, 'it is another table than the one that is listed')
  }

  for (const file of names.filter(isLog).sort()) await check(file)
  const hasData = names.some((name) => isLog(name) || isTable(name))
  // A database that was never finished being made has neither.
  if (!names.includes(CURRENT) && !hasData) return damaged
  const named = await readCurrent(location)
  const manifest = named ?? (await findManifest(location))
  if (named === null) {
    const reason = names.includes(CURRENT) ? 'it names no list of files that is there' : 'it is missing'
    report(CURRENT, reason, manifest === null ? {} : { correctable: true })
  }
  if (manifest === null) return damaged
  const edits = readVersionEdits(await check(manifest))
  if (!edits) {
    report(manifest, 'it cannot be read')
    return damaged
  }
  const { logNumber, tables } = edits
  if (logNumber > 0 && !names.includes(fileName(logNumber, 'log'))) missing(fileName(logNumber, 'log'))
  for (const [number, listed] of tables) await checkTable(fileName(number, 'ldb'), listed)
  return damaged
}

/**
 * Writes files as they were before single bits of them were flipped. The files as they are now are kept in a copy.
 *
 * @param damaged what {@link checkLevelFiles} found
 * @returns the path of the copy
 */
export async function correctLevelFiles(
  folder: string,
  damaged: readonly DamagedFile[],
  now: number,
): Promise<string> {
  const location = join(folder, LEVEL_FOLDER)
  const copy = await copyDatabase(folder, now)
  const files = new Set(damaged.flatMap(({ file, correctable }) => (correctable ? [file] : [])))
  for (const file of files) {
    if (file === CURRENT) {
      await replaceFile(location, file, Buffer.from(`${await findManifest(location)}\n`))
      continue
    }
    const bytes = new Uint8Array(await readFile(join(location, file)))
    const { flips } = isTable(file) ? scanTable(bytes) : scanRecords(bytes)
    for (const { at, bit } of flips) bytes[at] = (bytes[at] as number) ^ (1 << bit)
    await replaceFile(location, file, bytes)
  }
  return copy
}

/** What the list of files says, as far as it can be read; `null` if it cannot. */
export async function readVersion(location: string): Promise<LevelVersion | null> {
  const manifest = (await readCurrent(location)) ?? (await findManifest(location))
  if (manifest === null) return null
  const { records, damagedAt, tornAt } = scanRecords(await readFile(join(location, manifest)))
  return damagedAt.length > 0 || tornAt !== null ? null : readVersionEdits(records)
}

/** The list of files that `CURRENT` names; `null` if it names none that is there. LevelDB wants the line to end. */
async function readCurrent(location: string): Promise<string | null> {
  const text = await readFile(join(location, CURRENT), 'latin1').catch(() => '')
  const [, manifest] = /^(MANIFEST-\d+)\n$/.exec(text) ?? []
  if (manifest === undefined) return null
  const isThere = await stat(join(location, manifest)).then(
    (found) => found.isFile(),
    () => false,
  )
  return isThere ? manifest : null
}

/** The list of files, if there is one only. */
async function findManifest(location: string): Promise<string | null> {
  const found = (await readdir(location)).filter((name) => /^MANIFEST-\d+$/.test(name))
  return found.length === 1 ? (found[0] as string) : null
}

/** Puts a file in the place of another one, which is there until the new one is durable. */
async function replaceFile(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, `${name}.corrected`)
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(path, join(folder, name))
}

export const isLog = (name: string): boolean => /^\d+\.log$/.test(name)
export const isTable = (name: string): boolean => /^\d+\.ldb$/.test(name)

/** A file of the database by its number. */
export function fileName(number: number, extension: 'log' | 'ldb'): string {
  return `${String(number).padStart(6, '0')}.${extension}`
}
