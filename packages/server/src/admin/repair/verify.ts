import { ServerError } from '../../errors.js'
import type { DamagedFile } from '../../log/levelFiles.js'
import type { LogStore, QuarantinedRow, Remains } from '../../log/logStore.js'
import { loadRoom } from '../../room/loadRoom.js'

/** Something of a room that is not as it was written. */
export interface Damage {
  readonly room: string
  /**
   * - `numbers`: which version the room is at. `snapshot`: the document up to a version. Without them the room is not served.
   * - `row`: an entry of the log. `gap`: entries that are not there. The rest is served.
   * - `file`: a file of the store that holds something of the room. It is not served.
   */
  readonly part: 'numbers' | 'snapshot' | 'row' | 'gap' | 'file'
  /** The version of the row or the snapshot, the first of a gap. */
  readonly version?: number
  /** The last version of a gap. */
  readonly through?: number
  readonly reason: string
}

/** What there is in a store, and in what condition. */
export interface VerifyReport {
  /** True if nothing is damaged. */
  readonly sound: boolean
  readonly rooms: number
  readonly rows: number
  readonly damage: readonly Damage[]
  /** Files of the store that are not as they were written; rooms are not looked at where LevelDB must not open them. */
  readonly files: readonly DamagedFile[]
  /** Rows that wait for something which is missing: they are applied when a client brings it. */
  readonly waiting: ReadonlyArray<{ readonly room: string; readonly versions: readonly number[] }>
  /** What was put aside earlier. It is not served, and counts as dealt with. */
  readonly quarantined: ReadonlyArray<QuarantinedRow & { readonly room: string }>
}

/** Reads all rooms of a store and changes nothing. */
export async function verifyStore(store: LogStore): Promise<VerifyReport> {
  const damage: Damage[] = []
  const waiting: Array<VerifyReport['waiting'][number]> = []
  const quarantined: Array<VerifyReport['quarantined'][number]> = []
  let rooms = 0
  let rows = 0
  for await (const room of store.rooms()) {
    rooms++
    try {
      const remains = await store.examine(room)
      rows += remains.rows.length
      const found = damageOf(room, remains)
      damage.push(...found)
      if (found.some(({ part }) => part !== 'row')) continue
      // After the rows: one that was put aside in between must not be taken for a gap.
      const aside = (await store.size(room))?.quarantined ?? []
      quarantined.push(...aside.map((row) => ({ room, ...row })))
      damage.push(...gapsOf(room, remains, aside))
      const loaded = await loadRoom({ ...store, quarantine: async () => {} }, room)
      loaded.doc.destroy()
      const known = new Set(remains.damaged.map(({ version }) => version))
      for (const { version, reason } of loaded.quarantined) {
        if (!known.has(version)) damage.push({ room, part: 'row', version, reason })
      }
      if (loaded.waiting.length > 0) {
        waiting.push({ room, versions: loaded.waiting.map(({ version }) => version) })
      }
    } catch (error) {
      if (!(error instanceof ServerError && error.code === 'store-damaged')) throw error
      damage.push({ room, part: error.cause === undefined ? 'snapshot' : 'file', reason: error.message })
    }
  }
  return { sound: damage.length === 0, rooms, rows, damage, files: [], waiting, quarantined }
}

/** What of a room cannot be read, or was put aside, each in a few words. */
export async function examineRoom(store: LogStore, room: string): Promise<string[]> {
  const remains = await store.examine(room)
  const aside = await store.size(room).then(
    (size) => size?.quarantined ?? [],
    () => [],
  )
  const damage = [...damageOf(room, remains), ...gapsOf(room, remains, aside)]
  return [
    ...damage.map(({ part, version, through, reason }) => {
      const versions = through === undefined || through === version ? version : `${version} to ${through}`
      return `${part}${version === undefined ? '' : ` ${versions}`}: ${reason}`
    }),
    ...aside.map(({ version, reason }) => `entry ${version}, in quarantine: ${reason}`),
  ]
}

function damageOf(room: string, { numbersDamage, snapshotDamage, damaged }: Remains): Damage[] {
  const found: Damage[] = damaged.map((row) => ({ room, part: 'row', ...row }))
  if (snapshotDamage !== null) found.push({ room, part: 'snapshot', reason: snapshotDamage })
  if (numbersDamage !== null) found.push({ room, part: 'numbers', reason: numbersDamage })
  return found
}

/** Versions after the snapshot that are nowhere. */
function gapsOf(
  room: string,
  { version, snapshot, rows, damaged }: Remains,
  aside: readonly QuarantinedRow[],
): Damage[] {
  const there = [...rows, ...damaged, ...aside].map((row) => row.version).sort((a, b) => a - b)
  const gaps: Damage[] = []
  let next = (snapshot?.version ?? 0) + 1
  for (const at of [...there, version + 1]) {
    if (at > next) gaps.push({ room, part: 'gap', version: next, through: at - 1, reason: 'is missing' })
    next = Math.max(next, at + 1)
  }
  return gaps
}
