import type { ServerError } from '../errors.js'
import { damaged } from './damaged.js'
import type { Level } from './levelDatabase.js'
import { type KeyRange, type RoomKeys, versionOf } from './levelKeys.js'
import type { DamagedRow, LogRow, QuarantinedRow, Remains, RoomSize, StoredRoom } from './logStore.js'
import { decodeQuarantined } from './quarantineRecord.js'
import { decodeMeta, type RoomMeta } from './roomMeta.js'
import { decodeValue } from './rowCodec.js'

/** Numbers from before rows that are there: what is written next would take the place of one of them. */
const BEHIND = 'is older than the rows'

/** So many rows are looked for one by one: more than a room has before it is compacted. */
const MAX_HIDDEN = 2_000

/** A moment of a database. */
type View = ReturnType<Level['snapshot']>

/**
 * Reads a room's numbers, those of a new room if nothing is stored of it.
 *
 * @throws ServerError with code `store-damaged`
 */
export async function readNumbers(level: Level, keys: RoomKeys, view?: View): Promise<RoomMeta> {
  const options = view ? { snapshot: view } : {}
  return orThrow(await numbersOf(level, keys, await level.get(keys.meta, options), view))
}

/**
 * Decodes a room's numbers. A room without numbers of which something else is stored is no new room: written to, it would
 * begin anew over what is there. LevelDB may fail to find a key that it has, if what it looks up first is damaged.
 */
export async function numbersOf(
  level: Level,
  keys: RoomKeys,
  value: Uint8Array | undefined,
  view?: View,
): Promise<RoomMeta | ServerError> {
  if (value) return decodeMeta(keys.meta, value)
  const options = view ? { snapshot: view, limit: 1 } : { limit: 1 }
  const itself: KeyRange = { gte: keys.meta, lt: `${keys.meta}\0` }
  for (const range of [itself, keys.allRows, keys.allSnapshots]) {
    if ((await level.keys({ ...range, ...options }).all()).length > 0) return damaged(keys.meta, 'is missing')
  }
  return decodeMeta(keys.meta, undefined)
}

/** Reads a room as {@link LogStore.load} has it. */
export async function readRoom(level: Level, keys: RoomKeys, after: number): Promise<StoredRoom> {
  const view = level.snapshot()
  try {
    const meta = await readNumbers(level, keys, view)
    const isBehind = meta.snapshotVersion > after
    const range = isBehind || after === 0 ? keys.allRows : keys.rowsAfter(after)
    const { rows, bad } = await readRows(level, range, (at) => keys.row(at), view)
    const { epoch, version, snapshotVersion } = meta
    if ((rows.at(-1)?.version ?? 0) > version) throw damaged(keys.meta, BEHIND)
    const base = { epoch, version, rows, damaged: bad }
    if (!isBehind) {
      const isGone = version > 0 && after === 0 && rows.length === 0
      // Empty it would be taken for the truth. What was put aside is known of, and was left out on purpose.
      if (isGone && (bad.length > 0 || !(await isAnythingAside(level, keys, view)))) {
        throw damaged(keys.meta, 'has no row that can be read')
      }
      return { ...base, snapshot: null }
    }
    const key = keys.snapshot(snapshotVersion)
    const value = await level.get(key, { snapshot: view })
    const update = value ? decodeValue(key, value) : { damage: 'is missing' }
    // Without it the rows are not the document. Nothing is served until somebody has looked.
    if (!(update instanceof Uint8Array)) throw damaged(key, update.damage)
    return { ...base, snapshot: { version: snapshotVersion, update } }
  } finally {
    await view.close()
  }
}

