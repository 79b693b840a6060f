import { type ChannelKey, type Conversation, createStore, parseChannelKey } from '@parley/core'
import {
  createVersionIndex,
  type IndexRow,
  rebuildVersionIndex,
  type StoredVersionIndex,
  type VersionIndex,
} from '@parley/wukong'
import * as Y from 'yjs'
import type { LogRow, LogStore } from '../log/logStore.js'
import { applyRow } from '../room/applyRow.js'
import { DOCUMENT_GUID } from '../room/loadRoom.js'

/** The name of the value beside a room's log. */
export const INDEX_VALUE = 'version-index'

/** Takes in what a row of the log did to a conversation, as far as it shows. */
export type NoteRow = (
  version: number,
  key: ChannelKey,
  before: IndexRow | undefined,
  after: IndexRow,
) => void

/** What a row of the log touched; `now` if it holds nothing but the passing of time. */
export interface TouchedByRow {
  readonly version: number
  readonly conversations: readonly Conversation[]
  readonly now?: number
}

/** Takes a row of the log into an index, and notes what it did. */
export function integrateRow(
  index: VersionIndex,
  { version, conversations, now }: TouchedByRow,
  note: NoteRow,
): void {
  const before = new Map(conversations.map(({ key }) => [key, index.get(key)]))
  if (now === undefined) index.integrate(version, conversations)
  else index.pass(version, now, conversations)
  for (const [key, row] of before) {
    const after = index.get(key)
    if (after && after !== row) note(version, key, row, after)
  }
}

/** A version index that goes up to the end of the log. */
export interface LoadedIndex {
  readonly index: VersionIndex
  /** True if it need not be stored: whoever loads it next has nothing to replay. */
  readonly isStored: boolean
}

/** Keeps a version index beside the log of a room. */
export async function storeIndex(log: LogStore, room: string, index: VersionIndex): Promise<void> {
  await log.values.write(`room:${room}`, new Map([[INDEX_VALUE, encodeIndex(index)]]))
}

/** The stored form of a version index. */
export function encodeIndex(index: VersionIndex): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(index.store()))
}

/**
 * Reads the version index of a room and brings it up to the end of the log: row by row, for of several at once what changed
 * and changed back would not be told. Where rows became part of a snapshot without an index that had seen them, all that is
 * in the snapshot counts as changed with it.
 *
 * @param note told of the rows that the stored index had not seen
 */
export async function loadIndex(log: LogStore, room: string, note: NoteRow): Promise<LoadedIndex> {
  // Before the log: an index that is older than it is brought up to date, one that is newer is of no use.
  const stored = await readStored(log, room)
  const { version, snapshot, rows } = await log.load(room)
  const snapshotVersion = snapshot?.version ?? 0
  const kept = stored && stored.head >= snapshotVersion && stored.head <= version ? stored : null
  if (kept?.head === version) return { index: createVersionIndex(kept), isStored: true }
  const from = kept?.head ?? snapshotVersion

  const doc = new Y.Doc({ guid: DOCUMENT_GUID })
  if (snapshot) Y.applyUpdate(doc, snapshot.update)
  let waiting: LogRow[] = []
  const apply = (row: LogRow): void => {
    waiting.push(row)
    for (let before = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < before; ) {
      before = waiting.length
      waiting = waiting.filter((one) => applyRow(doc, one) === 'gap')
    }
  }
  for (const row of rows) if (row.version <= from) apply(row)

  const store = createStore({ userId: room, doc })
  const snapshotOf = (key: ChannelKey) => store.conversation(parseChannelKey(key)).getSnapshot()
  let touched = new Set<ChannelKey>()
  store.onTouch((keys) => {
    for (const key of keys) touched.add(key)
  })
  try {
    const index = kept
      ? createVersionIndex(kept)
      : rebuildVersionIndex(
          from,
          from === 0
            ? []
            : store.export().conversations.map(({ channel }) => store.conversation(channel).getSnapshot()),
        )
    for (const row of rows) {
      if (row.version <= from) continue
      apply(row)
      const keys = touched
      touched = new Set()
      integrateRow(index, { version: row.version, conversations: [...keys].map(snapshotOf) }, note)
    }
    // The last rows may be in quarantine.
    index.integrate(version, [])
    return { index, isStored: version === 0 }
  } finally {
    store.close()
    doc.destroy()
  }
}

async function readStored(log: LogStore, room: string): Promise<StoredVersionIndex | null> {
  const value = (await log.values.read(`room:${room}`, [INDEX_VALUE])).get(INDEX_VALUE)
  if (!value) return null
  // Its checksum says that it is what a server wrote.
  return JSON.parse(new TextDecoder().decode(value)) as StoredVersionIndex
}
