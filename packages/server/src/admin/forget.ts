import { type ChannelKey, CLOSE_CODES, parseChannelKey } from '@parley/core'
import { createMembers } from '../gateway/members.js'
import type { LogStore } from '../log/logStore.js'
import type { Rooms } from '../room/rooms.js'

/** What was forgotten of a user. */
export interface ForgetSummary {
  /** True if anything was stored of the user. */
  readonly known: boolean
  /** Channels whose lists of members named the user. */
  readonly channels: number
}

/** A connection may have come back and written something while the room was being deleted. */
const MAX_ROUNDS = 10
const CHANNEL_SCOPE = 'channel:'

/**
 * Erases all that is stored of a user: the document with all its history and what was put aside of it, the values beside it,
 * and the user's place in lists of members. What others were sent by the user is theirs. When it settles the bytes are in none
 * of the store's files either.
 */
export async function forgetUser(store: LogStore, rooms: Rooms, uid: string): Promise<ForgetSummary> {
  const isStored = async (): Promise<boolean> =>
    (await store.heads([uid])).get(uid) !== 0 ||
    (await store.values.list(`room:${uid}`, { prefix: '', limit: 1 })).size > 0
  // A room that is damaged is no reason to keep it.
  const known = await isStored().catch(() => true)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await rooms.dismiss(uid, CLOSE_CODES.forbidden, 'what was stored of this user is deleted')
    await store.delete(uid)
    if (!(await isStored())) break
  }
  const channels = await leaveChannels(store, uid)
  await store.erase({ copies: true })
  return { known, channels }
}

async function leaveChannels(store: LogStore, uid: string): Promise<number> {
  const members = createMembers(store)
  let count = 0
  for await (const scope of store.values.scopes()) {
    if (!scope.startsWith(CHANNEL_SCOPE)) continue
    const channel = parseChannelKey(scope.slice(CHANNEL_SCOPE.length) as ChannelKey)
    const known = await members.of(channel)
    if (!known?.includes(uid)) continue
    const others = known.filter((member) => member !== uid)
    await members.set(channel, others)
    count++
  }
  return count
}
