import { type ChannelKey, parseChannelKey } from '@parley/core'
import type { IndexRow, VersionIndex } from '@parley/wukong'
import { isListed } from '../syncAnswer.js'

/**
 * What the clients of an IM server are told without having asked, as they expect it: the command of a message of type 99 that
 * is sent to the user. Saying one again changes nothing.
 */
export type Command =
  /** So many messages of a conversation are unread now. Known to TangSengDaoDao's apps and to the SDKs. */
  | {
      readonly cmd: 'unreadClear'
      readonly param: { readonly channel_id: string; readonly channel_type: number; readonly unread: number }
    }
  /** Nothing of a conversation is unread. Known to the demo of the JS SDK. */
  | {
      readonly cmd: 'clearUnread'
      readonly param: { readonly channelID: string; readonly channelType: number }
    }
  /** There are extras, or reminders, to be fetched. */
  | { readonly cmd: 'syncConversationExtra' | 'syncReminders' }
  /** A conversation was deleted: the first is what TangSengDaoDao's web app knows, the second what Android's SDK does. */
  | {
      readonly cmd: 'conversationDeleted' | 'conversationDelete'
      readonly param: { readonly channel_id: string; readonly channel_type: number }
    }

/** What rows of a user's log did that clients are to be told of. */
export interface PendingCommands {
  /** Takes in what a row did to a conversation. */
  note: (version: number, key: ChannelKey, before: IndexRow | undefined, after: IndexRow) => void
  /** The commands for what was noted of rows from `since` on, as things stand now. What was noted is forgotten. */
  take: (index: Pick<VersionIndex, 'get'>, since: number) => Command[]
}

/** Creates {@link PendingCommands}. */
export function createPendingCommands(): PendingCommands {
  /** The last version that did it. */
  const recounted = new Map<ChannelKey, number>()
  const deleted = new Map<ChannelKey, number>()
  let extras = 0
  let reminders = 0

  return {
    note(version, key, before, after) {
      if (!isListed(parseChannelKey(key))) return
      if (after.state === 'visible') deleted.delete(key)
      else if (before?.state === 'visible' && after.state === 'deleted') deleted.set(key, version)
      if (before && isRecounted(before, after)) recounted.set(key, version)
      if (after.extraVersion === version) extras = version
      if (after.reminderVersion === version) reminders = version
    },
    take(index, since) {
      const commands: Command[] = []
      for (const [key, version] of deleted) if (version >= since) commands.push(...tellDeletion(key))
      for (const [key, version] of recounted) {
        const row = index.get(key)
        if (version >= since && row?.state === 'visible') commands.push(...tellUnread(key, row.unread))
      }
      if (extras >= since) commands.push({ cmd: 'syncConversationExtra' })
      if (reminders >= since) commands.push({ cmd: 'syncReminders' })
      recounted.clear()
      deleted.clear()
      extras = 0
      reminders = 0
      return commands
    },
  }
}

/** True if a count changed by something else than a new message, which the IM server brings to the clients itself. */
function isRecounted(before: IndexRow, after: IndexRow): boolean {
  if (before.state !== 'visible' || after.state !== 'visible') return false
  return before.unread !== after.unread && (after.unread < before.unread || after.headSeq === before.headSeq)
}

function tellUnread(key: ChannelKey, unread: number): Command[] {
  const { channelId, channelType } = parseChannelKey(key)
  const set: Command = {
    cmd: 'unreadClear',
    param: { channel_id: channelId, channel_type: channelType, unread },
  }
  return unread > 0
    ? [set]
    : [set, { cmd: 'clearUnread', param: { channelID: channelId, channelType: channelType } }]
}

function tellDeletion(key: ChannelKey): Command[] {
  const { channelId, channelType } = parseChannelKey(key)
  const param = { channel_id: channelId, channel_type: channelType }
  return [
    { cmd: 'conversationDeleted', param },
    { cmd: 'conversationDelete', param },
  ]
}
