import type { ChannelKey } from '@parley/core'
import type { IndexRow } from './indexRow.js'
import type { ShownState } from './shown.js'

/**
 * What every answer looks at of every conversation, each at the conversation's place among the rows. Lists of numbers are gone
 * through many times as fast as ten thousand rows that lie anywhere in memory. Named as the members of a row.
 */
export interface RowColumns {
  readonly key: readonly ChannelKey[]
  readonly state: readonly ShownState[]
  readonly version: readonly number[]
  readonly extraVersion: readonly number[]
  readonly reminderVersion: readonly number[]
  readonly headSeq: readonly number[]
  readonly mutedUntil: readonly number[]
}

/** The rows of a version index by the keys of their conversations. Each stays in its place: new ones come after them. */
export interface RowTable extends Iterable<readonly [ChannelKey, IndexRow]> {
  readonly size: number
  readonly places: ReadonlyMap<ChannelKey, number>
  readonly columns: RowColumns
  get: (key: ChannelKey) => IndexRow | undefined
  set: (key: ChannelKey, row: IndexRow) => void
}

/** Creates an empty {@link RowTable}. */
export function createRowTable(): RowTable {
  const places = new Map<ChannelKey, number>()
  const rows: IndexRow[] = []
  const columns = {
    key: [] as ChannelKey[],
    state: [] as ShownState[],
    version: [] as number[],
    extraVersion: [] as number[],
    reminderVersion: [] as number[],
    headSeq: [] as number[],
    mutedUntil: [] as number[],
  }

  return {
    get size() {
      return rows.length
    },
    places,
    columns,
    get(key) {
      const place = places.get(key)
      return place === undefined ? undefined : rows[place]
    },
    set(key, row) {
      const place = places.get(key) ?? rows.length
      places.set(key, place)
      rows[place] = row
      columns.key[place] = key
      columns.state[place] = row.state
      columns.version[place] = row.version
      columns.extraVersion[place] = row.extraVersion
      columns.reminderVersion[place] = row.reminderVersion
      columns.headSeq[place] = row.headSeq
      columns.mutedUntil[place] = row.mutedUntil
    },
    *[Symbol.iterator]() {
      for (const [key, place] of places) yield [key, rows[place] as IndexRow]
    },
  }
}