/** Reads what is left of a room. A snapshot that is not the last one holds what its rows did, and counts as one of them. */
export async function readRemains(level: Level, keys: RoomKeys): Promise<Remains> {
  const view = level.snapshot()
  try {
    const numbers = await numbersOf(level, keys, await level.get(keys.meta, { snapshot: view }), view)
    const meta = 'code' in numbers ? null : numbers
    const { rows, bad } = await readRows(level, keys.allRows, (at) => keys.row(at), view)
    const snapshots = await readRows(level, keys.allSnapshots, (at) => keys.snapshot(at), view)
    if (meta) await findHidden(level, keys, view, meta, { rows, bad })
    const aside = await level.keys({ ...keys.allQuarantined, snapshot: view }).all()
    const last = greatest([...snapshots.rows, ...snapshots.bad], meta?.snapshotVersion)
    const snapshot = snapshots.rows.find(({ version }) => version === last) ?? null
    const seen = Math.max(last, greatest([...rows, ...bad]), ...aside.map(versionOf))
    const isBehind = meta !== null && greatest(rows) > meta.version
    return {
      epoch: meta?.epoch ?? 0,
      version: Math.max(meta?.version ?? 0, seen),
      snapshot,
      rows: [...snapshots.rows.filter((one) => one !== snapshot), ...rows],
      damaged: bad,
      snapshotDamage:
        snapshots.bad.find(({ version }) => version === last)?.reason ??
        (last > 0 && !snapshot ? 'is missing' : null),
      numbersDamage: 'code' in numbers ? numbers.message : isBehind ? BEHIND : null,
    }
  } finally {
    await view.close()
  }
}

/** How much is stored of a room, `null` if there is no such room. */
export async function readSize(level: Level, keys: RoomKeys): Promise<RoomSize | null> {
  const { epoch, version, snapshotVersion } = await readNumbers(level, keys)
  if (version === 0) return null
  let rowCount = 0
  let rowBytes = 0
  for await (const row of level.values(keys.allRows)) {
    rowCount++
    rowBytes += row.byteLength
  }
  const quarantined: QuarantinedRow[] = []
  for await (const [key, record] of level.iterator(keys.allQuarantined)) {
    quarantined.push({ version: versionOf(key), ...decodeQuarantined(key, record) })
  }
  const snapshotBytes = (await level.get(keys.snapshot(snapshotVersion)))?.byteLength ?? 0
  return { epoch, version, snapshotVersion, snapshotBytes, rowCount, rowBytes, quarantined }
}

/**
 * Looks one by one for rows that going through them does not come by: behind a key that is not where it belongs LevelDB takes
 * those that follow for older editions of it.
 */
async function findHidden(
  level: Level,
  keys: RoomKeys,
  view: View,
  { version, snapshotVersion }: RoomMeta,
  { rows, bad }: { rows: LogRow[]; bad: DamagedRow[] },
): Promise<void> {
  const found = new Set([...rows, ...bad].map((row) => row.version))
  const first = Math.max(snapshotVersion + 1, version - MAX_HIDDEN)
  for (let at = first; at <= version; at++) {
    if (found.has(at)) continue
    const key = keys.row(at)
    const value = await level.get(key, { snapshot: view })
    const update = value && decodeValue(key, value)
    if (update instanceof Uint8Array) rows.push({ version: at, update })
  }
  rows.sort((a, b) => a.version - b.version)
}

async function isAnythingAside(level: Level, keys: RoomKeys, view: View): Promise<boolean> {
  return (await level.keys({ ...keys.allQuarantined, limit: 1, snapshot: view }).all()).length > 0
}

async function readRows(
  level: Level,
  range: object,
  keyOf: (version: number) => string,
  view: View,
): Promise<{ rows: LogRow[]; bad: DamagedRow[] }> {
  const rows: LogRow[] = []
  const bad: DamagedRow[] = []
  for await (const [key, value] of level.iterator({ ...range, snapshot: view })) {
    const version = versionOf(key)
    // A key that was never written: the file it is in is damaged, and what it was is missing where it belongs.
    if (keyOf(version) !== key) continue
    const update = decodeValue(key, value)
    if (update instanceof Uint8Array) rows.push({ version, update })
    else bad.push({ version, reason: update.damage })
  }
  return { rows, bad }
}

function greatest(rows: ReadonlyArray<{ version: number }>, least = 0): number {
  return rows.reduce((most, { version }) => Math.max(most, version), least)
}

function orThrow(meta: RoomMeta | ServerError): RoomMeta {
  if ('code' in meta) throw meta
  return meta
}
