import { closeSync, openSync, readSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as decoding from 'lib0/decoding'
import { fileName, isLog, isTable, readVersion } from './levelFiles.js'
import { compareEntries } from './levelMerge.js'
import { scanRecords } from './levelRecords.js'
import {
  type BlockPlace,
  boundsOf,
  compareKeys,
  entriesOf,
  type LevelEntry,
  scanTable,
  userKeyOf,
} from './levelTable.js'
import type { ListedTable } from './levelVersionEdits.js'

/** Keys between which entries may be missing, both included. */
export interface LostRange {
  readonly from: string
  readonly through: string
}

/** What of a database can be read, and what cannot. */
export interface LevelSources {
  /** The changes that are sound, each source in the order of its keys. */
  readonly sources: ReadonlyArray<Iterable<LevelEntry>>
  /** Where entries may be missing; `all` where nothing tells which. */
  readonly lost: readonly LostRange[] | 'all'
  /** Changes that lie in damaged blocks, or in files that are in the place of another one. Whether they are valid is not known. */
  readonly doubtful: Iterable<LevelEntry>
}

const TRAILER_BYTES = 5
/** In front of the changes of a batch: the sequence number of the first, and how many there are. */
const BATCH_HEADER_BYTES = 12

/** Finds what can be read in the files of a database that nobody has open. */
export async function openSources(location: string): Promise<LevelSources> {
  const names = (await readdir(location)).sort()
  const version = await readVersion(location)
  const lost: LostRange[] = []
  let isAllLost = version === null
  const sources: Array<Iterable<LevelEntry>> = []
  const doubtful: Array<Iterable<LevelEntry>> = []

  const addTable = async (file: string, listed: ListedTable | null): Promise<void> => {
    const loseAll = (): void => {
      if (listed) lost.push(rangeOf(userKeyOf(listed.first), userKeyOf(listed.last)))
      else isAllLost = true
    }
    const path = join(location, file)
    const bytes = await readFile(path).catch(() => null)
    if (!bytes) return loseAll()
    const table = scanTable(bytes)
    const isWhole = table.damaged.length === 0 && bytes.length === (listed?.bytes ?? bytes.length)
    const bounds = boundsOf(table)
    // Another table than the one that is listed may be older than it, or of another store. One that was cut begins alike.
    const isListed =
      !listed ||
      !bounds ||
      (isWhole || (table.damaged.length === 0 && table.reason === null)
        ? isSame(bounds, listed)
        : table.blocks[0]?.offset !== 0 || compareKeys(bounds.first, listed.first) === 0)
    if (!isListed) {
      loseAll()
      if (version && [...version.tables.values()].some((one) => isSame(bounds, one))) {
        doubtful.push(readBlocks(path, table.blocks, table.flips.length > 0 ? table.file : null))
      }
      return
    }
    sources.push(readBlocks(path, table.blocks, table.flips.length > 0 ? table.file : null))
    for (const block of table.damaged) {
      doubtful.push(readDoubtful(table.file, block))
      if (listed) {
        lost.push(rangeOf(block.from ?? userKeyOf(listed.first), block.through ?? userKeyOf(listed.last)))
      } else isAllLost = true
    }
    if (!isWhole && table.damaged.length === 0) loseAll()
  }

  if (version) {
    for (const [number, listed] of version.tables) await addTable(fileName(number, 'ldb'), listed)
  } else for (const file of names.filter(isTable)) await addTable(file, null)

  const first = version?.logNumber ?? 0
  const logs = names.filter((name) => isLog(name) && Number.parseInt(name, 10) >= first)
  if (first > 0 && !logs.includes(fileName(first, 'log'))) isAllLost = true
  for (const file of logs) {
    const { records, damagedAt, tornAt } = scanRecords(await readFile(join(location, file)))
    if (damagedAt.length > 0 || tornAt !== null) isAllLost = true
    sources.push(records.flatMap(readBatch).sort(compareEntries))
  }
  return { sources, lost: isAllLost ? 'all' : lost, doubtful: flatten(doubtful) }
}

/** True if a key may be one of those that are missing. */
export function isLost(lost: LevelSources['lost'], key: string): boolean {
  return lost === 'all' || lost.some(({ from, through }) => key >= from && key <= through)
}

/** Reads blocks one by one: a table more than that in memory would be all of them while many are merged. */
function* readBlocks(
  path: string,
  blocks: readonly BlockPlace[],
  corrected: Uint8Array | null,
): Iterable<LevelEntry> {
  for (const place of blocks) {
    if (corrected) {
      yield* entriesOf(corrected, place)
      continue
    }
    const size = place.size + TRAILER_BYTES
    const bytes = new Uint8Array(size)
    // Opened for each: there may be more tables than a process may open files.
    const file = openSync(path, 'r')
    try {
      readSync(file, bytes, 0, size, place.offset)
    } finally {
      closeSync(file)
    }
    yield* entriesOf(bytes, { offset: 0, size: place.size })
  }
}

/** The entries of a damaged block, as far as they look like some. */
function* readDoubtful(file: Uint8Array, place: BlockPlace): Iterable<LevelEntry> {
  try {
    yield* entriesOf(file, place)
  } catch {
    // The rest of it cannot be told apart.
  }
}

function* flatten(sources: ReadonlyArray<Iterable<LevelEntry>>): Iterable<LevelEntry> {
  for (const source of sources) yield* source
}

// https://github.com/google/leveldb/blob/main/db/write_batch.cc
function readBatch(record: Uint8Array): LevelEntry[] {
  const entries: LevelEntry[] = []
  const view = new DataView(record.buffer, record.byteOffset)
  const sequence = Number(view.getBigUint64(0, true))
  const decoder = decoding.createDecoder(record.subarray(BATCH_HEADER_BYTES))
  while (decoding.hasContent(decoder)) {
    const isPut = decoding.readUint8(decoder) === 1
    const key = decoding.readVarUint8Array(decoder)
    const value = isPut ? decoding.readVarUint8Array(decoder) : null
    entries.push({ key, sequence: sequence + entries.length, value })
  }
  return entries
}

function isSame(a: Pick<ListedTable, 'first' | 'last'>, b: Pick<ListedTable, 'first' | 'last'>): boolean {
  return compareKeys(a.first, b.first) === 0 && compareKeys(a.last, b.last) === 0
}

function rangeOf(from: Uint8Array, through: Uint8Array): LostRange {
  return { from: textOf(from), through: textOf(through) }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
