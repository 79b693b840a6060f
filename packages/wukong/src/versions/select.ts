import { type ChannelKey, parseChannelKey } from '@parley/core'
import type { HeldSeqs } from './heldSeqs.js'
import type { IndexRow } from './indexRow.js'
import { BLANK_EXTRA } from './shown.js'
import type { VersionIndex } from './versionIndex.js'

/** What a client asks for. */
export interface SyncRequest {
  /** The greatest version it has; 0 for everything. What is no version of this log is answered as 0. */
  readonly version: number
  /** What it says it has; see `readHeldSeqs`. */
  readonly held: HeldSeqs
  readonly onlyUnread?: boolean
  readonly excludeTypes?: readonly number[]
  /** At most this many, unless one version holds more: an answer never ends inside a version. */
  readonly limit?: number
}

/** A conversation to be answered. */
export interface SelectedConversation {
  readonly key: ChannelKey
  readonly version: number
  /** True if it is to be told that it was deleted, in whichever way the client understands. */
  readonly deleted: boolean
}

/** What to answer. */
export interface Selection {
  /**
   * In ascending order of their versions, so that the greatest of a part is where the next part begins; after the last one
   * what was deleted long ago and is listed still.
   */
  readonly items: readonly SelectedConversation[]
  /** True if `limit` cut the answer: ask again with the greatest version received. */
  readonly more: boolean
  /** True if everything was looked at, whatever the client has. */
  readonly full: boolean
}

/**
 * Selects the conversations that a client needs to have what one that begins anew has: those changed since its version,
 * those of which it lacks messages, and those it does not list at all. The last are what makes filters safe: a filtered
 * answer raises a client's greatest version above that of what was left out.
 */
export function selectConversations(index: VersionIndex, request: SyncRequest): Selection {
  const { held, limit = Number.POSITIVE_INFINITY } = request
  const full = request.version === 0 || !index.isKnown(request.version)
  const since = full ? 0 : request.version
  const items: SelectedConversation[] = []
  // Told before, and listed still: iOS lists what it deleted. They take nobody's room, or a short answer would hold nothing
  // else for ever.
  const again: SelectedConversation[] = []
  const { columns } = index
  for (let place = 0; place < index.size; place++) {
    const key = columns.key[place] as ChannelKey
    const version = columns.version[place] as number
    const state = columns.state[place]
    const heldSeq = held[place]
    const isHeld = heldSeq !== undefined
    if (state === 'visible') {
      const isWanted = version > since || (isHeld ? (columns.headSeq[place] as number) > heldSeq : true)
      if (isWanted && (isHeld || passes(index, key, request))) items.push({ key, version, deleted: false })
    } else if (state === 'deleted') {
      // No filter leaves it out: a client may have it and not list it.
      if (request.version > 0 && version > since) items.push({ key, version, deleted: true })
      else if (isHeld) again.push({ key, version, deleted: true })
    }
  }
  items.sort((a, b) => a.version - b.version || (a.key < b.key ? -1 : 1))
  let end = Math.min(Math.max(1, limit), items.length)
  while (end < items.length && items[end]?.version === items[end - 1]?.version) end++
  const more = end < items.length
  return { items: more ? items.slice(0, end) : [...items, ...again], more, full }
}

function passes(index: VersionIndex, key: ChannelKey, { onlyUnread, excludeTypes }: SyncRequest): boolean {
  if (onlyUnread && index.get(key)?.unread === 0) return false
  return !excludeTypes?.includes(parseChannelKey(key).channelType)
}

/** Selects the conversations whose extra changed since a version. */
export function selectExtras(index: VersionIndex, version: number): SelectedConversation[] {
  const since = index.isKnown(version) ? version : 0
  const items: SelectedConversation[] = []
  const { columns } = index
  for (const [place, extraVersion] of columns.extraVersion.entries()) {
    if (extraVersion <= since) continue
    const key = columns.key[place] as ChannelKey
    const row = index.get(key)
    // To one that begins anew what is blank need not be said, unless it was not: that one may have written what was there. To
    // one from another history everything must.
    if (row && (version > 0 || row.extra !== BLANK_EXTRA || !isStamped(row))) {
      items.push({ key, version: extraVersion, deleted: false })
    }
  }
  return items.sort((a, b) => a.version - b.version)
}

/** True where nothing is known of an extra since its row was stamped as a whole: it may never have been more than blank. */
function isStamped({ extraVersion, reminderVersion }: IndexRow): boolean {
  return extraVersion === reminderVersion
}

/** Selects the conversations whose reminders changed since a version. */
export function selectReminders(index: VersionIndex, version: number): SelectedConversation[] {
  const since = index.isKnown(version) ? version : 0
  const items: SelectedConversation[] = []
  const { columns } = index
  for (const [place, reminderVersion] of columns.reminderVersion.entries()) {
    if (reminderVersion <= since) continue
    items.push({ key: columns.key[place] as ChannelKey, version: reminderVersion, deleted: false })
  }
  return items.sort((a, b) => a.version - b.version)
}
