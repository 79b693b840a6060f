import { type ChannelKey, type Conversation, ParleyError } from '@parley/core'
import { createChannelPlaces } from './channelPlaces.js'
import { advanceRow, decodeIndexRow, encodeIndexRow, type IndexRow, stampRow } from './indexRow.js'
import { createRowTable, type RowColumns } from './rowTable.js'
import { shownOf } from './shown.js'

/** Versions that no row of the log has, so that nobody can tell what a client who names one has: both ends excluded. */
export interface VersionGap {
  readonly after: number
  readonly before: number
}

/** A version index as it is stored: plain JSON. Rows are lines, to be kept one by one. */
export interface StoredVersionIndex {
  readonly head: number
  readonly time: number
  readonly gaps: readonly VersionGap[]
  readonly rows: Readonly<Record<ChannelKey, string>>
}

/** What a row of the log changed in the index. Store it in one commit with that row. */
export type VersionIndexChange = StoredVersionIndex

/** Which version changed which conversation last, as far as clients can see it. */
export interface VersionIndex {
  /** The version of the last row of the log that is taken in; no answer may name a greater one. */
  readonly head: number
  /** The time as of which mutes are looked at, in milliseconds since 1970. */
  readonly time: number
  get: (key: ChannelKey) => IndexRow | undefined
  /** How many conversations it has rows of. */
  readonly size: number
  /** Each stays in its place: new ones come after them. */
  readonly rows: Iterable<readonly [ChannelKey, IndexRow]>
  readonly columns: RowColumns
  /** The place of a conversation among the rows, from 0; `undefined` if there is no row of it. */
  placeOf: (channelId: string, channelType: number) => number | undefined
  /**
   * Takes in a row of the log: the conversations it touched, as they are after it. One row at a time, in order: of several
   * at once, what changed and changed back would never be told. A version that was taken in before changes nothing.
   */
  integrate: (version: number, touched: Iterable<Conversation>) => VersionIndexChange
  /** When the first of the mutes that stand ends, in milliseconds since 1970; infinity if none does. */
  readonly nextDue: number
  /** The conversations whose mute ended since {@link VersionIndex.time}. Give them an empty row of the log and take it in with `pass`. */
  due: (now: number) => ChannelKey[]
  /** Takes in a row of the log that holds nothing but the passing of time. */
  pass: (version: number, now: number, due: Iterable<Conversation>) => VersionIndexChange
  /**
   * Takes in that the log was restored from a backup: every conversation is stamped with `version`, which must be above
   * every version ever handed out, and those from the backup's last to that one name nothing.
   */
  restored: (version: number) => VersionIndexChange
  /** False for versions that were never handed out, or not of this history: their bearers are answered in full. */
  isKnown: (version: number) => boolean
  store: () => StoredVersionIndex
}

/**
 * Creates a version index, empty or from what was stored of one.
 *
 * @example
 * ```ts
 * import { createStore } from '@parley/core'
 * import { createVersionIndex, selectConversations } from '@parley/wukong'
 *
 * const store = createStore({ userId: 'alice' })
 * const bob = store.conversation({ channelId: 'bob', channelType: 1 })
 * const index = createVersionIndex()
 * store.receive({ channel: bob.channel, messageSeq: 1, fromUid: 'bob', timestamp: 0 })
 * index.integrate(1, [bob.getSnapshot()])
 * selectConversations(index, { version: 0, held: new Map() }).items // [{ key: '1:bob', version: 1, deleted: false }]
 * ```
 */
export function createVersionIndex(stored?: StoredVersionIndex): VersionIndex {
  const rows = createRowTable()
  const { columns } = rows
  let head = stored?.head ?? 0
  let time = stored?.time ?? 0
  const gaps: VersionGap[] = [...(stored?.gaps ?? [])]
  for (const [key, line] of Object.entries(stored?.rows ?? {})) {
    const row = decodeIndexRow(line)
    if (!row)
      throw new ParleyError('invalid-argument', `rows[${key}] must be a stored row`, { field: 'rows' })
    rows.set(key, row)
  }
  const places = createChannelPlaces(rows.places)
  /** When the first of the mutes that stand ends; `null` while that must be looked for. */
  let firstEnd: number | null = null

  const findFirstEnd = (): number => {
    let first = Number.POSITIVE_INFINITY
    for (const end of columns.mutedUntil) if (end > time && end < first) first = end
    return first
  }

  const nextDue = (): number => {
    firstEnd ??= findFirstEnd()
    return firstEnd
  }

  const change = (changed: Iterable<readonly [ChannelKey, IndexRow]>): VersionIndexChange => ({
    head,
    time,
    gaps: [...gaps],
    rows: Object.fromEntries([...changed].map(([key, row]) => [key, encodeIndexRow(row)])),
  })

  const compare = (version: number, conversations: Iterable<Conversation>): VersionIndexChange => {
    const changed = new Map<ChannelKey, IndexRow>()
    for (const conversation of conversations) {
      const known = rows.get(conversation.key)
      const advanced = advanceRow(known, shownOf(conversation, time), version)
      // After a restore a client may have an extra of a conversation that this history hears of for the first time.
      const next = known || gaps.length === 0 ? advanced : stampRow(advanced, version)
      if (next === known) continue
      rows.set(conversation.key, next)
      changed.set(conversation.key, next)
    }
    head = version
    firstEnd = null
    return change(changed)
  }

  return {
    get head() {
      return head
    },
    get time() {
      return time
    },
    get: (key) => rows.get(key),
    get size() {
      return rows.size
    },
    rows,
    columns,
    placeOf: places.of,
    integrate: (version, touched) => (version <= head ? change([]) : compare(version, touched)),
    get nextDue() {
      return nextDue()
    },
    due(now) {
      // Asked before each answer, and as a rule there is nothing.
      if (nextDue() > now) return []
      const ended: ChannelKey[] = []
      for (const [place, end] of columns.mutedUntil.entries()) {
        if (end > time && end <= now) ended.push(columns.key[place] as ChannelKey)
      }
      return ended
    },
    pass(version, now, due) {
      if (version <= head) return change([])
      time = Math.max(time, now)
      return compare(version, due)
    },
    restored(version) {
      gaps.push({ after: head, before: version })
      head = version
      for (const [key, row] of rows) rows.set(key, stampRow(row, version))
      return change(rows)
    },
    isKnown: (version) =>
      version >= 0 &&
      version <= head &&
      !gaps.some(({ after, before }) => version > after && version < before),
    store: () => change(rows),
  }
}

/**
 * Makes an index anew that was lost: every conversation counts as changed at the head of the log, for nobody knows any more
 * when it was.
 */
export function rebuildVersionIndex(
  head: number,
  conversations: Iterable<Conversation>,
  { time = 0, gaps = [] }: { readonly time?: number; readonly gaps?: readonly VersionGap[] } = {},
): VersionIndex {
  const rows = [...conversations].map((conversation) => {
    const row = stampRow(advanceRow(undefined, shownOf(conversation, time), head), head)
    return [conversation.key, encodeIndexRow(row)]
  })
  return createVersionIndex({ head, time, gaps, rows: Object.fromEntries(rows) })
}
