import { type Channel, parseChannelKey, type Reminder } from '@parley/core'
import {
  fromReminder,
  selectReminders,
  type WireReminder,
  type WukongReminder,
  writeReminder,
} from '@parley/wukong'
import type { Projection } from './projection.js'

/**
 * The reminders of conversations in which some changed since a version, in the order of their versions: at most `limit`, but
 * never a part of those with the same version, which asking again with the greatest would pass over.
 */
export function remindersSince(user: Projection, version: number, limit: number): WireReminder[] {
  const reminders: WireReminder[] = []
  let last = 0
  for (const { key, version: changed } of selectReminders(user.index, Math.max(0, version))) {
    if (limit > 0 && reminders.length >= limit && changed !== last) break
    const { channel, reminders: all } = user.conversation(key)
    for (const reminder of all) {
      const read = readable(reminder, channel)
      // To one that begins anew there is nothing to take back.
      if (read && (version > 0 || !read.done)) reminders.push(writeReminder({ ...read, version: changed }))
    }
    last = changed
  }
  return reminders
}

/** Marks reminders as done, wherever they are; ids that are not known change nothing. */
export async function completeReminders(user: Projection, ids: ReadonlySet<string>): Promise<void> {
  const found: Array<{ channel: Channel; reminderId: string }> = []
  for (const [key, { reminderVersion }] of user.index.rows) {
    if (reminderVersion === 0) continue
    for (const { reminderId, done } of user.conversation(key).reminders) {
      if (!done && ids.has(reminderId)) found.push({ channel: parseChannelKey(key), reminderId })
    }
  }
  if (found.length === 0) return
  await user.act((store) =>
    store.transact(() => {
      for (const { channel, reminderId } of found) store.conversation(channel).completeReminder(reminderId)
    }),
  )
}

/** A reminder as those clients have it; `null` for one of the app's own making, with an id that is no number. */
function readable(reminder: Reminder, channel: Channel): WukongReminder | null {
  try {
    return fromReminder(reminder, channel)
  } catch {
    return null
  }
}
