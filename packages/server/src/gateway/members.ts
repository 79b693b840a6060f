import { type Channel, channelKey } from '@parley/core'
import type { LogStore } from '../log/logStore.js'

/** Asks the app who is in a channel; `null` if it does not know. */
export type MembersOf = (channel: Channel) => Promise<readonly string[] | null>

/** Who is in a channel, for messages that come without their recipients. */
export interface Members {
  /** `null` if nobody ever said. */
  of: (channel: Channel) => Promise<readonly string[] | null>
  set: (channel: Channel, members: readonly string[]) => Promise<void>
}

/** The name of the value of a channel. */
const VALUE_NAME = 'members'

/** Creates {@link Members}: as they were put, or as the app says. */
export function createMembers(log: LogStore, membersOf?: MembersOf): Members {
  return {
    async of(channel) {
      const asked = (await membersOf?.(channel)) ?? null
      if (asked) return asked
      const value = (await log.values.read(`channel:${channelKey(channel)}`, [VALUE_NAME])).get(VALUE_NAME)
      // Its checksum says that it is what a server wrote.
      return value ? (JSON.parse(new TextDecoder().decode(value)) as string[]) : null
    },
    async set(channel, members) {
      const value = new TextEncoder().encode(JSON.stringify([...new Set(members)]))
      await log.values.write(`channel:${channelKey(channel)}`, new Map([[VALUE_NAME, value]]))
    },
  }
}
